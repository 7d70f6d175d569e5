import type { TaskEventRecord, WorkerEventRecord } from '../../../core/query/records.ts';
import { keyId } from '../safe-values.ts';
import { numberAttempts } from './attempts.ts';
import type { Session } from './session.ts';
import { isStorable } from './sql.ts';

interface EventRow {
  readonly type: string;
  readonly sender: string;
  readonly timestamp: number;
  readonly occurred_ms: number;
  readonly received_ms: number;
  readonly clock: string;
  readonly fields: Readonly<Record<string, unknown>> | null;
}

const EVENT_COLUMNS = `type, timestamp, (extract(epoch from occurred_at) * 1000)::float8 as occurred_ms,
  (extract(epoch from received_at) * 1000)::float8 as received_ms, clock, fields`;

/** The first `limit` events of the task, told apart by attempt. */
export async function readTimeline(session: Session, taskId: string, limit: number): Promise<TaskEventRecord[]> {
  const id = keyId(taskId);
  const rows = await session.prepared<EventRow>(
    'timeline',
    `select ${EVENT_COLUMNS}, worker as sender from celery_task_events where task_id = $1::text
      order by occurred_at, identity limit $2::bigint`,
    [id, limit],
  );
  return numberAttempts(
    rows.map((row) => ({
      taskId: id,
      type: row.type,
      worker: row.sender,
      timestampMs: row.timestamp * 1000,
      receivedMs: row.received_ms,
      clock: Number(row.clock),
      fields: bodyOf(row, { uuid: id }),
    })),
  );
}

export async function readWorkerEvents(
  session: Session,
  hostname: string,
  fromMs: number,
  toMs: number,
  limit: number,
): Promise<WorkerEventRecord[]> {
  if (!isStorable(hostname)) return [];
  const rows = await session.rows<EventRow>(
    `select ${EVENT_COLUMNS}, hostname as sender from celery_worker_events
      where hostname = $1::text and occurred_at >= to_timestamp($2::float8) and occurred_at < to_timestamp($3::float8)
      order by occurred_at desc, identity desc limit $4::bigint`,
    [hostname, fromMs / 1000, toMs / 1000, limit],
  );
  return rows.map((row) => ({
    hostname,
    type: row.type,
    timestampMs: row.timestamp * 1000,
    fields: bodyOf(row, {}),
  }));
}

/** The body as sent: what the writer left out, because the row's columns say it, comes back. */
function bodyOf(row: EventRow, ids: Readonly<Record<string, string>>): Record<string, unknown> {
  const { type, sender, timestamp, clock, fields } = row;
  return { type, hostname: sender, timestamp, clock: Number(clock), ...ids, ...fields };
}
