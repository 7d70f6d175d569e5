import { randomUUID } from 'node:crypto';
import { ControlRefused } from '../core/control/command.ts';
import type { BulkProgress, BulkRequest } from '../core/control/service.ts';
import type { TaskFilter } from '../core/query/filter.ts';
import { HistoryUnavailable } from '../core/query/reader.ts';
import { PENDING, RECEIVED, RETRY, STARTED } from '../core/state/states.ts';
import { BulkJob, type BulkDeps, type BulkTask } from './bulk-job.ts';
import { FINISHED } from './retry.ts';

/** Most tasks of one bulk action. */
export const MOST_TASKS = 10_000;
/** Bulk actions remembered. */
const MOST_JOBS = 100;
/** An ended one is remembered for this long, ms. */
const REMEMBERED_MS = 3_600_000;

/** Revokes or retries what a filter finds. */
export class Bulks {
  readonly #deps: BulkDeps;
  readonly #jobs = new Map<string, BulkJob>();

  constructor(deps: BulkDeps) {
    this.#deps = deps;
  }

  /**
   * As `ControlService.startBulk`: resolves once it is known what will be hit; the work goes on behind it.
   *
   * @throws ControlRefused `too-many`, `bad-argument`; HistoryUnavailable
   */
  async start(request: BulkRequest): Promise<BulkProgress> {
    const { limit } = request;
    if (!Number.isInteger(limit) || limit < 1 || limit > MOST_TASKS) {
      throw new ControlRefused('bad-argument', `limit: must be a whole number from 1 to ${MOST_TASKS}.`, 'limit');
    }
    this.#prune();
    if (this.#jobs.size >= MOST_JOBS) {
      throw new ControlRefused(
        'too-many',
        `${MOST_JOBS} bulk actions are under way or just over; wait for some to end.`,
      );
    }
    const tasks = await this.#matching(request);
    const job = new BulkJob(randomUUID(), request, tasks, this.#deps);
    this.#jobs.set(job.id, job);
    void job.run();
    return job.progress();
  }

  get(id: string): BulkProgress | undefined {
    this.#prune();
    return this.#jobs.get(id)?.progress();
  }

  /** Newest first. */
  all(): readonly BulkProgress[] {
    this.#prune();
    return [...this.#jobs.values()].map((job) => job.progress()).reverse();
  }

  /** What is done stays done. */
  cancel(id: string): BulkProgress | undefined {
    const job = this.#jobs.get(id);
    job?.cancel();
    return job?.progress();
  }

  /** Resolves when nothing is under way any more. */
  async close(): Promise<void> {
    const jobs = [...this.#jobs.values()];
    for (const job of jobs) job.cancel();
    await Promise.all(jobs.map((job) => job.ended));
  }

  async #matching({ action, filter, limit }: BulkRequest): Promise<BulkTask[]> {
    const { history } = this.#deps;
    if (history === undefined)
      throw new HistoryUnavailable('bulk actions need the history; the agent runs without one');
    const states = statesOf(action, filter);
    if (states?.length === 0) return [];
    const narrowed: TaskFilter = states === undefined ? filter : { ...filter, states };
    const tasks: BulkTask[] = [];
    for await (const { taskId, name, state } of history.exportTasks(narrowed, OLDEST_FIRST, limit + 1)) {
      tasks.push({ taskId, name, state });
    }
    if (tasks.length <= limit) return tasks;
    throw new ControlRefused(
      'too-many',
      `More than ${limit} tasks match; narrow the filter, or raise the limit (at most ${MOST_TASKS}).`,
      'limit',
    );
  }

  #prune(): void {
    const oldestMs = this.#deps.clock.now() - REMEMBERED_MS;
    for (const [id, job] of this.#jobs) {
      const { endedMs } = job;
      const crowded = this.#jobs.size >= MOST_JOBS && endedMs !== undefined;
      if (crowded || (endedMs !== undefined && endedMs < oldestMs)) this.#jobs.delete(id);
    }
  }
}

const OLDEST_FIRST = { key: 'timestamp', descending: false } as const;

/** Of unfinished tasks those in a state of the app's own (PROGRESS) are only meant where the filter names the state. */
function statesOf(
  action: BulkRequest['action'],
  { states: asked, orphaned }: TaskFilter,
): readonly string[] | undefined {
  // Orphaned tasks may be sent again whatever their state.
  if (action === 'retry' && orphaned === true) return asked;
  if (action === 'retry') return asked === undefined ? FINISHED : asked.filter((state) => FINISHED.includes(state));
  const open = [PENDING, RECEIVED, STARTED, RETRY];
  return asked === undefined ? open : asked.filter((state) => !FINISHED.includes(state));
}
