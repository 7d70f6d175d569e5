import type { SeriesDimension, SeriesQuery } from '../../../core/query/filter.ts';
import { RUNTIME_BUCKETS } from '../../../core/query/runtime-buckets.ts';
import { anyOf, noneOf, whereSql } from './filter-sql.ts';
import { Params } from './sql.ts';

export type Statement = [text: string, values: readonly unknown[]];

const HOUR_MS = 3_600_000;

/**
 * The roll-ups of the range: `at` is their minute or hour. Whole hours come from the roll-ups by the hour, which are a
 * fraction of the rows, unless the points or the workers of smaller ones are asked for. Both are written in one
 * transaction: it makes no difference but in time.
 */
function rollups(query: SeriesQuery, columns: readonly string[], smallestMs: number, params: Params): string {
  const { fromMs, toMs, by, workers, notWorkers = [] } = query;
  const tellsWorkers = by.includes('worker') || workers !== undefined || notWorkers.length > 0;
  const labels = tellsWorkers ? ['name', 'queue', 'worker'] : ['name', 'queue'];
  const part = (table: string, time: string, partFromMs: number, partToMs: number): string[] => {
    if (partFromMs >= partToMs) return [];
    const [from, to] = [partFromMs, partToMs].map((ms) => `to_timestamp(${params.add(ms / 1000)}::float8)`);
    const selected = [`${time} as at`, ...labels, ...columns, 'runtime_buckets'].join(', ');
    return [`select ${selected} from ${table} where ${time} >= ${from} and ${time} < ${to}`];
  };
  const hasHours = !tellsWorkers && smallestMs % HOUR_MS === 0;
  const firstMs = hasHours ? Math.min(Math.ceil(fromMs / HOUR_MS) * HOUR_MS, toMs) : toMs;
  const lastMs = Math.max(firstMs, Math.floor(toMs / HOUR_MS) * HOUR_MS);
  return [
    ...part('celery_task_rollups', 'minute', fromMs, firstMs),
    ...part('celery_task_rollups_hourly', 'hour', firstMs, lastMs),
    ...part('celery_task_rollups', 'minute', lastMs, toMs),
  ].join(' union all ');
}

function conditions(query: SeriesQuery, params: Params): string[] {
  return [
    ...anyOf('name', query.names, params),
    ...anyOf('worker', query.workers, params),
    ...anyOf('queue', query.queues, params),
    ...noneOf('name', query.notNames, params),
    ...noneOf('worker', query.notWorkers, params),
    ...noneOf('queue', query.notQueues, params),
  ];
}

/** `dimensions` of the groups with the largest totals of the counts in `columns`. */
export function topGroupsStatement(
  query: SeriesQuery,
  dimensions: readonly SeriesDimension[],
  columns: readonly string[],
): Statement {
  const params = new Params();
  const names = dimensions.join(', ');
  const total = totalOf(columns);
  // Of the whole range alone: hours will do whatever the step is.
  const text = `select ${names} from (${rollups(query, columns, HOUR_MS, params)}) as rollups
    ${whereSql(conditions(query, params))}
    group by ${names} having ${total} > 0 order by ${total} desc, ${names} limit ${params.add(query.limit)}::bigint`;
  return [text, params.values];
}

/** A row a step and group: `step` (number of the step since 1970), the dimensions, sums of `columns`, `buckets`. */
export function pointsStatement(
  query: SeriesQuery,
  dimensions: readonly SeriesDimension[],
  columns: readonly string[],
  wantsBuckets: boolean,
  top?: readonly (readonly string[])[],
): Statement {
  const params = new Params();
  const from = rollups(query, columns, query.stepMs, params);
  const where = conditions(query, params);
  if (top !== undefined) {
    const lists = dimensions.map((_, index) => `${params.add(top.map((group) => group[index]))}::text[]`);
    where.push(`(${dimensions.join(', ')}) in (select * from unnest(${lists.join(', ')}))`);
  }
  const sums = Array.from(
    { length: RUNTIME_BUCKETS.length + 1 },
    (_, index) => `coalesce(sum(runtime_buckets[${index + 1}]), 0)`,
  );
  const text = `select (extract(epoch from at)::bigint / ${params.add(query.stepMs / 1000)}::bigint) as step,
      ${[...dimensions, ...columns.map((column) => `sum(${column}) as ${column}`)].join(', ')},
      ${wantsBuckets ? `array[${sums.join(', ')}]::bigint[]` : 'null'} as buckets
    from (${from}) as rollups ${whereSql(where)}
    group by ${[1, ...dimensions].join(', ')}`;
  return [text, params.values];
}

/** Points of the groups with the largest totals, found among the points themselves. */
export function largestStatement(
  query: SeriesQuery,
  dimensions: readonly SeriesDimension[],
  columns: readonly string[],
): Statement {
  const [text, values] = pointsStatement(query, dimensions, columns, false);
  const names = dimensions.join(', ');
  const total = totalOf(columns);
  return [
    `with points as materialized (${text}), largest as (
      select ${names} from points group by ${names} having ${total} > 0
      order by ${total} desc, ${names} limit $${values.length + 1}::bigint
    ) select points.* from points join largest using (${names})`,
    [...values, query.limit],
  ];
}

function totalOf(columns: readonly string[]): string {
  return columns.map((column) => `sum(${column})`).join(' + ');
}
