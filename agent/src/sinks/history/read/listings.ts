import type { GapRecord, WorkerRecord } from '../../../core/query/records.ts';
import { offlineAfterMs } from '../../../core/state/worker.ts';
import type { Session } from './session.ts';
import { isStorable } from './sql.ts';
import { optionalNumber } from './task-row.ts';

interface WorkerRow {
  readonly hostname: string;
  readonly first_seen_ms: number;
  readonly last_heartbeat_ms: number | null;
  readonly online: boolean;
  readonly freq: number | null;
  readonly active: number | null;
  readonly processed: string | null;
  readonly clock: string | null;
  readonly pid: string | null;
  readonly loadavg: readonly number[] | null;
  readonly sw_ident: string | null;
  readonly sw_ver: string | null;
  readonly sw_sys: string | null;
}

export async function readWorkers(session: Session, nowMs: number): Promise<WorkerRecord[]> {
  const rows = await session.rows<WorkerRow>(
    `select hostname, (extract(epoch from first_seen_at) * 1000)::float8 as first_seen_ms,
      (extract(epoch from last_heartbeat_at) * 1000)::float8 as last_heartbeat_ms,
      online, freq, active, processed, clock, pid, loadavg, sw_ident, sw_ver, sw_sys
    from celery_workers order by hostname`,
  );
  return rows.map((row) => ({
    hostname: row.hostname,
    online: isOnline(row, nowMs),
    isGone: !row.online,
    lastHeartbeatMs: row.last_heartbeat_ms,
    firstSeenMs: row.first_seen_ms,
    pid: optionalNumber(row.pid),
    freq: row.freq,
    active: row.active,
    processed: optionalNumber(row.processed),
    loadavg: row.loadavg,
    swIdent: row.sw_ident,
    swVer: row.sw_ver,
    swSys: row.sw_sys,
    clock: optionalNumber(row.clock),
  }));
}

function isOnline({ online, last_heartbeat_ms, freq }: WorkerRow, nowMs: number): boolean {
  if (!online || last_heartbeat_ms === null) return false;
  return nowMs - last_heartbeat_ms <= offlineAfterMs({ toldFreq: freq ?? undefined });
}

export async function readTaskNames(session: Session): Promise<string[]> {
  const rows = await session.rows<{ name: string }>('select name from celery_task_names order by name');
  return rows.map((row) => row.name);
}

/** From one queue to the next in the index, instead of through every task. Citus knows no recursive query for it. */
export async function readQueueNames(session: Session): Promise<string[]> {
  const names: string[] = [];
  for (;;) {
    const [next] = await session.prepared<{ queue: string }>(
      'next-queue',
      'select queue from celery_tasks where queue > $1::text order by queue limit 1',
      [names.at(-1) ?? ''],
    );
    if (next === undefined) return names;
    names.push(next.queue);
  }
}

/** Children in the order in which they were published. A retried task is its own child, as in Celery. */
export async function readChildren(session: Session, taskIds: readonly string[]): Promise<Map<string, string[]>> {
  const children = new Map<string, string[]>();
  const rows = await session.prepared<{ parent_id: string; task_id: string }>(
    'children',
    `select parent_id, task_id from celery_tasks where parent_id = any($1::text[])
      order by coalesce(sent, received, started, timestamp), task_id`,
    [taskIds.filter(isStorable)],
  );
  for (const { parent_id, task_id } of rows) {
    const known = children.get(parent_id);
    if (known === undefined) children.set(parent_id, [task_id]);
    else known.push(task_id);
  }
  return children;
}

interface GapRow {
  readonly id: string;
  readonly from_ms: number;
  readonly to_ms: number | null;
  readonly cause: string;
  readonly agent: string;
  readonly covered_by: string | null;
  readonly healed: Readonly<Record<string, unknown>> | null;
}

/** Gaps that overlap the range. */
export async function readGaps(session: Session, fromMs: number, toMs: number, limit: number): Promise<GapRecord[]> {
  const rows = await session.rows<GapRow>(
    `select id, (extract(epoch from from_at) * 1000)::float8 as from_ms,
      (extract(epoch from to_at) * 1000)::float8 as to_ms, cause, agent, covered_by, healed
    from umbel_gaps
    where from_at < to_timestamp($2::float8) and (to_at is null or to_at >= to_timestamp($1::float8))
    order by from_at desc, id desc limit $3::bigint`,
    [fromMs / 1000, toMs / 1000, limit],
  );
  return rows.map((row) => ({
    id: Number(row.id),
    fromMs: row.from_ms,
    toMs: row.to_ms,
    cause: row.cause,
    agent: row.agent,
    coveredBy: row.covered_by,
    healed: row.healed,
  }));
}
