import type { ClientBase } from 'pg';
import type { CeleryEvent } from '../../core/events/event.ts';
import type { TaskState } from '../../core/state/task.ts';
import { dayOf, isoDay, saneSeconds } from './days.ts';
import { appendEvent, TASK_EVENT_COLUMNS, WORKER_EVENT_COLUMNS } from './event-rows.ts';
import { NameBatch, type NamesSeen } from './name-rows.ts';
import type { Recall } from './recall.ts';
import { RollupBatch } from './rollups.ts';
import type { RowBuffer } from './row-buffer.ts';
import { keyId, type TextLimits } from './safe-values.ts';
import { readTasks, type TaskMemory } from './task-memory.ts';
import { appendTask, newTaskEntry, TASK_COLUMNS, type TaskEntry } from './task-rows.ts';
import { WorkerBatch, type WorkersSeen } from './worker-rows.ts';

/** What a writer holds between its transactions. */
export interface WriterState {
  readonly memory: TaskMemory;
  readonly recall: Recall;
  readonly limits: TextLimits;
  readonly workersSeen: WorkersSeen;
  readonly namesSeen: NamesSeen;
  readonly buffers: { readonly taskEvents: RowBuffer; readonly workerEvents: RowBuffer; readonly tasks: RowBuffer };
  readonly merge: (task: TaskState, event: CeleryEvent) => void;
}

export interface Stored {
  readonly inserted: number;
  readonly tasks: number;
  /** To be called after the commit: the state then holds what is stored. */
  remember(): void;
}

/** A task event's task while its transaction lasts. */
interface Touched {
  readonly id: string;
  entry: TaskEntry | undefined;
}

/**
 * Stores events, tasks, workers, roll-ups and names in the client's open transaction.
 *
 * `direct` copies the events straight into their tables and fails with 23505 when one of them is stored already.
 * Otherwise they go through a temporary table, and only those really new are merged and counted.
 * Rejects with Postgres' error; tasks it had taken out of the memory are then read again by the next write.
 */
export async function storeEvents(
  client: ClientBase,
  state: WriterState,
  events: readonly CeleryEvent[],
  direct: boolean,
): Promise<Stored> {
  const { buffers } = state;
  for (const buffer of Object.values(buffers)) buffer.clear();
  const fresh = direct ? events : await insertNew(client, state, events);
  const taskEvents = fresh.filter(({ group }) => group === 'task');
  const touched = new Map<string, Touched>();
  const touchedBy = await findTasks(client, state, taskEvents, touched);
  const copied = direct ? copyEvents(client, state, events) : Promise.resolve();
  // Handled below; until then the server works on the events while the tasks are merged here.
  copied.catch(() => undefined);

  const rollups = new RollupBatch();
  const names = new NameBatch(state.namesSeen);
  const workers = new WorkerBatch(state.workersSeen);
  mergeTasks(state, taskEvents, touchedBy);
  // After all are merged, so that a task-started counts under the name that comes later in the same batch.
  taskEvents.forEach((event, index) => {
    const task = touchedBy[index]?.entry?.task;
    if (task === undefined) return;
    rollups.add(event, task);
    names.add(task.name, event.receivedMs);
    if (event.subject !== 'sent') workers.addTaskEvent(event);
  });
  for (const event of fresh) if (event.group === 'worker') workers.addWorkerEvent(event);
  const entries: TaskEntry[] = [];
  for (const { entry } of touched.values()) {
    if (entry === undefined) continue;
    appendTask(buffers.tasks, entry, state.limits);
    entries.push(entry);
  }

  await copied;
  await storeTasks(client, buffers.tasks, entries);
  await rollups.store(client);
  await names.store(client);
  await workers.store(client);
  return {
    inserted: fresh.length,
    tasks: entries.length,
    remember: () => {
      for (const entry of entries) {
        if (!entry.stored) state.recall.add(entry.task.uuid);
        entry.stored = true;
        state.memory.put(entry);
      }
      state.memory.trim();
      names.remember();
      workers.remember();
    },
  };
}

function encodeEvents({ buffers, limits }: WriterState, events: readonly CeleryEvent[]): void {
  for (const event of events) {
    appendEvent(event.group === 'task' ? buffers.taskEvents : buffers.workerEvents, event, limits.fields);
  }
}

