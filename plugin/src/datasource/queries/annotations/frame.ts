import { createDataFrame, type DataFrame, FieldType } from '@grafana/data';
import type { Audit, Events, Gaps, Series } from '../../../shared/api';

/** A mark, or a region where it has an end. Instants in epoch ms. */
export interface Mark {
  readonly timeMs: number;
  readonly timeEndMs?: number;
  readonly title: string;
  readonly text: string;
  readonly tags: readonly string[];
}

/** As Grafana's annotations read it. */
export function annotationsFrame(refId: string, marks: readonly Mark[]): DataFrame {
  return createDataFrame({
    refId,
    name: 'annotations',
    meta: { custom: { celery: 'annotations' } },
    fields: [
      { name: 'time', type: FieldType.time, config: {}, values: marks.map(({ timeMs }) => timeMs) },
      { name: 'timeEnd', type: FieldType.time, config: {}, values: marks.map(({ timeEndMs }) => timeEndMs ?? null) },
      { name: 'title', type: FieldType.string, config: {}, values: marks.map(({ title }) => title) },
      { name: 'text', type: FieldType.string, config: {}, values: marks.map(({ text }) => text) },
      { name: 'tags', type: FieldType.other, config: {}, values: marks.map(({ tags }) => [...tags]) },
    ],
  });
}

const WORKER_TITLES: Readonly<Record<string, string>> = {
  'worker-online': 'Worker online',
  'worker-offline': 'Worker offline',
  'worker-lost': 'Worker lost',
};

export function workerMarks({ events }: Events): Mark[] {
  return events.map(({ type, worker, timestampMs }) => ({
    timeMs: timestampMs,
    title: WORKER_TITLES[type] ?? type,
    text: type === 'worker-lost' ? `${worker}: no heartbeat any more` : worker,
    tags: [type],
  }));
}

export function gapMarks({ gaps }: Gaps, nowMs: number): Mark[] {
  return gaps.map(({ fromMs, toMs, cause }) => ({
    ...{ timeMs: fromMs, timeEndMs: toMs ?? nowMs, title: 'Events were not heard', text: cause, tags: ['gap'] },
  }));
}

export function actionMarks(entries: Audit['entries']): Mark[] {
  return entries.map(({ atMs, principal, action, target, outcome }) => ({
    timeMs: atMs,
    title: action,
    text: `${principal.grafanaUser?.login ?? principal.name}: ${target} (${outcome})`,
    tags: [outcome],
  }));
}

/** Fewer failures in a step are no burst, however quiet it was before. */
const LEAST = 5;
/** A burst stands out from the rest of the range by so many standard deviations. */
const DEVIATIONS = 2;

/** Steps whose failures stand out from the range; those that follow each other are one region. */
export function burstMarks({ series, stepMs, fromMs, toMs }: Series): Mark[] {
  const points = series[0]?.points ?? [];
  const counts = points.map(({ timeMs, values }) => ({ timeMs, count: values[0] ?? 0 }));
  const steps = Math.max(Math.round((toMs - fromMs) / stepMs), counts.length, 1);
  const mean = counts.reduce((sum, { count }) => sum + count, 0) / steps;
  const squares = counts.reduce((sum, { count }) => sum + (count - mean) ** 2, 0) + (steps - counts.length) * mean ** 2;
  const least = Math.max(LEAST, mean + DEVIATIONS * Math.sqrt(squares / steps));
  const bursts: Array<{ fromMs: number; toMs: number; count: number }> = [];
  for (const { timeMs, count } of counts.filter((one) => one.count >= least)) {
    const last = bursts[bursts.length - 1];
    if (last !== undefined && last.toMs === timeMs) {
      bursts[bursts.length - 1] = { ...last, toMs: timeMs + stepMs, count: last.count + count };
    } else {
      bursts.push({ fromMs: timeMs, toMs: timeMs + stepMs, count });
    }
  }
  return bursts.map((burst) => ({
    ...{ timeMs: burst.fromMs, timeEndMs: burst.toMs, title: 'Burst of failures' },
    ...{ text: `${burst.count.toLocaleString('en')} tasks failed`, tags: ['failures'] },
  }));
}
