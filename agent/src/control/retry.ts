import { ControlRefused } from '../core/control/command.ts';
import { suggestion } from '../core/control/near.ts';
import type { RetryOutcome, RetryPlan, TaskArguments, TaskOptions, WorkerInspection } from '../core/control/service.ts';
import { isMasked, type Masker } from '../core/mask/mask.ts';
import type { TaskRecord } from '../core/query/records.ts';
import { FAILURE, REJECTED, REVOKED, SUCCESS } from '../core/state/states.ts';
import { findArguments, type FoundArguments, type SourceDeps } from './argument-sources.ts';
import type { KnownQueues } from './queues.ts';
import type { TaskSender } from './sender.ts';

/** States in which a task may be sent again: nothing of the first one is under way. */
export const FINISHED: readonly string[] = [SUCCESS, FAILURE, REVOKED, REJECTED];

export interface RetryDeps extends SourceDeps {
  readonly sender: TaskSender;
  readonly queues: KnownQueues;
  readonly inspections: () => ReadonlyMap<string, WorkerInspection>;
  readonly defaultQueue: string;
  readonly masker: Masker;
  readonly onReplaced: (orphan: TaskRecord, newTaskId: string) => void;
}

/** Sends finished and orphaned tasks again, as new tasks with the arguments they really had. */
export class Retrier {
  readonly #deps: RetryDeps;

  constructor(deps: RetryDeps) {
    this.#deps = deps;
  }

  /**
   * As `ControlService.planRetry`: secrets in the arguments are masked where they are shown. A `queue` of null: it is
   * not known, and has to be given.
   */
  async plan(task: TaskRecord, edited?: Partial<TaskArguments>): Promise<RetryPlan> {
    return this.#masked(await this.#plan(task, edited));
  }

  async #plan(task: TaskRecord, edited: Partial<TaskArguments> = {}, given?: string): Promise<RetryPlan> {
    if (!FINISHED.includes(task.state) && task.orphaned === null) {
      throw refused(
        `The task is ${task.state}: only finished ones (${FINISHED.join(', ')}) and orphaned ones can be sent again. Wait for its end, or revoke it first.`,
      );
    }
    requireUnmasked(edited);
    const found = await this.#arguments(task, edited);
    const name = found.name ?? task.name;
    if (name === null || name === '') {
      throw refused('No event told the name of this task; send it as a new task instead, with its name typed by hand.');
    }
    const { argsJson, kwargsJson, source } = found;
    const queue = given ?? (await this.#queueOf(task, name, found));
    this.#requireRegistered(name, queue);
    return { taskId: task.taskId, name, queue, argsJson, kwargsJson, source };
  }

  /** As `ControlService.retry`. A task that cannot be sent again is an outcome; a broker that is away an exception. */
  async retry(task: TaskRecord, edited?: Partial<TaskArguments>, options: TaskOptions = {}): Promise<RetryOutcome> {
    const { taskId } = task;
    try {
      const plan = await this.#plan(task, edited, options.queue);
      const queue = requireQueue(plan);
      const { name, argsJson, kwargsJson } = plan;
      if (options.taskId === taskId) throw refused('taskId: the new task needs an id of its own.');
      const newTaskId = await this.#deps.sender.send({ name, argsJson, kwargsJson, options: { ...options, queue } });
      if (task.orphaned !== null) this.#deps.onReplaced(task, newTaskId);
      return { taskId, ok: true, newTaskId, plan: this.#masked({ ...plan, queue }) };
    } catch (error) {
      if (error instanceof ControlRefused) return { taskId, ok: false, reason: error.message };
      throw error;
    }
  }

  #masked(plan: RetryPlan): RetryPlan {
    const { masker } = this.#deps;
    return { ...plan, argsJson: masker.text(plan.argsJson), kwargsJson: masker.text(plan.kwargsJson) };
  }

