import type { Task } from '../../shared/api';

export type Row = Partial<Task> & Pick<Task, 'taskId' | 'state'>;

export interface HeldRows {
  readonly rows: readonly Row[];
  /** Rows that came meanwhile and are not shown yet */
  readonly fresh: number;
}

/**
 * Keeps the order that somebody is reading while tasks come and go: the same tasks in the same places, with what is known
 * of them now. What is new waits until it is let in.
 *
 * @param held what was shown when the reading began; undefined: nobody reads
 */
export function holdRows(held: readonly Row[] | undefined, latest: readonly Row[]): HeldRows {
  if (held === undefined) {
    return { rows: latest, fresh: 0 };
  }
  const now = new Map(latest.map((row) => [row.taskId, row]));
  const shown = new Set(held.map(({ taskId }) => taskId));
  // Further pages are loaded below what is read: they come in at the end without moving it.
  const known = latest.map(({ taskId }) => shown.has(taskId));
  const lastShown = known.lastIndexOf(true);
  const below = lastShown < 0 ? [] : latest.slice(lastShown + 1);
  const fresh = known.slice(0, lastShown < 0 ? undefined : lastShown + 1).filter((isKnown) => !isKnown).length;
  return { rows: [...held.map((row) => now.get(row.taskId) ?? row), ...below], fresh };
}
