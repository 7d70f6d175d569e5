import { map } from 'rxjs';
import type { SeriesQuery } from '../../query';
import { filterParams, filterText } from '../filter';
import type { Kind, QueryContext } from '../kind';
import { seriesFrames } from './frame';

const MINUTE_MS = 60_000;
/** What reads well on an axis; the agent's roll-ups are by the minute. */
const NICE_MINUTES = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440];
const MOST_POINTS = 11_000;
const MOST_SERIES = 999;
const UNITS_MS: Readonly<Record<string, number>> = {
  ...{ ms: 1, s: 1000, m: MINUTE_MS, h: 3_600_000, d: 86_400_000, w: 604_800_000, y: 31_536_000_000 },
};

export const seriesKind: Kind<'series'> = {
  text: ({ columns = ['count'], by = [], filter }) =>
    [`Series ${columns.join(', ')}`, ...(by.length === 0 ? [] : [`by ${by.join(', ')}`]), filterText(filter)]
      .filter((part) => part !== '')
      .join(' '),
  run: (query, context) => {
    const { client, refId, requestId, fromMs, toMs, nowMs } = context;
    // Roll-ups know these dimensions alone.
    const { names, states, workers, queues, ...others } = filterParams(query.filter, context);
    const { notNames, notStates, notWorkers, notQueues, from: _from, to: _to, ...unknown } = others;
    const limit = Math.min(Math.max(query.limit ?? 50, 1), MOST_SERIES);
    const columns = (query.columns ?? []).length === 0 ? ['count'] : query.columns;
    const params = {
      ...{ names, states, workers, queues, notNames, notStates, notWorkers, notQueues },
      ...{ columns, by: query.by, limit: limit + 1 },
      ...{ from: String(fromMs), to: String(toMs), step: stepText(stepOf(query, context)) },
    };
    return client.series(params, requestId).pipe(
      map((series) => ({
        frames: seriesFrames(refId, series, { limit, nowMs, ignored: Object.keys(unknown), legend: query.legend }),
      })),
    );
  },
};

/** Milliseconds of a step: whole minutes, from the query or from the width of the panel. */
export function stepOf(
  { step = '' }: Pick<SeriesQuery, 'step'>,
  { fromMs, toMs, intervalMs, maxDataPoints }: QueryContext,
): number {
  const least = Math.max(
    spanOf(step) ?? Math.max(intervalMs, (toMs - fromMs) / Math.max(maxDataPoints, 1)),
    (toMs - fromMs) / MOST_POINTS,
  );
  const minutes = Math.max(Math.ceil(least / MINUTE_MS), 1);
  const nice = spanOf(step) === undefined ? NICE_MINUTES.find((one) => one >= minutes) : minutes;
  return (nice ?? Math.ceil(minutes / 1440) * 1440) * MINUTE_MS;
}

/** Of what `stepOf` gives, as the agent takes it. */
export function stepText(stepMs: number): string {
  return `${stepMs / MINUTE_MS}m`;
}

/** `90s`, `5m`, `1h`, or milliseconds; undefined for what is no span. */
function spanOf(text: string): number | undefined {
  const [, digits, unit] = /^\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w|y)?\s*$/.exec(text) ?? [];
  return digits === undefined ? undefined : Number(digits) * (UNITS_MS[unit ?? 'ms'] ?? 1);
}