async function copyEvents(client: ClientBase, state: WriterState, events: readonly CeleryEvent[]): Promise<void> {
  encodeEvents(state, events);
  const { taskEvents, workerEvents } = state.buffers;
  if (taskEvents.rows > 0) await taskEvents.copyTo(client, `celery_task_events (${TASK_EVENT_COLUMNS})`);
  if (workerEvents.rows > 0) await workerEvents.copyTo(client, `celery_worker_events (${WORKER_EVENT_COLUMNS})`);
}

/** Inserts the events that are not stored yet, and resolves with them, in their order. */
async function insertNew(
  client: ClientBase,
  state: WriterState,
  events: readonly CeleryEvent[],
): Promise<readonly CeleryEvent[]> {
  encodeEvents(state, events);
  const inserted = new Set<number>();
  const { taskEvents, workerEvents } = state.buffers;
  await insertThrough(client, taskEvents, 'celery_task_events', TASK_EVENT_COLUMNS, 'task_id', inserted);
  await insertThrough(client, workerEvents, 'celery_worker_events', WORKER_EVENT_COLUMNS, 'hostname', inserted);
  // `delete` tells true once: of an event that is twice in the batch, only the first counts.
  return events.filter(({ identity }) => inserted.delete(identity));
}

async function insertThrough(
  client: ClientBase,
  rows: RowBuffer,
  table: string,
  columns: string,
  key: string,
  inserted: Set<number>,
): Promise<void> {
  if (rows.rows === 0) return;
  await client.query(`create temp table if not exists fresh_${table} (like ${table}) on commit delete rows`);
  await rows.copyTo(client, `fresh_${table} (${columns})`);
  const result = await client.query<[string]>({
    text: `insert into ${table} (${columns}) select ${columns} from fresh_${table}
      order by ${key}, occurred_at, identity on conflict do nothing returning identity`,
    rowMode: 'array',
  });
  for (const [identity] of result.rows) inserted.add(Number(identity));
}

/** Finds or reads the task of each event, in the order of the events. */
async function findTasks(
  client: ClientBase,
  { memory, recall }: WriterState,
  taskEvents: readonly CeleryEvent[],
  touched: Map<string, Touched>,
): Promise<Touched[]> {
  const unknown: string[] = [];
  const touchedBy = taskEvents.map((event) => {
    const id = keyId(event.uuid);
    let one = touched.get(id);
    if (one === undefined) {
      one = { id, entry: memory.take(id) };
      touched.set(id, one);
      if (one.entry === undefined && !recall.isNew(id)) unknown.push(id);
    }
    return one;
  });
  for (const entry of await readTasks(client, unknown)) {
    const one = touched.get(entry.task.uuid);
    if (one !== undefined) one.entry = entry;
  }
  return touchedBy;
}

function mergeTasks({ merge }: WriterState, taskEvents: readonly CeleryEvent[], touchedBy: readonly Touched[]): void {
  for (const [index, event] of taskEvents.entries()) {
    const one = touchedBy[index];
    if (one === undefined) continue;
    one.entry ??= newTaskEntry(one.id, dayOf(saneSeconds(event.timestamp)));
    merge(one.entry.task, event);
  }
}

/**
 * Replaces the rows of known tasks and adds those of new ones. Deleting and copying writes what an update would: the
 * timestamp is in most indexes and changes with each event, so that no update could spare them. Measured a row, in
 * Postgres: 27 to 28 us; a temporary table and `on conflict do update` 22 to 37; `update from` it 28 to 31.
 */
async function storeTasks(client: ClientBase, rows: RowBuffer, entries: readonly TaskEntry[]): Promise<void> {
  const known = new Map<number, string[]>();
  for (const { stored, seenOn, task } of entries) {
    if (!stored) continue;
    const ids = known.get(seenOn);
    if (ids === undefined) known.set(seenOn, [task.uuid]);
    else ids.push(task.uuid);
  }
  for (const [day, ids] of known) {
    await client.query({
      name: 'umbel-replace-tasks',
      text: 'delete from celery_tasks where seen_on = $1::date and task_id = any($2)',
      values: [isoDay(day), ids],
    });
  }
  if (rows.rows > 0) await rows.copyTo(client, `celery_tasks (${TASK_COLUMNS})`);
}
