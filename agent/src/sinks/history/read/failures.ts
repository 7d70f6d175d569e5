import { UNKNOWN_EXCEPTION } from '../../../core/query/failure.ts';
import type { TaskFilter } from '../../../core/query/filter.ts';
import type { FailureGroup, FailureTrend } from '../../../core/query/records.ts';
import { indexedSql, scannedSql } from './filter-sql.ts';
import type { Session } from './session.ts';
import { Params } from './sql.ts';
import { contextOf, type TaskQuery } from './task-query.ts';

interface GroupRow {
  readonly fingerprint: string;
  readonly exception_type: string | null;
  readonly message: string | null;
  readonly count: string;
  readonly first: number;
  readonly last: number;
  readonly names: readonly string[];
  readonly sample_id: string;
  readonly traceback: string | null;
  readonly trend: readonly number[];
}

const MOST_NAMES = 10;

/** Failures by fingerprint, largest group first. A failure of which nothing is known has the empty fingerprint. */
export async function readFailures(
  session: Session,
  filter: TaskFilter,
  query: Pick<TaskQuery, 'knownIds'>,
  limit: number,
  trend?: FailureTrend,
): Promise<FailureGroup[]> {
  const params = new Params();
  const context = contextOf(session, query, params);
  const where = [
    "(t.fingerprint is not null or t.state = 'FAILURE')",
    // A task that was retried and ended well keeps the exception of its retry, but is no failure.
    ...(filter.states === undefined ? ["t.state <> 'SUCCESS'"] : []),
    ...indexedSql(filter, context),
    ...scannedSql(filter, context),
  ].join(' and ');
  const most = params.add(limit);
  const rows = await session.rows<GroupRow>(failuresSql(where, most, trendSql(trend, params)), params.values);
  return rows.map((row) => ({
    exceptionType: row.exception_type ?? UNKNOWN_EXCEPTION,
    message: row.message ?? '',
    fingerprint: row.fingerprint,
    count: Number(row.count),
    firstMs: row.first * 1000,
    lastMs: row.last * 1000,
    names: row.names,
    sampleTaskId: row.sample_id,
    sampleTraceback: row.traceback,
    trend: row.trend,
  }));
}

/** The failed tasks are read once, without their tracebacks; the newest of each group is then read by its key. */
function failuresSql(where: string, limit: string, trend: TrendSql): string {
  return `
    with failed as materialized (
      select coalesce(t.fingerprint, '') as fingerprint, t.exception_type, t.failure_message, t.timestamp, t.name,
        t.task_id, t.seen_on
      from celery_tasks t where ${where}
    ), by_name as (
      select fingerprint, name, count(*) as count, min(timestamp) as first, max(timestamp) as last,
        min(exception_type) as exception_type, min(failure_message) as message
      from failed group by fingerprint, name
    ), groups as (
      select fingerprint, min(exception_type) as exception_type, min(message) as message, sum(count) as count,
        min(first) as first, max(last) as last,
        coalesce((array_agg(name order by count desc, name) filter (where name is not null))[1:${MOST_NAMES}], '{}') as names
      from by_name group by fingerprint order by sum(count) desc, fingerprint limit ${limit}::bigint
    ), newest as (
      select distinct on (fingerprint) fingerprint, task_id, seen_on from failed
      order by fingerprint, timestamp desc, task_id desc
    )${trend.table}
    select g.fingerprint, g.exception_type, g.message, g.count, g.first, g.last, g.names,
      n.task_id as sample_id, t.traceback, ${trend.column} as trend
    from groups g join newest n using (fingerprint)
      left join celery_tasks t on t.task_id = n.task_id and t.seen_on = n.seen_on
    order by g.count desc, g.fingerprint`;
}

interface TrendSql {
  /** A further table of the query, with the comma before it */
  readonly table: string;
  readonly column: string;
}

/** Failures of each group by step; those a fast clock puts after the end count in the last. */
function trendSql(trend: FailureTrend | undefined, params: Params): TrendSql {
  if (trend === undefined) return { table: '', column: "'{}'::int[]" };
  const from = `${params.add(trend.fromMs / 1000)}::float8`;
  const step = `${params.add((trend.toMs - trend.fromMs) / 1000 / trend.steps)}::float8`;
  const last = `${params.add(trend.steps - 1)}::int`;
  return {
    table: `, by_step as (
      select fingerprint, least(greatest(floor((timestamp - ${from}) / ${step}), 0), ${last})::int as step, count(*)::int as count
      from failed join groups using (fingerprint) group by 1, 2
    )`,
    column: `(select array_agg(coalesce(s.count, 0) order by n.step) from generate_series(0, ${last}) as n(step)
      left join by_step s on s.fingerprint = g.fingerprint and s.step = n.step)`,
  };
}
