import { queryRows } from './database.ts';

/** What the history holds of synthetic load. */
export interface HistoryRows {
  readonly events: number;
  /** Different ones among them. */
  readonly identities: number;
  readonly tasks: number;
  readonly finished: number;
  /** What the roll-ups have counted. */
  readonly counted: number;
}

export async function historyRows(databaseUrl: string): Promise<HistoryRows> {
  const [row] = await queryRows<HistoryRows & Record<string, unknown>>(
    databaseUrl,
    `select (select count(*) from celery_task_events)::int as events,
      (select count(distinct identity) from celery_task_events)::int as identities,
      (select count(*) from celery_tasks)::int as tasks,
      (select count(*) from celery_tasks where state in ('SUCCESS', 'FAILURE'))::int as finished,
      (select coalesce(sum(received + started + succeeded + failed + other), 0) from celery_task_rollups)::int as counted`,
  );
  if (row === undefined) throw new Error('no row');
  return row;
}

/** What it must hold when each event of these tasks is there once. */
export function eachOnce(tasks: number): HistoryRows {
  return { events: 3 * tasks, identities: 3 * tasks, tasks, finished: tasks, counted: 3 * tasks };
}

export interface GapRow {
  readonly cause: string;
  readonly fromMs: number;
  readonly toMs: number;
}

/** Gaps that are over. */
export async function gapRows(databaseUrl: string): Promise<GapRow[]> {
  return queryRows<GapRow & Record<string, unknown>>(
    databaseUrl,
    `select cause, extract(epoch from from_at)::float8 * 1000 as "fromMs", extract(epoch from to_at)::float8 * 1000 as "toMs"
     from umbel_gaps where to_at is not null order by from_at`,
  );
}
