import { ControlRefused } from '../core/control/command.ts';
import { suggestion } from '../core/control/near.ts';
import type { QueueDepth, WorkerInspection } from '../core/control/service.ts';
import type { TaskQueues } from '../transport/port.ts';

export interface QueuesDeps {
  readonly tasks: TaskQueues;
  readonly inspections: () => ReadonlyMap<string, WorkerInspection>;
  readonly configured: readonly string[];
  readonly defaultQueue: string;
  /** When a task was published, epoch ms; undefined where that was not heard. */
  readonly sentMs: (taskId: string) => number | undefined;
}

/** The queues of the cluster, put together from who knows of them. */
export class KnownQueues {
  readonly #deps: QueuesDeps;

  constructor(deps: QueuesDeps) {
    this.#deps = deps;
  }

  /** Consumed by a worker that was inspected, or configured. */
  declared(): Set<string> {
    const names = new Set(this.#deps.configured);
    for (const { active_queues: queues = [] } of this.#deps.inspections().values()) {
      for (const { name } of queues) if (typeof name === 'string') names.add(name);
    }
    return names;
  }

  /** By what the worker told; undefined where it was not inspected. */
  consumedBy(worker: string): ReadonlySet<string> | undefined {
    const queues = this.#deps.inspections().get(worker)?.active_queues;
    return queues && new Set(queues.flatMap(({ name }) => (typeof name === 'string' ? [name] : [])));
  }

  /** Sorted; the default queue alone where nobody knows of any, as Flower does. */
  async names(): Promise<string[]> {
    const names = this.declared();
    for (const name of await this.#deps.tasks.names()) names.add(name);
    if (names.size === 0) names.add(this.#deps.defaultQueue);
    return [...names].sort();
  }

  async depths(): Promise<readonly QueueDepth[]> {
    const depths = await this.#deps.tasks.depths(await this.names());
    return depths.map((depth) => this.#aged(depth));
  }

  /** A message that is next has waited since its task was published, which is longer than it is seen to be next. */
  #aged({ nextIds = [], ...depth }: QueueDepth): QueueDepth {
    const instants = [depth.oldestMs, ...nextIds.map((id) => this.#deps.sentMs(id))].filter((ms) => ms !== undefined);
    return instants.length === 0 ? depth : { ...depth, oldestMs: Math.min(...instants) };
  }

  /**
   * A misspelt queue name makes a new list on Redis that nobody ever reads: refuses names that neither a worker nor the
   * broker knows. While nothing at all is known, every name passes.
   *
   * @throws ControlRefused `unknown-queue`, BrokerUnavailable
   */
  async require(queue: string): Promise<void> {
    const known = this.declared();
    if (known.has(queue)) return;
    for (const name of await this.#deps.tasks.names()) known.add(name);
    if (known.size === 0 || known.has(queue)) return;
    const [depth] = await this.#deps.tasks.depths([queue]);
    if ((depth?.messages ?? 0) > 0 || (depth?.consumers ?? 0) > 0) return;
    throw new ControlRefused(
      'unknown-queue',
      `No worker consumes the queue '${queue}', and the broker does not know it${suggestion(queue, [...known])}`,
      'queue',
    );
  }
}
