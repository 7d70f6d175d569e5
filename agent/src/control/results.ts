import { ControlRefused } from '../core/control/command.ts';
import type { TaskResult } from '../core/control/service.ts';
import type { Masker } from '../core/mask/mask.ts';
import { EXCEPTION_STATES, isReady, PENDING } from '../core/state/states.ts';
import { exceptionRepr } from '../core/wire/exception-repr.ts';
import type { Clock } from '../lib/clock.ts';
import { BackendUnavailable } from '../results/port.ts';
import type { ResultBackend, StoredResult } from '../results/port.ts';

/** Pauses between two looks while a result is waited for, ms. */
const FIRST_PAUSE_MS = 50;
const LAST_PAUSE_MS = 1000;
/** celery/contrib/abortable.py */
const ABORTED = 'ABORTED';

/** Looks up results in the result backend. */
export class Results {
  readonly #backend: ResultBackend | undefined;
  readonly #clock: Clock;
  readonly #masker: Masker;
  readonly #closing = new AbortController();

  constructor(backend: ResultBackend | undefined, clock: Clock, masker: Masker) {
    this.#backend = backend;
    this.#clock = clock;
    this.#masker = masker;
  }

  /** @throws ControlRefused `no-backend` */
  async get(taskId: string): Promise<TaskResult> {
    const stored = await this.#need().get(taskId);
    return stored === undefined ? { taskId, state: PENDING } : this.#masked(resultOf(stored));
  }

  /** The state it is in once it is ready, the time is over, or `signal` says to stop. @throws ControlRefused `no-backend` */
  async wait(taskId: string, timeoutMs: number | undefined, signal?: AbortSignal): Promise<TaskResult> {
    const deadline = timeoutMs === undefined ? Infinity : this.#clock.now() + timeoutMs;
    const signals = signal === undefined ? [this.#closing.signal] : [this.#closing.signal, signal];
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 1.5, LAST_PAUSE_MS)) {
      const result = await this.get(taskId);
      const leftMs = deadline - this.#clock.now();
      if (isReady(result.state) || leftMs <= 0 || signals.some(({ aborted }) => aborted)) return result;
      await this.#pause(Math.min(pauseMs, leftMs), signals);
    }
  }

  /** @throws ControlRefused `no-backend` */
  async abort(taskId: string): Promise<void> {
    await this.#need().storeState(taskId, ABORTED);
  }

  /**
   * Group of each of these tasks that has one, by its id, as far as the backend holds it; undefined where it cannot tell:
   * there is none, it does not store groups, or it cannot be asked now.
   */
  async groupsOf(taskIds: readonly string[]): Promise<ReadonlyMap<string, string> | undefined> {
    try {
      return await this.#backend?.groupsOf?.(taskIds);
    } catch (error) {
      if (error instanceof BackendUnavailable) return undefined;
      throw error;
    }
  }

  /** Ends every wait with the state seen last. */
  close(): void {
    this.#closing.abort();
  }

  /** Secrets are hidden where results are shown; a retry takes its arguments from the backend itself. */
  #masked({ resultJson, resultRepr, traceback, ...result }: TaskResult): TaskResult {
    return {
      ...result,
      ...(resultJson !== undefined && { resultJson: this.#masker.text(resultJson) }),
      ...(resultRepr !== undefined && { resultRepr: this.#masker.text(resultRepr) }),
      ...(traceback !== undefined && { traceback: this.#masker.text(traceback) }),
    };
  }

  #need(): ResultBackend {
    if (this.#backend !== undefined) return this.#backend;
    throw new ControlRefused(
      'no-backend',
      "Results cannot be looked up: give the agent the app's result backend by --result-backend (Redis, or Postgres as db+postgresql://…).",
    );
  }

  #pause(delayMs: number, signals: readonly AbortSignal[]): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        cancel();
        for (const signal of signals) signal.removeEventListener('abort', end);
        resolve();
      };
      const cancel = this.#clock.after(delayMs, end);
      for (const signal of signals) signal.addEventListener('abort', end);
    });
  }
}

/** A stored result as the API tells it: of a failure the exception's repr in place of the value. */
export function resultOf(stored: StoredResult): TaskResult {
  const { taskId, status, resultJson, resultRepr, traceback } = stored;
  const exception = EXCEPTION_STATES.has(status) && resultJson !== null ? exceptionRepr(resultJson) : undefined;
  const repr = exception ?? resultRepr;
  return {
    taskId,
    state: status,
    ...(resultJson !== null && exception === undefined && { resultJson }),
    ...(repr !== null && { resultRepr: repr }),
    ...(traceback !== null && { traceback }),
  };
}
