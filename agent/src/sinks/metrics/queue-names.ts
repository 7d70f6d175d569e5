import type { TaskState } from '../../core/state/task.ts';
import { labelText } from './label-text.ts';

/** Task names whose queue is remembered. */
const MAX_NAMES = 10_000;

/**
 * The queue of a task, although workers' events tell none: its own task-sent, else the last queue of a task of this
 * name, else the only queue that its worker consumes, else the default.
 */
export class QueueNames {
  readonly #default: string;
  /** Last queue a task-sent told, by task name. */
  readonly #ofName = new Map<string, string>();
  #onlyOfWorker: ReadonlyMap<string, string> = new Map();

  constructor(defaultQueue: string) {
    this.#default = defaultQueue;
  }

  /** Call at each task-sent. */
  learn(task: TaskState): void {
    const { queue, name } = task;
    if (typeof queue !== 'string' || queue === '' || typeof name !== 'string') return;
    const label = labelText(name);
    if (this.#ofName.get(label) === queue) return;
    if (this.#ofName.size >= MAX_NAMES) this.#ofName.clear();
    this.#ofName.set(label, labelText(queue));
  }

  /** Which queues each worker consumes, as last told. */
  consumed(queuesOfWorker: Iterable<readonly [worker: string, queues: readonly string[]]>): void {
    const only = new Map<string, string>();
    for (const [worker, [queue, ...others]] of queuesOfWorker) {
      if (queue !== undefined && others.length === 0) only.set(worker, labelText(queue));
    }
    this.#onlyOfWorker = only;
  }

  /** Label value. */
  of({ queue, name, worker }: TaskState): string {
    if (typeof queue === 'string' && queue !== '') return labelText(queue);
    const known = typeof name === 'string' ? this.#ofName.get(labelText(name)) : undefined;
    if (known !== undefined) return known;
    return (worker === null ? undefined : this.#onlyOfWorker.get(worker)) ?? this.#default;
  }
}
