import type { ClientBase } from 'pg';
import type { CeleryEvent } from '../../core/events/event.ts';
import { afterIo } from '../../lib/clock.ts';
import { isoDay } from './days.ts';
import { allSent } from './errors.ts';
import { appendEvent, TASK_EVENT_COLUMNS, WORKER_EVENT_COLUMNS } from './event-rows.ts';
import { eventOfEnd } from './imported-end.ts';
import { countUnderName } from './late-names.ts';
import { mergeEvents } from './merge.ts';
import { NameBatch, type NamesSeen } from './name-rows.ts';
import type { Recall } from './recall.ts';
import { RollupBatch } from './rollups.ts';
import type { RowBuffer } from './row-buffer.ts';
import type { TextLimits } from './safe-values.ts';
import type { TaskMemory } from './task-memory.ts';
import { appendTask, TASK_COLUMNS, type TaskEntry } from './task-rows.ts';
import { WorkerBatch, type WorkersSeen } from './worker-rows.ts';

/** What a writer holds between its transactions. */
export interface WriterState {
  readonly memory: TaskMemory;
  readonly recall: Recall;
  readonly limits: TextLimits;
  readonly workersSeen: WorkersSeen;
  readonly namesSeen: NamesSeen;
  readonly taskRows: RowBuffer;
}

/** The rows of a write's events, encoded before its turn. */
export interface EventRows {
  readonly taskEvents: RowBuffer;
  readonly workerEvents: RowBuffer;
}

export interface Stored {
  /** Not stored before. */
  readonly events: readonly CeleryEvent[];
  readonly tasks: number;
  /** Settles when Postgres has carried out what was sent. */
  readonly sent: Promise<unknown>;
  /** To be called after the commit: the state then holds what is stored. */
  remember(): void;
}

/**
 * Stores tasks, workers, roll-ups and names in the client's open transaction, for events that it has stored already: sends
 * all statements, and does not wait for their end. `sent` rejects with Postgres' error; tasks that were taken out of the
 * memory are then read again by the next write.
 */
export async function storeState(
  client: ClientBase,
  state: WriterState,
  events: readonly CeleryEvent[],
): Promise<Stored> {
  state.taskRows.clear();
  const taskEvents = events.filter(({ group }) => group === 'task');
  const { entries, byEvent, named } = await mergeEvents(client, state, taskEvents);

  const rollups = new RollupBatch();
  const takenBack = new RollupBatch();
  const names = new NameBatch(state.namesSeen);
  const workers = new WorkerBatch(state.workersSeen);
  // After all are merged, so that a task-started counts under the name that comes later in the same batch.
  taskEvents.forEach((event, index) => {
    const entry = byEvent[index];
    if (entry === undefined) return;
    const { task, imported } = entry;
    rollups.add(event, task);
    if (imported?.subject === event.subject) {
      takenBack.add(...eventOfEnd(imported));
      entry.imported = null;
    }
    names.add(task.name, event.receivedMs);
    if (event.subject !== 'sent') workers.addTaskEvent(event);
  });
  for (const event of events) if (event.group === 'worker') workers.addWorkerEvent(event);
  await countUnderName(client, named, taskEvents, { counted: rollups, takenBack });
  const counted = allSent([
    rollups.store(client),
    takenBack.takeBack(client),
    names.store(client),
    workers.store(client),
  ]);
  counted.catch(() => undefined); // told by `sent`
  // Postgres works on those meanwhile.
  for (const entry of entries) appendTask(state.taskRows, entry, state.limits);
  return {
    events,
    tasks: entries.length,
    sent: allSent([counted, storeTasks(client, state.taskRows, entries)]),
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

/** Events encoded between two looks at the sockets: about 2 ms. What Postgres waits for is not cut into slices. */
const SLICE = 1000;

/** Encodes the events; no connection is needed, and nothing that other writes change. */
export async function encodeEvents(
  rows: EventRows,
  events: readonly CeleryEvent[],
  { fields }: TextLimits,
): Promise<void> {
  rows.taskEvents.clear();
  rows.workerEvents.clear();
  for (const [index, event] of events.entries()) {
    if (index > 0 && index % SLICE === 0) await new Promise<void>(afterIo);
    appendEvent(event.group === 'task' ? rows.taskEvents : rows.workerEvents, event, fields);
  }
}

/** Copies the events straight into their tables; rejects with 23505 when one of them is stored already. */
export async function copyEvents(client: ClientBase, { taskEvents, workerEvents }: EventRows): Promise<void> {
  await allSent([
    taskEvents.rows > 0 ? taskEvents.copyTo(client, `celery_task_events (${TASK_EVENT_COLUMNS})`) : undefined,
    workerEvents.rows > 0 ? workerEvents.copyTo(client, `celery_worker_events (${WORKER_EVENT_COLUMNS})`) : undefined,
  ]);
}

/** Inserts the events that are not stored yet, through a temporary table, and resolves with them, in their order. */
export async function insertNew(
  client: ClientBase,
  { taskEvents, workerEvents }: EventRows,
  events: readonly CeleryEvent[],
): Promise<readonly CeleryEvent[]> {
  const identities = await allSent([
    insertThrough(client, taskEvents, 'celery_task_events', TASK_EVENT_COLUMNS, 'task_id'),
    insertThrough(client, workerEvents, 'celery_worker_events', WORKER_EVENT_COLUMNS, 'hostname'),
  ]);
  const inserted = new Set(identities.flat());
  // `delete` tells true once: of an event that is twice in the batch, only the first counts.
  return events.filter(({ identity }) => inserted.delete(identity));
}

async function insertThrough(
  client: ClientBase,
  rows: RowBuffer,
  table: string,
  columns: string,
  key: string,
): Promise<readonly number[]> {
  if (rows.rows === 0) return [];
  const [, , result] = await allSent([
    client.query(`create temp table if not exists fresh_${table} (like ${table}) on commit delete rows`),
    rows.copyTo(client, `fresh_${table} (${columns})`),
    client.query<[string]>({
      text: `insert into ${table} (${columns}) select ${columns} from fresh_${table}
        order by ${key}, occurred_at, identity on conflict do nothing returning identity`,
      rowMode: 'array',
    }),
  ]);
  return result.rows.map(([identity]) => Number(identity));
}

/**
 * Replaces the rows of known tasks and adds those of new ones. Deleting and copying writes what an update would: the
 * timestamp is in most indexes and changes with each event, so that no update could spare them. Measured a row, in
 * Postgres: 27 to 28 us; a temporary table and `on conflict do update` 22 to 37; `update from` it 28 to 31.
 */
export async function storeTasks(client: ClientBase, rows: RowBuffer, entries: readonly TaskEntry[]): Promise<void> {
  const known = new Map<number, string[]>();
  for (const { stored, seenOn, task } of entries) {
    if (!stored) continue;
    const ids = known.get(seenOn);
    if (ids === undefined) known.set(seenOn, [task.uuid]);
    else ids.push(task.uuid);
  }
  const deleted = [...known].map(([day, ids]) =>
    client.query({
      name: 'umbel-replace-tasks',
      text: 'delete from celery_tasks where seen_on = $1::date and task_id = any($2)',
      values: [isoDay(day), ids],
    }),
  );
  const copied = rows.rows > 0 ? rows.copyTo(client, `celery_tasks (${TASK_COLUMNS})`) : undefined;
  await allSent([...deleted, copied]);
}
