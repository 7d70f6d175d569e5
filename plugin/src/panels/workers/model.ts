import type { DataFrame } from '@grafana/data';
import type { Target, Worker } from '../../shared/api';
import type { WorkerSort } from './types';

export type WorkerStatus = 'online' | 'silent' | 'offline';

/** A worker as the panel shows it; undefined members: it has not told. */
export interface WorkerRow extends Partial<{ [Member in keyof Worker]: NonNullable<Worker[Member]> }> {
  readonly hostname: string;
  readonly status: WorkerStatus;
}

/** Celery's workers send a heartbeat every two seconds. */
const HEARTBEAT_MS = 2000;
/** One missed heartbeat says nothing: a solo worker sends none while it runs a task. */
const MISSED = 5;

export function toWorkerRows(workers: ReadonlyArray<Partial<Worker>>, nowMs: number): WorkerRow[] {
  return workers.flatMap((worker) => {
    const { hostname } = worker;
    if (typeof hostname !== 'string' || hostname === '') {
      return [];
    }
    const told = Object.entries(worker).filter(([, value]) => value !== null && value !== undefined);
    return [{ ...Object.fromEntries(told), hostname, status: statusOf(worker, nowMs) }];
  });
}

/** `silent`: the agent has not given it up yet, but heartbeats are missing. */
function statusOf({ online, lastHeartbeatMs, heartbeatEveryMs }: Partial<Worker>, nowMs: number): WorkerStatus {
  if (online !== true) {
    return 'offline';
  }
  const silentMs = lastHeartbeatMs === null || lastHeartbeatMs === undefined ? 0 : nowMs - lastHeartbeatMs;
  return silentMs > MISSED * (heartbeatEveryMs ?? HEARTBEAT_MS) ? 'silent' : 'online';
}

export function countByStatus(rows: readonly WorkerRow[]): Readonly<Record<WorkerStatus, number>> {
  const counts = { online: 0, silent: 0, offline: 0 };
  for (const { status } of rows) {
    counts[status] += 1;
  }
  return counts;
}

/** Words of the name, the queues, the pool and the version; all must be there. */
export function matches(row: WorkerRow, search: string): boolean {
  const { hostname, queues = [], pool = '', softwareVersion = '', status } = row;
  const text = [hostname, ...queues, pool, softwareVersion, status].join(' ').toLowerCase();
  return search
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

/** Tasks done, as last told. */
interface RateSample {
  readonly atMs: number;
  readonly processed: number;
}

export type RateHistory = ReadonlyMap<string, readonly RateSample[]>;

const RATE_OVER_MS = 60_000;

/** The history with what the workers' heartbeats tell now; a worker that was started again begins anew. */
export function trackRates(history: RateHistory, rows: ReadonlyArray<Partial<Worker>>): RateHistory {
  return new Map(
    rows.flatMap(({ hostname, processed, lastHeartbeatMs: atMs }) => {
      if (hostname === undefined || typeof processed !== 'number' || typeof atMs !== 'number') {
        return [];
      }
      const before = history.get(hostname) ?? [];
      const last = before.at(-1);
      if (last !== undefined && last.atMs >= atMs) {
        return [[hostname, before] as const];
      }
      const kept = last !== undefined && processed < last.processed ? [] : before;
      const young = kept.filter((sample, index) => sample.atMs >= atMs - RATE_OVER_MS || index === kept.length - 1);
      return [[hostname, [...young, { atMs, processed }]] as const];
    }),
  );
}

/** Tasks per second over the last minute; undefined before the second heartbeat. */
export function rateOf(samples: readonly RateSample[] | undefined): number | undefined {
  const [first, last] = [samples?.[0], samples?.at(-1)];
  return first === undefined || last === undefined || first === last
    ? undefined
    : ((last.processed - first.processed) * 1000) / (last.atMs - first.atMs);
}

/** Of a second query of the panel, series by worker with the column rate: the last value of each. */
export function ratesOfSeries(series: readonly DataFrame[]): ReadonlyMap<string, number> {
  const rates = new Map<string, number>();
  for (const frame of series.filter(({ meta }) => meta?.custom?.['celery'] === 'series')) {
    for (const { name, labels, values } of frame.fields) {
      const last: unknown = values.filter((value: unknown) => value !== null).at(-1);
      if (name === 'rate' && labels?.['worker'] !== undefined && typeof last === 'number') {
        rates.set(labels['worker'], last);
      }
    }
  }
  return rates;
}

const STATUS_ORDER: Readonly<Record<WorkerStatus, number>> = { offline: 0, silent: 1, online: 2 };

/** What is not known stands last, either way. */
export function sortRows(
  rows: readonly WorkerRow[],
  by: WorkerSort,
  descending: boolean,
  rates: ReadonlyMap<string, number>,
): WorkerRow[] {
  const sign = descending ? -1 : 1;
  const value = (row: WorkerRow): string | number | undefined => {
    switch (by) {
      case 'status':
        return STATUS_ORDER[row.status];
      case 'rate':
        return rates.get(row.hostname);
      case 'load':
        return row.loadavg?.[0];
      default:
        return row[by];
    }
  };
  return [...rows].sort((a, b) => {
    const [left, right] = [value(a), value(b)];
    const byName = a.hostname < b.hostname ? -1 : 1;
    if (left === undefined || right === undefined) {
      return Number(left === undefined) - Number(right === undefined) || byName;
    }
    return left === right ? byName : left < right ? -sign : sign;
  });
}

/** The agent takes no longer list of names. */
const MOST_NAMES = 1000;

export interface Orders {
  /** Undefined: nobody who could obey, or too many to name */
  readonly target?: Target;
  /** Why there is no target */
  readonly reason?: 'nobody' | 'too-many';
  readonly count: number;
}

/** Whom a command goes to: those that are not offline. @param everybody there are no others that are not meant */
export function targetOf(rows: readonly WorkerRow[], everybody: boolean): Orders {
  const names = rows.filter(({ status }) => status !== 'offline').map(({ hostname }) => hostname);
  if (names.length === 0) {
    return { reason: 'nobody', count: 0 };
  }
  if (names.length <= MOST_NAMES) {
    return { target: { workers: names }, count: names.length };
  }
  return everybody ? { target: { all: true }, count: names.length } : { reason: 'too-many', count: names.length };
}
