import type { ClientBase } from 'pg';
import { applyFinding, findingEvent, isStill, type Finding } from '../../core/heal/finding.ts';
import type { Settled } from '../../core/heal/store.ts';
import { dayOf, saneSeconds } from './days.ts';
import { NameBatch } from './name-rows.ts';
import { keyId } from './safe-values.ts';
import { takeTasks } from './task-memory.ts';
import { appendTask, newTaskEntry, type TaskEntry } from './task-rows.ts';
import {
  encodeEvents,
  insertNew,
  newRows,
  replacedBy,
  storeTasks,
  type WriteRows,
  type WriterState,
} from './transaction.ts';

export interface StoredFindings {
  /** Those whose task was still as it had been looked at. */
  readonly applied: readonly Settled[];
  /** Texts of their tasks that were cut. */
  readonly cutTexts: number;
  /** Settles when Postgres has carried out what was sent. */
  readonly sent: Promise<unknown>;
  /** To be called after the commit. */
  remember(): void;
}

/** UTC day by which the row of a task is kept that nobody had heard of. */
export function dayOfFinding({ verdict, foundAt }: Finding): number {
  return dayOf(saneSeconds((verdict.kind === 'healed' ? verdict.at : null) ?? foundAt));
}

/**
 * Puts findings into their tasks in the client's open transaction, and adds them to the timelines. It runs in the
 * writers' turn, where no event is on its way between the look at the task and the write.
 */
export async function storeFindings(
  client: ClientBase,
  state: WriterState,
  findings: readonly Finding[],
): Promise<StoredFindings> {
  const { memory, recall, limits } = state;
  const entries = await takeTasks(client, state, new Set(findings.map(({ taskId }) => keyId(taskId))));

  const names = new NameBatch(state.namesSeen);
  const changed = new Set<TaskEntry>();
  const applied = findings.flatMap((finding): Settled[] => {
    const id = keyId(finding.taskId);
    const entry = entries.get(id) ?? newTaskEntry(id, dayOfFinding(finding));
    if (!isStill(entries.has(id) ? entry.task : undefined, finding)) return [];
    entries.set(id, entry);
    applyFinding(entry.task, finding);
    names.add(entry.task.name, finding.foundAt * 1000);
    changed.add(entry);
    return [{ finding, task: entry.task }];
  });

  const rows = newRows();
  for (const entry of changed) appendTask(rows.tasks, entry, limits);
  await storeTasks(client, rows.tasks, replacedBy([...changed]));
  await addToTimelines(client, state, rows, applied);
  return {
    applied,
    cutTexts: rows.tasks.cut,
    sent: names.store(client),
    remember: () => {
      for (const entry of changed) {
        if (!entry.stored) recall.add(entry.task.uuid);
        entry.stored = true;
      }
      for (const entry of entries.values()) memory.put(entry);
      memory.trim();
      names.remember();
    },
  };
}

async function addToTimelines(
  client: ClientBase,
  { limits }: WriterState,
  rows: WriteRows,
  settled: readonly Settled[],
): Promise<void> {
  const events = settled.map(({ finding }) => findingEvent(finding));
  await encodeEvents(rows, events, limits);
  await insertNew(client, rows, events);
}
