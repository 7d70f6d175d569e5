import type { TaskRecord } from '../../../core/query/records.ts';
import { IMPORTED } from '../imported-end.ts';

/** Columns of `TaskRow`, from the alias `t` of celery_tasks. */
export const TASK_COLUMNS = [
  ...['task_id', 'name', 'state', 'worker', 'client', 'queue', 'exchange', 'routing_key', 'root_id', 'parent_id'],
  ...['args', 'kwargs', 'result', 'exception', 'traceback', 'eta', 'expires', 'retries', 'runtime', 'sent', 'received'],
  ...['started', 'succeeded', 'failed', 'retried', 'revoked', 'rejected', 'timestamp', 'clock', 'pid'],
  ...['exception_type', 'oddities', 'mark', 'mark_detail', 'marked'],
]
  .map((name) => `t.${name}`)
  .join(', ');

export interface TaskRow {
  readonly task_id: string;
  readonly name: string | null;
  readonly state: string;
  readonly worker: string | null;
  readonly client: string | null;
  readonly queue: string | null;
  readonly exchange: string | null;
  readonly routing_key: string | null;
  readonly root_id: string | null;
  readonly parent_id: string | null;
  readonly args: string | null;
  readonly kwargs: string | null;
  readonly result: string | null;
  readonly exception: string | null;
  readonly traceback: string | null;
  readonly eta: string | null;
  readonly expires: string | null;
  readonly retries: number | null;
  readonly runtime: number | null;
  readonly sent: number | null;
  readonly received: number | null;
  readonly started: number | null;
  readonly succeeded: number | null;
  readonly failed: number | null;
  readonly retried: number | null;
  readonly revoked: number | null;
  readonly rejected: number | null;
  readonly timestamp: number;
  readonly clock: string | null;
  readonly pid: string | null;
  readonly exception_type: string | null;
  readonly oddities: Readonly<Record<string, unknown>> | null;
  readonly mark: string | null;
  readonly mark_detail: string | null;
  readonly marked: number | null;
}

/** bigint arrives as text. */
export function optionalNumber(value: string | number | null): number | null {
  return value === null ? null : Number(value);
}

export function toTaskRecord(row: TaskRow): TaskRecord {
  return {
    taskId: row.task_id,
    name: row.name,
    state: row.state,
    worker: row.worker,
    client: row.client,
    queue: row.queue,
    exchange: row.exchange,
    routingKey: row.routing_key,
    rootId: row.root_id,
    parentId: row.parent_id,
    args: row.args,
    kwargs: row.kwargs,
    result: row.result,
    exception: row.exception,
    traceback: row.traceback,
    eta: row.eta,
    expires: row.expires,
    retries: row.retries,
    runtime: row.runtime,
    sent: row.sent,
    received: row.received,
    started: row.started,
    succeeded: row.succeeded,
    failed: row.failed,
    retried: row.retried,
    revoked: row.revoked,
    rejected: row.rejected,
    timestamp: row.timestamp,
    clock: optionalNumber(row.clock),
    pid: optionalNumber(row.pid),
    exceptionType: row.exception_type,
    oddities: withoutImport(row.oddities),
    healed: row.mark === 'healed' ? row.mark_detail : null,
    orphaned: row.mark === 'orphaned' ? row.mark_detail : null,
    retriedAs: row.mark === 'replaced' ? row.mark_detail : null,
    markedMs: row.marked === null ? null : row.marked * 1000,
  };
}

/** What an import counted is the writer's own affair. */
function withoutImport(oddities: TaskRow['oddities']): TaskRow['oddities'] {
  if (oddities === null || !Object.hasOwn(oddities, IMPORTED)) return oddities;
  const others = Object.entries(oddities).filter(([name]) => name !== IMPORTED);
  return others.length === 0 ? null : Object.fromEntries(others);
}
