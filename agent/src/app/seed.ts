import type { TaskRecord, WorkerRecord } from '../core/query/records.ts';
import type { HistoryReader } from '../core/query/reader.ts';
import { isInSlice, type Slice } from '../core/events/slice.ts';
import { TaskState } from '../core/state/task.ts';
import { WorkerState } from '../core/state/worker.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { ClusterState } from '../core/state/cluster.ts';

const PAGE = 1000;
const OPEN_STATES = ['PENDING', 'RECEIVED', 'STARTED', 'RETRY'] as const;

/** A turn that begins so soon after the model was seeded finds nothing new in the history. */
const FRESH_MS = 5000;
/** The history is given so long to catch up before it is read. */
const CATCH_UP_MS = 5000;
const LOOK_EVERY_MS = 50;

export interface SeedingDeps {
  readonly cluster: ClusterState;
  readonly slice: Slice;
  /** A worker that was not heard of for longer is not told as lost any more, ms: the history keeps no event of then. */
  readonly eventsKeptMs: number;
  /** Open tasks that are taken over, at most; the newest. */
  readonly maxTasks: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The history holds every event that the model has. */
  readonly isStored: () => boolean;
  /** Events can be taken again. */
  readonly onReady: () => void;
}

/** Puts into the live model what is under way: without it, events of those tasks would be counted without a name. */
export interface Seeding {
  /** What was under way when the last run ended. */
  first(history: HistoryReader): Promise<void>;
  /** Another agent had the turn until now: what was held of open tasks is old. */
  again(history: HistoryReader): void;
  /** No event is to be taken before it is done. */
  isUnderWay(): boolean;
}

export function seedingOf({
  cluster,
  slice,
  eventsKeptMs,
  maxTasks,
  clock,
  logger,
  isStored,
  onReady,
}: SeedingDeps): Seeding {
  let seededMs = -Infinity;
  let isUnderWay = false;

  async function first(history: HistoryReader): Promise<void> {
    for (const record of await history.workers()) cluster.seedWorker(workerOf(record, clock.now() - eventsKeptMs));
    let seeded = 0;
    let cursor: string | undefined;
    do {
      const page = await history.searchTasks(
        { states: OPEN_STATES },
        { key: 'timestamp', descending: true },
        Math.min(PAGE, maxTasks - seeded),
        cursor,
      );
      for (const record of page.tasks) {
        if (isInSlice(record.taskId, slice) && cluster.seedTask(taskOf(record))) seeded += 1;
      }
      cursor = page.nextCursor;
    } while (cursor !== undefined && seeded < maxTasks);
    seededMs = clock.now();
    if (seeded > 0) logger.info({ tasks: seeded }, 'open tasks taken over from the history');
  }

  async function anew(history: HistoryReader): Promise<void> {
    try {
      const untilMs = clock.now() + CATCH_UP_MS;
      while (!isStored() && clock.now() < untilMs) await clock.sleep(LOOK_EVERY_MS);
      // The database is away: what the model holds is newer than anything there.
      if (!isStored()) return;
      cluster.forgetOpenTasks();
      await first(history);
    } catch (error) {
      logger.warn({ err: error }, 'open tasks could not be taken over: some events will be counted without a name');
    } finally {
      isUnderWay = false;
      onReady();
    }
  }

  return {
    first,
    again(history) {
      if (isUnderWay || clock.now() - seededMs < FRESH_MS) return;
      isUnderWay = true;
      void anew(history);
    },
    isUnderWay: () => isUnderWay,
  };
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

/** One that nobody has told as gone is taken for online: were it not, its silence will tell, as of any other. */
function workerOf(record: WorkerRecord, oldestMs: number): WorkerState {
  const worker = new WorkerState(record.hostname);
  const online = !record.isGone && (record.lastHeartbeatMs ?? 0) >= oldestMs;
  const { pid, freq, active, processed, loadavg } = record;
  return Object.assign(worker, {
    online,
    pid,
    freq: freq ?? worker.freq,
    toldFreq: freq ?? undefined,
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
