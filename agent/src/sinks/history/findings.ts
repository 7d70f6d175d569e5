import type { ClientBase } from 'pg';
import { applyFinding, findingEvent, isStill, type Finding } from '../../core/heal/finding.ts';
import type { Settled } from '../../core/heal/store.ts';
import { dayOf, saneSeconds } from './days.ts';
import { NameBatch } from './name-rows.ts';
import { RowBuffer } from './row-buffer.ts';
import { keyId } from './safe-values.ts';
import { takeTasks } from './task-memory.ts';
import { appendTask, newTaskEntry, type TaskEntry } from './task-rows.ts';
import { encodeEvents, insertNew, storeTasks, type WriterState } from './transaction.ts';

export interface StoredFindings {
  /** Those whose task was still as it had been looked at. */
  readonly applied: readonly Settled[];
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
  const { memory, recall, limits, taskRows } = state;
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

  taskRows.clear();
  for (const entry of changed) appendTask(taskRows, entry, limits);
  await storeTasks(client, taskRows, [...changed]);
  await addToTimelines(client, state, applied);
  return {
    applied,
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

async function addToTimelines(client: ClientBase, { limits }: WriterState, settled: readonly Settled[]): Promise<void> {
  const events = settled.map(({ finding }) => findingEvent(finding));
  const rows = { taskEvents: new RowBuffer(), workerEvents: new RowBuffer() };
  await encodeEvents(rows, events, limits);
  await insertNew(client, rows, events);
}
