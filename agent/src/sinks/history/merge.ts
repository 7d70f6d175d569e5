import type { ClientBase } from 'pg';
import type { CeleryEvent } from '../../core/events/event.ts';
import { mayBeLate, mergeTaskEvent } from '../../core/state/task.ts';
import { dayOf, saneSeconds } from './days.ts';
import { mergeAnew } from './late-events.ts';
import { isNameless } from './late-names.ts';
import type { Recall } from './recall.ts';
import { keyId } from './safe-values.ts';
import { takeTasks, type TaskMemory } from './task-memory.ts';
import { newTaskEntry, type TaskEntry } from './task-rows.ts';

export interface Merged {
  /** Every task that an event is about. */
  readonly entries: readonly TaskEntry[];
  /** The task of each event, in the order of the events. */
  readonly byEvent: readonly TaskEntry[];
  /** Those whose name these events are the first to tell. */
  readonly named: readonly TaskEntry[];
}

interface Touched {
  readonly id: string;
  entry: TaskEntry | undefined;
  /** An event was merged after one that may have been sent later. */
  isLate: boolean;
}

/**
 * Merges task events that the client's open transaction has stored into their tasks, which it takes out of the memory or
 * reads. Rejects with Postgres' error.
 *
 * @param reordered ids of tasks to be merged anew, for their stored events have another order now
 */
export async function mergeEvents(
  client: ClientBase,
  held: { readonly memory: TaskMemory; readonly recall: Recall },
  events: readonly CeleryEvent[],
  reordered: ReadonlySet<string>,
): Promise<Merged> {
  const { touched, touchedBy } = tasksOf(events, reordered);
  const known = await takeTasks(client, held, touched.keys());
  const nameless: Touched[] = [];
  for (const one of touched.values()) {
    one.entry = known.get(one.id);
    if (one.entry !== undefined && isNameless(one.entry)) nameless.push(one);
  }
  events.forEach((event, index) => merge(event, touchedBy[index]));
  await mergeLate(client, touched.values());
  const named = entriesOf(nameless).filter(({ task }) => typeof task.name === 'string');
  return { entries: entriesOf(touched.values()), byEvent: entriesOf(touchedBy), named };
}

/**
 * The same without a connection: undefined, and nothing is changed, where a task or its events would have to be read. The
 * entries are taken out of the memory.
 */
export function mergeHeld(
  { memory, recall }: { readonly memory: TaskMemory; readonly recall: Recall },
  events: readonly CeleryEvent[],
): Merged | undefined {
  const { touched, touchedBy } = tasksOf(events);
  for (const { id } of touched.values()) {
    const entry = memory.peek(id);
    if (entry === undefined ? !recall.isNew(id) : entry.isShared || isNameless(entry)) return undefined;
  }
  for (const one of touched.values()) one.entry = memory.take(one.id);
  events.forEach((event, index) => merge(event, touchedBy[index]));
  return { entries: entriesOf(touched.values()), byEvent: entriesOf(touchedBy), named: [] };
}

function tasksOf(
  events: readonly CeleryEvent[],
  reordered: ReadonlySet<string> = new Set(),
): {
  readonly touched: ReadonlyMap<string, Touched>;
  readonly touchedBy: readonly Touched[];
} {
  const touched = new Map<string, Touched>();
  for (const id of reordered) touched.set(id, { id, entry: undefined, isLate: true });
  const touchedBy = events.map(({ uuid }) => {
    const id = keyId(uuid);
    let one = touched.get(id);
    if (one === undefined) {
      one = { id, entry: undefined, isLate: false };
      touched.set(id, one);
    }
    return one;
  });
  return { touched, touchedBy };
}

function entriesOf(touched: Iterable<Touched>): TaskEntry[] {
  const entries: TaskEntry[] = [];
  for (const { entry } of touched) if (entry !== undefined) entries.push(entry);
  return entries;
}

function merge(event: CeleryEvent, one: Touched | undefined): void {
  if (one === undefined) return;
  one.entry ??= newTaskEntry(one.id, dayOf(saneSeconds(event.timestamp)));
  one.isLate ||= one.entry.isShared && mayBeLate(one.entry.task, event);
  mergeTaskEvent(one.entry.task, event);
}

async function mergeLate(client: ClientBase, touched: Iterable<Touched>): Promise<void> {
  const late = [...touched].filter(({ isLate }) => isLate);
  const anew = await mergeAnew(client, entriesOf(late));
  for (const one of late) one.entry = anew.get(one.id) ?? one.entry;
}
