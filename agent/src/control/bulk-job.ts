import { ControlRefused } from '../core/control/command.ts';
import { MAX_TASK_IDS } from '../core/control/commands.ts';
import type { BulkProgress, BulkRequest } from '../core/control/service.ts';
import type { TaskRecord } from '../core/query/records.ts';
import { assertNever } from '../lib/assert-never.ts';
import type { HistoryReader } from '../core/query/reader.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { Caller } from './calls.ts';
import { requireQueue, type Retrier } from './retry.ts';

/** Tasks looked up, or sent again, at the same time. */
const AT_ONCE = 8;
/** Rows of the answer. */
const MOST_ROWS = 1000;
/** Workers of Celery 5.6 and later write each revoked id into the result backend before they answer, ms. */
const REVOKE_TIMEOUT_MS = 30_000;

export interface BulkDeps {
  readonly history: HistoryReader | undefined;
  readonly retrier: Retrier;
  readonly caller: Caller;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface BulkTask {
  readonly taskId: string;
  readonly name: string | null;
  readonly state: string;
}

/** One bulk action: what it will hit is known, and is worked off once. */
export class BulkJob {
  readonly id: string;
  readonly ended: Promise<void>;
  readonly #request: BulkRequest;
  readonly #tasks: readonly BulkTask[];
  readonly #deps: BulkDeps;
  readonly #outcomes = new Map<string, string>();
  readonly #startedMs: number;
  #state: BulkProgress['state'] = 'running';
  #problem: string | undefined;
  #done = 0;
  #failed = 0;
  #endedMs: number | undefined;
  #resolveEnded: () => void = () => undefined;

  constructor(id: string, request: BulkRequest, tasks: readonly BulkTask[], deps: BulkDeps) {
    this.id = id;
    this.#request = request;
    this.#tasks = tasks;
    this.#deps = deps;
    this.#startedMs = deps.clock.now();
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
  }

  /** Undefined while it runs. */
  get endedMs(): number | undefined {
    return this.#endedMs;
  }

  /** To be called once. Never rejects. */
  async run(): Promise<void> {
    try {
      await this.#work();
      if (this.#state === 'running') this.#state = 'done';
    } catch (error) {
      this.#state = 'failed';
      this.#problem = error instanceof Error ? error.message : String(error);
      this.#deps.logger.warn({ err: error, bulk: this.id }, 'a bulk action failed');
    } finally {
      this.#endedMs = this.#deps.clock.now();
      this.#resolveEnded();
    }
  }

  /** Nothing further is begun. */
  cancel(): void {
    if (this.#endedMs === undefined) this.#state = 'cancelled';
  }

  progress(): BulkProgress {
    const { action, dryRun } = this.#request;
    return {
      id: this.id,
      action,
      state: this.#state,
      dryRun,
      matched: this.#tasks.length,
      done: this.#done,
      failed: this.#failed,
      tasks: this.#tasks.slice(0, MOST_ROWS).map((task) => this.#row(task)),
      ...(this.#problem !== undefined && { problem: this.#problem }),
      startedMs: this.#startedMs,
      ...(this.#endedMs !== undefined && { endedMs: this.#endedMs }),
    };
  }

  #row(task: BulkTask): BulkProgress['tasks'][number] {
    const outcome = this.#outcomes.get(task.taskId);
    return outcome === undefined ? task : { ...task, outcome };
  }

  async #work(): Promise<void> {
    const { action, dryRun } = this.#request;
    switch (action) {
      case 'revoke':
        if (!dryRun) await this.#revokeAll();
        return;
      case 'retry':
        await this.#retryAll();
        return;
      default:
        assertNever('bulk action', action);
    }
  }

  async #revokeAll(): Promise<void> {
    for (let at = 0; at < this.#tasks.length && this.#state === 'running'; at += MAX_TASK_IDS) {
      await this.#revoke(this.#tasks.slice(at, at + MAX_TASK_IDS).map(({ taskId }) => taskId));
    }
  }

  /** Every worker is told: a revoke lives in the memory of each, and the task may go to any of them. */
  async #revoke(ids: readonly string[]): Promise<void> {
    const { terminate = false, signal = 'SIGTERM' } = this.#request;
    const { answers, silent } = await this.#deps.caller.call(
      {
        method: 'revoke',
        arguments: { task_id: ids, terminate, ...(terminate && { signal }) },
        target: { kind: 'all' },
      },
      { timeoutMs: REVOKE_TIMEOUT_MS },
    );
    const obeyed = answers.filter((answer) => answer.ok);
    const said = obeyed.map((answer) => JSON.stringify(answer.reply)).join();
    const refusal = answers.find((answer) => !answer.ok);
    const missing = silent.length === 0 ? '' : `, no answer from ${silent.join(', ')}`;
    for (const id of ids) {
      if (obeyed.length > 0)
        this.#succeed(id, `${terminate && said.includes(id) ? 'terminated' : 'revoked'}${missing}`);
      else this.#fail(id, refusal === undefined ? 'no worker answered' : `${refusal.worker}: ${refusal.error}`);
    }
  }

  async #retryAll(): Promise<void> {
    const left = [...this.#tasks].reverse();
    const next = async (): Promise<void> => {
      for (let task = left.pop(); task !== undefined && this.#state === 'running'; task = left.pop()) {
        await this.#retry(task.taskId);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, next));
  }

  /** By what the history tells now: somebody may have sent it again meanwhile. */
  async #retry(taskId: string): Promise<void> {
    const { history, retrier } = this.#deps;
    const task = await history?.findTask(taskId);
    if (task === undefined) this.#fail(taskId, 'the history does not hold it any more');
    else if (this.#request.dryRun) await this.#plan(task);
    else await this.#send(task, retrier);
  }

  async #plan(task: TaskRecord): Promise<void> {
    try {
      const plan = await this.#deps.retrier.plan(task);
      requireQueue(plan);
      this.#succeed(task.taskId, `arguments from ${SOURCES[plan.source]}`);
    } catch (error) {
      if (!(error instanceof ControlRefused)) throw error;
      this.#fail(task.taskId, error.message);
    }
  }

  async #send(task: TaskRecord, retrier: BulkDeps['retrier']): Promise<void> {
    try {
      const outcome = await retrier.retry(task);
      if (outcome.ok) this.#succeed(task.taskId, `sent as ${outcome.newTaskId}`);
      else this.#fail(task.taskId, outcome.reason);
    } catch (error) {
      // Without a broker every further one would fail too, so the first failure ends them all.
      this.#fail(task.taskId, error instanceof Error ? error.message : String(error));
      throw error;
    }
  }

  #succeed(taskId: string, outcome: string): void {
    this.#done++;
    this.#outcomes.set(taskId, outcome);
  }

  #fail(taskId: string, reason: string): void {
    this.#failed++;
    this.#outcomes.set(taskId, reason);
  }
}

const SOURCES = {
  message: 'the waiting message',
  inspect: 'the worker',
  'result-backend': 'the result backend',
  events: 'the events',
  edited: 'hand',
} as const;
