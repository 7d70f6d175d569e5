import { randomUUID } from 'node:crypto';
import { pid } from 'node:process';
import { ControlRefused } from '../core/control/command.ts';
import type { NewTask, WorkerInspection } from '../core/control/service.ts';
import { checkTaskText } from '../core/control/task-text.ts';
import type { HistoryReader } from '../core/query/reader.ts';
import { buildTaskMessage, type TaskMessage } from '../core/wire/task-message.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { TaskQueues } from '../transport/port.ts';
import type { KnownQueues } from './queues.ts';

/** Largest arguments, bytes: what Redis or RabbitMQ carry without trouble. */
const MAX_ARGUMENTS = 16 << 20;
/** Latest tasks of a name that are asked for their queue. */
const LATEST = 10;
/** Tasks every Celery app has and `registered` leaves out (celery/app/builtins.py). */
const BUILTIN = /^celery\.(accumulate|backend_cleanup|chain|chord|chord_unlock|chunks|group|map|starmap|ping)$/;

export interface SenderDeps {
  readonly tasks: TaskQueues;
  readonly queues: KnownQueues;
  readonly inspections: () => ReadonlyMap<string, WorkerInspection>;
  readonly history: HistoryReader | undefined;
  readonly defaultQueue: string;
  readonly origin: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Puts new tasks into queues. */
export class TaskSender {
  readonly #deps: SenderDeps;
  #lamport = 0;

  constructor(deps: SenderDeps) {
    this.#deps = deps;
  }

  /** As `ControlService.send`. */
  async send(task: NewTask, unnamed: 'last' | 'default-queue' = 'last'): Promise<string> {
    const { options } = task;
    checkTaskText('name', task.name);
    if (options.taskId !== undefined) checkTaskText('taskId', options.taskId);
    if (options.queue !== undefined) checkTaskText('queue', options.queue);
    if (task.argsJson.length + task.kwargsJson.length > MAX_ARGUMENTS) {
      throw new ControlRefused('bad-argument', `args: more than ${MAX_ARGUMENTS >> 20} MiB cannot be sent.`, 'args');
    }
    const id = options.taskId ?? randomUUID();
    const message = buildTaskMessage(task, { id, origin: this.#deps.origin, nowMs: this.#deps.clock.now() });
    const queue = options.queue ?? (unnamed === 'last' ? await this.queueOf(task.name) : this.#deps.defaultQueue);
    await this.#deps.queues.require(queue);
    await this.#deps.tasks.publish(message, queue);
    this.#announce(message, queue);
    return id;
  }

  /**
   * As a publisher of Celery with `task_send_sent_event` (celery/app/amqp.py): else nobody knew of the task before a
   * worker has it, and nobody its queue. The task is sent whether this succeeds or not.
   */
  #announce({ id, name, headers }: TaskMessage, queue: string): void {
    const { tasks, origin, clock, logger } = this.#deps;
    const event = {
      ...{ type: 'task-sent', hostname: origin, pid, clock: ++this.#lamport, utcoffset: 0 },
      ...{ timestamp: clock.now() / 1000, uuid: id, name, args: headers['argsrepr'], kwargs: headers['kwargsrepr'] },
      ...{ retries: 0, eta: headers['eta'], expires: headers['expires'] },
      ...{ root_id: headers['root_id'], parent_id: headers['parent_id'] },
      ...{ queue, exchange: '', routing_key: queue },
    };
    tasks
      .announce(event)
      .catch((error: unknown) => logger.debug({ err: error }, 'no event told of a task that was sent'));
  }

  /** Where tasks of this name went last, as far as the queue is still consumed; else the default queue. */
  async queueOf(name: string): Promise<string> {
    return (await this.lastQueueOf(name, this.#deps.queues.declared())) ?? this.#deps.defaultQueue;
  }

  /** That one of `among` to which tasks of this name went last; undefined where the history tells none. */
  async lastQueueOf(name: string, among: ReadonlySet<string>): Promise<string | undefined> {
    const { history, logger } = this.#deps;
    if (history === undefined) return undefined;
    try {
      const page = await history.searchTasks({ names: [name] }, { key: 'timestamp', descending: true }, LATEST);
      return page.tasks.find(({ queue }) => queue !== null && among.has(queue))?.queue ?? undefined;
    } catch (error) {
      logger.debug({ err: error }, 'the history cannot tell the queue of a task');
      return undefined;
    }
  }

  /** As `ControlService.knowsTask`. */
  knowsTask(name: string): boolean | undefined {
    const inspected = [...this.#deps.inspections().values()].filter(({ registered }) => registered !== undefined);
    if (inspected.length === 0) return undefined;
    return BUILTIN.test(name) || inspected.some(({ registered = [] }) => registered.some((text) => isTask(text, name)));
  }

  /** Every name that some inspected worker has registered, sorted. */
  taskNames(): string[] {
    const names = new Set<string>();
    for (const { registered = [] } of this.#deps.inspections().values()) {
      for (const text of registered) names.add(text.split(' [', 1)[0] ?? text);
    }
    return [...names].sort();
  }
}

/** `registered` tells a name, or `name [rate_limit=10/m]` (celery/worker/control.py `registered`). */
function isTask(text: string, name: string): boolean {
  return text === name || text.startsWith(`${name} [`);
}
