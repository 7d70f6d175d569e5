import type { TaskFilter, TaskSort } from '../../core/query/filter.ts';
import { parseSearch } from '../../core/query/search-parser.ts';
import type { LiveFilter } from '../ports.ts';
import { badParameter } from '../errors.ts';
import type { LiveQuery, SortQuery, TaskFilterQuery } from './parameters.ts';
import { parseDuration, parseInstant } from './time.ts';

/** The same object without the members that are undefined. */
type Given<T> = { readonly [K in keyof T]?: Exclude<T[K], undefined> };

/**
 * Query parameters as the history's filter.
 *
 * @throws ApiProblem 400 that names the parameter, SearchError
 */
export function toTaskFilter(query: TaskFilterQuery, nowMs: number): TaskFilter {
  const instant = (field: 'from' | 'to' | 'receivedFrom' | 'receivedTo', divisor: number) => {
    const text = query[field];
    return text === undefined ? undefined : parseInstant(field, text, nowMs) / divisor;
  };
  const seconds = (field: 'runtimeMin' | 'runtimeMax') => {
    const text = query[field];
    return text === undefined ? undefined : parseDuration(field, text) / 1000;
  };
  const filter = given({
    ids: query.ids,
    names: query.names,
    states: upperCase(query.states),
    workers: query.workers,
    queues: query.queues,
    rootId: query.rootId,
    parentId: query.parentId,
    exceptionTypes: query.exceptionTypes,
    notNames: query.notNames,
    notStates: upperCase(query.notStates),
    notWorkers: query.notWorkers,
    notQueues: query.notQueues,
    notExceptionTypes: query.notExceptionTypes,
    fingerprint: query.fingerprint,
    fromMs: instant('from', 1),
    toMs: instant('to', 1),
    receivedFrom: instant('receivedFrom', 1000),
    receivedTo: instant('receivedTo', 1000),
    receivedOnly: query.receivedFrom !== undefined || query.receivedTo !== undefined ? true : undefined,
    runtimeMin: seconds('runtimeMin'),
    runtimeMax: seconds('runtimeMax'),
    argsText: query.args,
    kwargsText: query.kwargs,
    resultText: query.result,
    exceptionText: query.exception,
    orphaned: query.orphaned,
    healed: query.healed,
    search: query.search === undefined ? undefined : parseSearch(query.search),
  });
  mustNotCross(filter.fromMs, filter.toMs, 'to', 'from');
  mustNotCross(filter.receivedFrom, filter.receivedTo, 'receivedTo', 'receivedFrom');
  mustNotCross(filter.runtimeMin, filter.runtimeMax, 'runtimeMax', 'runtimeMin');
  return filter;
}

export function toSort(query: SortQuery): TaskSort {
  return { key: query.sort, descending: query.order === 'desc' };
}

export function toLiveFilter(query: LiveQuery): LiveFilter {
  return given({ ...query, states: upperCase(query.states) });
}

/** States as Celery writes them. */
export function upperCase(states: readonly string[] | undefined): string[] | undefined {
  return states?.map((state) => state.toUpperCase());
}

/**
 * A time range; `from` defaults to `spanMs` before `to`, `to` to now.
 *
 * @throws ApiProblem 400 that names the parameter
 */
export function toRange(
  query: { readonly from?: string; readonly to?: string },
  nowMs: number,
  spanMs: number,
): { readonly fromMs: number; readonly toMs: number } {
  const toMs = query.to === undefined ? nowMs : parseInstant('to', query.to, nowMs);
  const fromMs = query.from === undefined ? Math.max(toMs - spanMs, 0) : parseInstant('from', query.from, nowMs);
  mustNotCross(fromMs, toMs, 'to', 'from');
  return { fromMs, toMs };
}

function mustNotCross(low: number | undefined, high: number | undefined, highName: string, lowName: string): void {
  if (low === undefined || high === undefined || high >= low) return;
  throw badParameter(highName, `\`${highName}\` must not be below \`${lowName}\`.`);
}

/** Leaves the undefined members out, as `exactOptionalPropertyTypes` wants them. */
export function given<T extends object>(members: T): Given<T> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Given<T>;
}
