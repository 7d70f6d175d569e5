import { createDataFrame, type DataFrame, FieldType } from '@grafana/data';
import type { Series } from '../../../shared/api';
import { stateColor } from '../../../shared/frames/states';
import { truncated, warning } from '../../../shared/frames/table';

/** What each column is measured in; Grafana's own `cps` would read `c/s`. */
const UNITS: Readonly<Record<string, string>> = { count: 'short', rate: 'suffix:/s', p50: 'ms', p95: 'ms', p99: 'ms' };
/** Beside each other, percentiles keep their colours: by their names, p50 and p95 have nearly the same. */
const PERCENTILES: Readonly<Record<string, string>> = { p50: 'green', p95: 'orange', p99: 'red' };
const ADDITIVE: readonly string[] = ['count', 'rate'];

export interface SeriesInfo {
  readonly limit: number;
  readonly nowMs: number;
  /** Filters that roll-ups do not know */
  readonly ignored: readonly string[];
  /** `{{name}}`, `{{state}}` … are the labels of a series, `{{column}}` what is counted */
  readonly legend?: string;
}

type One = Series['series'][number];

/**
 * One frame per series, with a value field per column. The agent leaves out steps without events: a count is 0 there,
 * a percentile of nothing is null. Steps that have not begun yet are left out.
 */
export function seriesFrames(refId: string, series: Series, info: SeriesInfo): DataFrame[] {
  const shown = series.series.slice(0, info.limit);
  const notices = [
    ...(series.series.length > info.limit
      ? [truncated(`Shows the ${info.limit} largest series. Narrow the filter or raise the limit.`)]
      : []),
    ...(info.ignored.length > 0
      ? [warning(`Series are counted by name, state, worker and queue; not narrowed by ${info.ignored.join(', ')}.`)]
      : []),
  ];
  return (shown.length === 0 ? [{ labels: {}, points: [] }] : shown).map((one, index) =>
    frameOf(refId, series, one, info, index === 0 ? notices : []),
  );
}

function frameOf(
  refId: string,
  { fromMs, toMs, stepMs, columns }: Series,
  { labels, points }: One,
  { nowMs, legend }: SeriesInfo,
  notices: Array<ReturnType<typeof truncated>>,
): DataFrame {
  const byTime = new Map(points.map((point) => [point.timeMs, point.values]));
  const steps = Math.max(Math.ceil((Math.min(toMs, nowMs) - fromMs) / stepMs), 0);
  const times = Array.from({ length: steps }, (_, index) => fromMs + index * stepMs);
  return createDataFrame({
    refId,
    name: nameOf(labels, columns, columns[0] ?? '', legend),
    meta: {
      preferredVisualisationType: 'graph',
      custom: { celery: 'series', stepMs },
      ...(notices.length === 0 ? {} : { notices }),
    },
    fields: [
      { name: 'timeMs', type: FieldType.time, config: { displayName: 'Time', interval: stepMs }, values: times },
      ...columns.map((name, index) => ({
        name,
        type: FieldType.number,
        labels,
        config: {
          displayNameFromDS: nameOf(labels, columns, name, legend),
          unit: UNITS[name] ?? 'short',
          ...(ADDITIVE.includes(name) ? { min: 0 } : {}),
          ...colorOf(labels, name),
        },
        values: times.map((time) => byTime.get(time)?.[index] ?? (ADDITIVE.includes(name) ? 0 : null)),
      })),
    ],
  });
}

/** The query's own legend, else the values of the labels, with the column where there are several. */
function nameOf(
  labels: Readonly<Record<string, string>>,
  columns: readonly string[],
  name: string,
  legend = '',
): string {
  if (legend.trim() !== '') {
    return legend.replace(/{{\s*(\w+)\s*}}/g, (_, key: string) => (key === 'column' ? name : (labels[key] ?? '')));
  }
  const values = Object.values(labels).map((value) => (value === '' ? '(none)' : value));
  if (values.length === 0) {
    return name;
  }
  return columns.length === 1 ? values.join(' ') : `${values.join(' ')} ${name}`;
}

function colorOf(labels: Readonly<Record<string, string>>, column: string) {
  const names = Object.keys(labels);
  const state = names.length === 1 ? labels['state'] : undefined;
  const fixedColor = state === undefined ? names.length === 0 && PERCENTILES[column] : stateColor(state);
  return fixedColor ? { color: { mode: 'fixed', fixedColor } } : {};
}
