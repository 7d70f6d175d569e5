import type { ClientBase } from 'pg';
import type { CeleryEvent } from '../../core/events/event.ts';
import { afterIo } from '../../lib/clock.ts';
import { isoDay } from './days.ts';
import { allSent } from './errors.ts';
import { appendEvent, TASK_EVENT_COLUMNS, WORKER_EVENT_COLUMNS } from './event-rows.ts';
import { eventOfEnd } from './imported-end.ts';
import { countUnderName } from './late-names.ts';
import { type Merged, mergeEvents, mergeHeld } from './merge.ts';
import { NameBatch, type NamesSeen } from './name-rows.ts';
import type { Recall } from './recall.ts';
import { RollupBatch } from './rollups.ts';
import { RowBuffer } from './row-buffer.ts';
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
}

/** The rows of a write: those of its events, encoded before its turn, and those of its tasks. */
export interface WriteRows {
  readonly taskEvents: RowBuffer;
  readonly workerEvents: RowBuffer;
  readonly tasks: RowBuffer;
}

export interface Stored {
  /** Events that were not stored before. */
  readonly inserted: number;
  /** Those events; decoded once more where they were let go of. */
  events(): readonly CeleryEvent[];
  readonly tasks: number;
  /** Settles when Postgres has carried out what was sent. */
  readonly sent: Promise<unknown>;
  /** To be called after the commit: the state then holds what is stored. */
  remember(): void;
}

/** What a write adds beside its events. */
interface Additions {
  readonly entries: readonly TaskEntry[];
  readonly rollups: RollupBatch;
  readonly takenBack: RollupBatch;
  readonly names: NameBatch;
  readonly workers: WorkerBatch;
}

/** All that a write adds beside its events, encoded: what is left to do is to send it. */
export interface Plan extends Additions {
  readonly rows: RowBuffer;
  readonly replaced: Replaced;
  /** Ids of tasks that had no row. */
  readonly fresh: readonly string[];
}

export function newRows(): WriteRows {
  return { taskEvents: new RowBuffer(), workerEvents: new RowBuffer(), tasks: new RowBuffer() };
}

/**
 * Works out what the events of a write add, all of them being new, on top of the tasks as the writes before it will leave
 * them; the state then holds the tasks as this one leaves them. Undefined, and nothing is changed, where something has to
 * be read first.
 */
export function planState(state: WriterState, rows: RowBuffer, events: readonly CeleryEvent[]): Plan | undefined {
  const taskEvents = events.filter(({ group }) => group === 'task');
  const merged = mergeHeld(state, taskEvents);
  if (merged === undefined) return undefined;
  const plan = planOf(state, rows, additionsOf(state, merged, taskEvents, events));
  hold(state, plan);
  return plan;
}

/** Sends what was planned in the client's open transaction, without a wait; see `Stored.sent`. */
export function storePlan(
  client: ClientBase,
  state: WriterState,
  plan: Plan,
  inserted: number,
  events: () => readonly CeleryEvent[],
): Stored {
  return {
    inserted,
    events,
    tasks: plan.entries.length,
    sent: send(client, plan),
    remember: () => {
      // Once more: the filter may have been loaded anew meanwhile.
      for (const id of plan.fresh) state.recall.add(id);
      state.memory.trim();
      plan.names.remember();
      plan.workers.remember();
    },
  };
}

/**
 * Stores tasks, workers, roll-ups and names in the client's open transaction, for events that it has stored already: sends
 * all statements, and does not wait for their end. `sent` rejects with Postgres' error; tasks that were taken out of the
 * memory are then read again by the next write.
 */
export async function storeState(
  client: ClientBase,
  state: WriterState,
  rows: RowBuffer,
  events: readonly CeleryEvent[],
  reordered: ReadonlySet<string>,
): Promise<Stored> {
  const taskEvents = events.filter(({ group }) => group === 'task');
  const merged = await mergeEvents(client, state, taskEvents, reordered);
  const additions = additionsOf(state, merged, taskEvents, events);
  const { rollups: counted, takenBack } = additions;
  await countUnderName(client, merged.named, taskEvents, { counted, takenBack });
  const plan = planOf(state, rows, additions);
  const stored = storePlan(client, state, plan, events.length, () => events);
  return {
    ...stored,
    remember: () => {
      hold(state, plan);
      stored.remember();
    },
  };
}

