import { isReady } from './states.ts';
import type { TaskState } from './task.ts';

/** A map's insertion order is its order of use here: what is used goes to its end. */
export class TaskWindow {
  readonly #open = new Map<string, TaskState>();
  readonly #finished = new Map<string, TaskState>();
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

  get(uuid: string): TaskState | undefined {
    return this.#open.get(uuid) ?? this.#finished.get(uuid);
  }

  /** Puts the task where its state belongs, as the last used; drops the least recently used one above the limit. */
  put(task: TaskState): void {
    const { uuid } = task;
    if (!this.#open.delete(uuid)) this.#finished.delete(uuid);
    if (isReady(task.state)) {
      this.#finished.set(uuid, task);
      if (this.#finished.size > this.#finishedLimit) this.evictedFinished += dropFirst(this.#finished);
    } else {
      this.#open.set(uuid, task);
      if (this.#open.size > this.#openLimit) this.evictedOpen += dropFirst(this.#open);
    }
  }
}

function dropFirst(tasks: Map<string, TaskState>): number {
  for (const uuid of tasks.keys()) {
    tasks.delete(uuid);
    return 1;
  }
  return 0;
}