  async #arguments(task: TaskRecord, edited: Partial<TaskArguments>): Promise<FoundArguments> {
    const { argsJson, kwargsJson } = edited;
    if (argsJson !== undefined && kwargsJson !== undefined) return { argsJson, kwargsJson, source: 'edited' };
    const found = await findArguments(task, this.#deps);
    if ('reasons' in found) {
      throw refused(
        `The arguments of this task are not known in full: ${found.reasons.join('; ')}. Type args and kwargs by hand to send it again.`,
      );
    }
    if (argsJson === undefined && kwargsJson === undefined) return found;
    return {
      ...found,
      ...(argsJson !== undefined ? { argsJson } : { kwargsJson: kwargsJson ?? '{}' }),
      source: 'edited',
    };
  }

  /**
   * Where it went; a routing key only where it is the name of a queue too. Without `task_send_sent_event` no event tells
   * it, but it was one of the queues of its worker. Null where that leaves several.
   */
  async #queueOf(task: TaskRecord, name: string, found: FoundArguments): Promise<string | null> {
    const { queue, exchange, routingKey, worker } = task;
    if (queue !== null && queue !== '') return queue;
    const { queues, sender, defaultQueue } = this.#deps;
    const declared = queues.declared();
    // The key of a delayed task begins with 28 digits of its delay (kombu/transport/native_delayed_delivery.py).
    const keys = [found.queue, exchange?.startsWith('celery_delayed_') === true ? undefined : routingKey];
    const told = keys.find((key): key is string => typeof key === 'string' && key !== '' && declared.has(key));
    if (told !== undefined) return told;
    const consumed = worker === null ? undefined : queues.consumedBy(worker);
    const candidates = consumed ?? declared;
    const [only] = candidates;
    if (only !== undefined && candidates.size === 1) return only;
    const last = await sender.lastQueueOf(name, candidates);
    return last ?? (candidates.size === 0 ? defaultQueue : null);
  }

  /** A name that nobody has registered is rejected by the worker, and the task is lost. */
  #requireRegistered(name: string, queue: string | null): void {
    const { inspections, sender } = this.#deps;
    if (sender.knowsTask(name) === false) {
      throw refused(
        `No worker has registered a task '${name}': it may be the display name (shadow) of another, or its worker is gone${suggestion(name, sender.taskNames())}`,
      );
    }
    if (queue === null) return;
    const consumers = [...inspections().values()].filter(
      ({ active_queues: queues, registered }) =>
        registered !== undefined && queues?.some((consumed) => consumed['name'] === queue) === true,
    );
    const knows = (texts: readonly string[] = []): boolean =>
      texts.some((text) => text === name || text.startsWith(`${name} [`));
    if (consumers.length === 0 || name.startsWith('celery.')) return;
    if (consumers.some(({ registered }) => knows(registered))) return;
    throw refused(`No worker that consumes the queue '${queue}' has registered '${name}'; choose another queue.`);
  }
}

/**
 * The queue of a plan; a guess might be run by a worker that was never meant to.
 * @throws ControlRefused `not-retryable`, field `queue`
 */
export function requireQueue({ queue }: RetryPlan): string {
  if (queue !== null) return queue;
  throw new ControlRefused(
    'not-retryable',
    'queue: no event told which queue this task was sent to, and it may have been any of several; give one (task_send_sent_event = True in the Celery app tells it from now on).',
    'queue',
  );
}

function refused(message: string): ControlRefused {
  return new ControlRefused('not-retryable', message);
}

/** A mask typed back is a secret lost. */
function requireUnmasked({ argsJson, kwargsJson }: Partial<TaskArguments>): void {
  for (const [field, text] of [
    ['args', argsJson],
    ['kwargs', kwargsJson],
  ] as const) {
    if (text === undefined || !isMasked(text)) continue;
    throw new ControlRefused(
      'not-retryable',
      `${field}: a secret in it is masked; put the real value in its place.`,
      field,
    );
  }
}
