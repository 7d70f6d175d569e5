import { OrderedTable } from './ordered-table.ts';
import { isReady } from './states.ts';
import type { TaskState } from './task.ts';

/**
 * Open tasks in the order in which they were first heard of, finished ones in the order in which they ended. Moving a
 * task at each event, to drop the least recently used one, took a tenth of all the time spent on an event.
 */
export class TaskWindow {
  readonly #open = new OrderedTable<TaskState>();
  readonly #finished = new OrderedTable<TaskState>();
  readonly #openLimit: number;
  readonly #finishedLimit: number;
  evictedOpen = 0;
  evictedFinished = 0;

  constructor(openLimit: number, finishedLimit: number) {
    this.#openLimit = openLimit;
    this.#finishedLimit = finishedLimit;
  }

  get openCount(): number {
    return this.#open.size;
  }

  get finishedCount(): number {
    return this.#finished.size;
  }

  /** Those that have not ended. */
  open(): Iterable<TaskState> {
    return this.#open.values();
  }

  forgetOpen(): void {
    this.#open.clear();
  }

  get(uuid: string): TaskState | undefined {
    return this.#open.get(uuid) ?? this.#finished.get(uuid);
  }

  /** Puts in a new task. */
  add(task: TaskState): void {
    if (isOver(task)) {
      this.#finished.set(task.uuid, task);
      this.evictedFinished += dropOldest(this.#finished, this.#finishedLimit);
    } else {
      this.#open.set(task.uuid, task);
      this.evictedOpen += dropOldest(this.#open, this.#openLimit);
    }
  }

  /** Moves a held task where its state belongs. */
  moved(task: TaskState, wasOver: boolean): void {
    const isNowOver = isOver(task);
    if (isNowOver === wasOver) return;
    (isNowOver ? this.#open : this.#finished).delete(task.uuid);
    this.add(task);
  }
}

/** Ended, or nobody works on it any more. */
export function isOver({ state, mark }: TaskState): boolean {
  return isReady(state) || (mark !== null && mark.kind !== 'healed');
}

/** Drops the oldest down to the limit; returns how many went. */
function dropOldest(tasks: OrderedTable<TaskState>, limit: number): number {
  const surplus = Math.max(0, tasks.size - limit);
  for (let left = surplus; left > 0; left--) tasks.shift();
  return surplus;
}
