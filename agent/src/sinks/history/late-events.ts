import type { ClientBase } from 'pg';
import type { CeleryEvent } from '../../core/events/event.ts';
import { inHeardOrder } from '../../core/state/heard-order.ts';
import { mergeTaskEvent, TaskState } from '../../core/state/task.ts';
import { type TaskEntry, TIMES } from './task-rows.ts';

/** Tasks whose events are read at once. */
const TASKS_AT_ONCE = 200;
/** A task of more events stays as they were merged and counted when they came. */
const MOST_EVENTS = 250;

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
