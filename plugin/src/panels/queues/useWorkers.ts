import type { PanelData } from '@grafana/data';
import { useEffect, useMemo, useState } from 'react';
import type { Worker } from '../../shared/api';
import { frameOf, readRows } from '../../shared/frames/rows';
import type { CeleryDataSource } from '../../datasource/datasource';

const NONE: readonly Worker[] = [];

/**
 * Who consumes what: of a second query of the panel, else asked of the agent, which knows it, with every answer.
 *
 * @param source undefined: do not ask
 */
export function useWorkers(data: PanelData, source: CeleryDataSource | undefined): ReadonlyArray<Partial<Worker>> {
  const frame = frameOf(data.series, 'workers');
  const given = useMemo(() => (frame === undefined ? undefined : readRows<Worker>(frame)), [frame]);
  const [asked, setAsked] = useState(NONE);
  const isAsked = given === undefined && source !== undefined;
  useEffect(() => {
    if (!isAsked) {
      return undefined;
    }
    // Without them the panel still shows what the broker tells.
    const subscription = source.client
      .workers()
      .subscribe({ next: ({ workers }) => setAsked(workers), error: () => setAsked(NONE) });
    return () => subscription.unsubscribe();
  }, [isAsked, source, data.series]);
  return given ?? (isAsked ? asked : NONE);
}
