import type { DataFrame } from '@grafana/data';
import { useEffect, useMemo, useReducer } from 'react';
import type { Worker } from '../../shared/api';
import { rateOf, type RateHistory, ratesOfSeries, trackRates } from './model';

const NOTHING: RateHistory = new Map();

/** Tasks per second by worker: of a query for series where the panel has one, else of the heartbeats it has seen. */
export function useRates(
  series: readonly DataFrame[],
  workers: ReadonlyArray<Partial<Worker>>,
): ReadonlyMap<string, number> {
  const [history, dispatch] = useReducer(trackRates, NOTHING);
  useEffect(() => dispatch(workers), [workers]);
  return useMemo(() => {
    const seen = [...history].flatMap(([hostname, samples]) => {
      const rate = rateOf(samples);
      return rate === undefined ? [] : [[hostname, rate] as const];
    });
    return new Map([...seen, ...ratesOfSeries(series)]);
  }, [history, series]);
}