function additionsOf(
  state: WriterState,
  { entries, byEvent }: Merged,
  taskEvents: readonly CeleryEvent[],
  events: readonly CeleryEvent[],
): Additions {
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
  return { entries, rollups, takenBack, names, workers };
}

function planOf(state: WriterState, rows: RowBuffer, additions: Additions): Plan {
  const { entries } = additions;
  rows.clear();
  for (const entry of entries) appendTask(rows, entry, state.limits);
  const fresh = entries.filter(({ stored }) => !stored).map(({ task }) => task.uuid);
  return { ...additions, rows, replaced: replacedBy(entries), fresh };
}

/** From now on the state holds the tasks as the plan leaves them. */
function hold(state: WriterState, { entries, fresh }: Plan): void {
  for (const id of fresh) state.recall.add(id);
  for (const entry of entries) {
    entry.stored = true;
    state.memory.put(entry);
  }
}

function send(client: ClientBase, plan: Plan): Promise<unknown> {
  return allSent([
    plan.rollups.store(client),
    plan.takenBack.takeBack(client),
    plan.names.store(client),
    plan.workers.store(client),
    storeTasks(client, plan.rows, plan.replaced),
  ]);
}

/** Events encoded between two looks at the sockets: about 2 ms. What Postgres waits for is not cut into slices. */
const SLICE = 1000;

/** Encodes the events; no connection is needed, and nothing that other writes change. */
export async function encodeEvents(
  rows: WriteRows,
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
export async function copyEvents(client: ClientBase, { taskEvents, workerEvents }: WriteRows): Promise<void> {
  await allSent([
    taskEvents.rows > 0 ? taskEvents.copyTo(client, `celery_task_events (${TASK_EVENT_COLUMNS})`) : undefined,
    workerEvents.rows > 0 ? workerEvents.copyTo(client, `celery_worker_events (${WORKER_EVENT_COLUMNS})`) : undefined,
  ]);
}

/** The events of a write, each in their order. */
export interface Inserted {
  readonly fresh: readonly CeleryEvent[];
  /** Were stored before, or stand twice in the write. */
  readonly doubled: readonly CeleryEvent[];
}

/** Inserts the events that are not stored yet, through a temporary table. */
export async function insertNew(
  client: ClientBase,
  { taskEvents, workerEvents }: WriteRows,
  events: readonly CeleryEvent[],
): Promise<Inserted> {
  const identities = await allSent([
    insertThrough(client, taskEvents, 'celery_task_events', TASK_EVENT_COLUMNS, 'task_id'),
    insertThrough(client, workerEvents, 'celery_worker_events', WORKER_EVENT_COLUMNS, 'hostname'),
  ]);
  const inserted = new Set(identities.flat());
  // `delete` tells true once: of an event that is twice in the batch, only the first counts.
  const isNew = events.map(({ identity }) => inserted.delete(identity));
  return {
    fresh: events.filter((_, index) => isNew[index] === true),
    doubled: events.filter((_, index) => isNew[index] !== true),
  };
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

/** Ids of tasks whose rows are replaced, by the day of the row. */
export type Replaced = ReadonlyMap<number, readonly string[]>;

export function replacedBy(entries: readonly TaskEntry[]): Replaced {
  const replaced = new Map<number, string[]>();
  for (const { stored, seenOn, task } of entries) {
    if (!stored) continue;
    const ids = replaced.get(seenOn);
    if (ids === undefined) replaced.set(seenOn, [task.uuid]);
    else ids.push(task.uuid);
  }
  return replaced;
}

/**
 * Replaces the rows of known tasks and adds those of new ones. Deleting and copying writes what an update would: the
 * timestamp is in most indexes and changes with each event, so that no update could spare them. Measured a row, in
 * Postgres: 27 to 28 us; a temporary table and `on conflict do update` 22 to 37; `update from` it 28 to 31.
 */
export async function storeTasks(client: ClientBase, rows: RowBuffer, replaced: Replaced): Promise<void> {
  const deleted = [...replaced].map(([day, ids]) =>
    client.query({
      name: 'umbel-replace-tasks',
      text: 'delete from celery_tasks where seen_on = $1::date and task_id = any($2)',
      values: [isoDay(day), ids],
    }),
  );
  const copied = rows.rows > 0 ? rows.copyTo(client, `celery_tasks (${TASK_COLUMNS})`) : undefined;
  await allSent([...deleted, copied]);
}
