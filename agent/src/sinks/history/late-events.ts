import type { ClientBase } from 'pg';
import type { CeleryEvent } from '../../core/events/event.ts';
import { inHeardOrder } from '../../core/state/heard-order.ts';
import { mergeTaskEvent, TaskState } from '../../core/state/task.ts';
import { allSent } from './errors.ts';
import { keyId } from './safe-values.ts';
import { type TaskEntry, TIMES } from './task-rows.ts';

/** Tasks whose events are read at once. */
const TASKS_AT_ONCE = 200;
/** A task of more events stays as they were merged and counted when they came. */
const MOST_EVENTS = 250;

/**
 * An event waited so long, ms, after it was received: another agent that stored it meanwhile, and was frozen or behind, may
 * have received it later, and put it after what came after it.
 */
const WAITED_MS = 100;

interface EventRow {
  readonly task_id: string;
  readonly type: string;
  readonly worker: string;
  readonly timestamp: number;
  readonly clock: number;
  readonly identity: number;
  readonly received_ms: number;
  readonly fields: Readonly<Record<string, unknown>> | null;
}

/**
 * Merges tasks anew from their stored events, in the order in which one agent would have heard them. For those of which
 * an event is stored after a later one: an agent that came back later than another one still had it to store.
 *
 * Resolves with the new entries by task id; without those whose events do not tell all that is known of them, because
 * they were imported or healed, or old events are dropped already.
 */
export async function mergeAnew(
  client: ClientBase,
  entries: readonly TaskEntry[],
): Promise<ReadonlyMap<string, TaskEntry>> {
  const merged = new Map<string, TaskEntry>();
  for await (const { entry, events } of eventsAtOnce(client, entries)) {
    const task = new TaskState(entry.task.uuid);
    for (const event of inHeardOrder(events)) mergeTaskEvent(task, event);
    if (!tellsAll(task, entry.task)) continue;
    merged.set(task.uuid, { ...entry, task, cuts: null, failure: null });
  }
  return merged;
}

/**
 * Puts right when events were received that another agent was the first to store: of several receivers the earliest tells
 * when it was heard. Resolves with the ids of tasks whose events have another order now.
 *
 * @param doubled events that were stored already
 */
export async function correctReceived(
  client: ClientBase,
  doubled: readonly CeleryEvent[],
  nowMs: number,
): Promise<ReadonlySet<string>> {
  const waited = doubled.filter(({ group, receivedMs }) => group === 'task' && nowMs - receivedMs > WAITED_MS);
  if (waited.length === 0) return new Set();
  const heardMs = new Map(waited.map(({ identity, receivedMs }) => [identity, receivedMs]));
  const ids = new Set(waited.map(({ uuid }) => keyId(uuid)));
  const { rows } = await client.query<ReceivedRow>({ name: 'umbel-received', text: RECEIVED, values: [[...ids]] });
  const late = rows.filter((row) => row.received_ms - (heardMs.get(row.identity) ?? Infinity) > WAITED_MS);
  const correct = (row: ReceivedRow): Promise<unknown> =>
    client.query(CORRECT, [row.task_id, row.occurred_at, row.identity, heardMs.get(row.identity)]);
  await allSent(late.map(correct));
  return new Set(late.map(({ task_id }) => task_id));
}

interface ReceivedRow {
  readonly task_id: string;
  readonly occurred_at: string;
  readonly identity: number;
  readonly received_ms: number;
}

const RECEIVED = `
select task_id, occurred_at::text as occurred_at, identity::float8 as identity,
  (extract(epoch from received_at) * 1000)::float8 as received_ms
from celery_task_events where task_id = any($1::text[])`;

const CORRECT = `
update celery_task_events set received_at = to_timestamp($4::float8 / 1000)
where task_id = $1 and occurred_at = $2::timestamptz and identity = $3`;

/** Each of the tasks with its stored events, in no order; none where there are too many. Reads those of many at once. */
export async function* eventsAtOnce(
  client: ClientBase,
  entries: readonly TaskEntry[],
): AsyncGenerator<{ readonly entry: TaskEntry; readonly events: readonly CeleryEvent[] }, void, undefined> {
  for (let at = 0; at < entries.length; at += TASKS_AT_ONCE) {
    const some = entries.slice(at, at + TASKS_AT_ONCE);
    const ids = some.map(({ task }) => task.uuid);
    const events = await readEvents(client, ids);
    for (const entry of some) yield { entry, events: events.get(entry.task.uuid) ?? [] };
  }
}

function tellsAll(merged: TaskState, known: TaskState): boolean {
  return known.mark === null && ['name' as const, ...TIMES].every((key) => known[key] === null || merged[key] !== null);
}

async function readEvents(client: ClientBase, ids: readonly string[]): Promise<Map<string, CeleryEvent[]>> {
  const { rows } = await client.query<EventRow>({
    name: 'umbel-late-events',
    text: `select * from (
        select task_id, type, worker, timestamp, clock::float8 as clock, identity::float8 as identity,
          (extract(epoch from received_at) * 1000)::float8 as received_ms, fields, count(*) over (partition by task_id) as n
        from celery_task_events where task_id = any($1::text[]) and type like 'task-%'
      ) events where n <= ${MOST_EVENTS}`,
    values: [ids],
  });
  const events = new Map<string, CeleryEvent[]>();
  for (const row of rows) {
    const event = eventOf(row);
    const others = events.get(event.uuid);
    if (others === undefined) events.set(event.uuid, [event]);
    else others.push(event);
  }
  return events;
}

function eventOf({
  task_id: uuid,
  type,
  worker,
  timestamp,
  clock,
  identity,
  received_ms,
  fields,
}: EventRow): CeleryEvent {
  const head = { type, group: 'task' as const, subject: type.slice('task-'.length), hostname: worker, uuid };
  return { ...head, timestamp, clock, identity, receivedMs: received_ms, fields: fields ?? {} };
}
