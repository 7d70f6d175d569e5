import type { PanelData } from '@grafana/data';
import type { Failures, TaskFilter } from '../../shared/api';
import { frameOf, readRows } from '../../shared/frames/rows';
import type { FailureSort } from './options';

export type Group = Failures['groups'][number];

export interface FoundFailures {
  readonly groups: readonly Group[];
  /** Parameters of GET /failures that gave them */
  readonly filter: TaskFilter;
  readonly trendFromMs?: number;
  readonly trendStepMs?: number;
}

/** What the panel's query found. Undefined where its data are no failures of ours. */
export function readFailures(data: PanelData): FoundFailures | undefined {
  const frame = frameOf(data.series, 'failures');
  if (frame === undefined) {
    return undefined;
  }
  const custom = (frame.meta?.custom ?? {}) as Partial<FoundFailures>;
  return {
    groups: readRows<Group>(frame).map(completed),
    filter: custom.filter ?? {},
    ...(typeof custom.trendFromMs === 'number' && { trendFromMs: custom.trendFromMs }),
    ...(typeof custom.trendStepMs === 'number' && { trendStepMs: custom.trendStepMs }),
  };
}

/** A transformation of the panel may have taken members away. */
function completed(row: Partial<Group>): Group {
  const { exceptionType, message, fingerprint, count, firstMs, lastMs, names, sampleTaskId, sampleTraceback, trend } =
    row;
  return {
    exceptionType: exceptionType ?? '',
    message: message ?? '',
    fingerprint: fingerprint ?? '',
    count: count ?? 0,
    firstMs: firstMs ?? 0,
    lastMs: lastMs ?? 0,
    names: names ?? [],
    sampleTaskId: sampleTaskId ?? '',
    sampleTraceback: sampleTraceback ?? null,
    trend: trend ?? [],
  };
}

export function sortGroups(groups: readonly Group[], sort: FailureSort): readonly Group[] {
  const key: Readonly<Record<FailureSort, (group: Group) => number>> = {
    count: (group) => group.count,
    last: (group) => group.lastMs,
    new: (group) => group.firstMs,
  };
  return [...groups].sort((a, b) => key[sort](b) - key[sort](a) || a.fingerprint.localeCompare(b.fingerprint));
}

/** Of the time range: a group that began in the last tenth of it has not been seen before. */
const NEW_SHARE = 0.1;

/** It began lately, seen against the time range, so it was not there for most of it. */
export function isNew(group: Group, fromMs: number, toMs: number): boolean {
  return toMs > fromMs && group.firstMs >= toMs - (toMs - fromMs) * NEW_SHARE;
}

/** The tasks of a group, for GET /tasks and bulk actions. */
export function filterOf(found: FoundFailures, group: Group): TaskFilter {
  return { ...found.filter, states: ['FAILURE'], fingerprint: group.fingerprint };
}

/** What the trend says in words: when it was worst. Undefined without a failure in it. */
export function peakOf(
  trend: readonly number[],
  fromMs: number,
  stepMs: number,
): { readonly count: number; readonly atMs: number } | undefined {
  const count = Math.max(0, ...trend);
  return count === 0 ? undefined : { count, atMs: fromMs + trend.indexOf(count) * stepMs };
}
