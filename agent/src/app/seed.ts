import type { TaskRecord, WorkerRecord } from '../core/query/records.ts';
import type { HistoryReader } from '../core/query/reader.ts';
import { TaskState } from '../core/state/task.ts';
import { WorkerState } from '../core/state/worker.ts';
import type { Logger } from '../lib/logger.ts';
import type { ClusterState } from '../core/state/cluster.ts';

const PAGE = 1000;
const OPEN_STATES = ['PENDING', 'RECEIVED', 'STARTED', 'RETRY'] as const;

/**
 * Puts into the live model what was under way when the last run ended: without it, events of those tasks would be
 * counted without a name. Newest first, at most `maxTasks`.
 */
export async function takeOver(
  cluster: ClusterState,
  history: HistoryReader,
  maxTasks: number,
  logger: Logger,
): Promise<void> {
  for (const record of await history.workers()) cluster.seedWorker(workerOf(record));
  let seeded = 0;
  let cursor: string | undefined;
  do {
    const page = await history.searchTasks(
      { states: OPEN_STATES },
      { key: 'timestamp', descending: true },
      Math.min(PAGE, maxTasks - seeded),
      cursor,
    );
    for (const record of page.tasks) if (cluster.seedTask(taskOf(record))) seeded += 1;
    cursor = page.nextCursor;
  } while (cursor !== undefined && seeded < maxTasks);
  if (seeded > 0) logger.info({ tasks: seeded }, 'open tasks taken over from the history');
}

function taskOf(record: TaskRecord): TaskState {
  const { taskId, routingKey, rootId, parentId, oddities, clock, ...same } = record;
  const task = new TaskState(taskId);
  const members: Partial<TaskState> = {
    routing_key: routingKey,
    root_id: rootId,
    parent_id: parentId,
    clock: clock ?? 0,
  };
  for (const member of Object.keys(same) as (keyof typeof same)[]) {
    if (member in task) Object.assign(members, { [member]: same[member] });
  }
  return Object.assign(task, members, oddities?.['name'] === undefined ? {} : { name: oddities['name'] });
}

function workerOf(record: WorkerRecord): WorkerState {
  const worker = new WorkerState(record.hostname);
  const { online, pid, freq, active, processed, loadavg } = record;
  return Object.assign(worker, {
    online,
    pid,
    freq: freq ?? worker.freq,
    active,
    processed,
    loadavg,
    sw_ident: record.swIdent,
    sw_ver: record.swVer,
    sw_sys: record.swSys,
    firstSeenMs: record.firstSeenMs,
    lastSeenMs: record.lastHeartbeatMs ?? record.firstSeenMs,
    lastTimestamp: (record.lastHeartbeatMs ?? record.firstSeenMs) / 1000,
    heartbeats: record.lastHeartbeatMs === null ? [] : [record.lastHeartbeatMs / 1000],
  });
}
