import type { CommandResult, Target } from '../core/control/command.ts';
import { BrokerUnavailable } from '../core/control/command.ts';
import type { Inspector, WorkerInspection } from '../core/control/service.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { Caller } from './calls.ts';
import type { KnownWorker } from './deps.ts';

/** Asked of everybody (flower/inspector.py `methods_to_inspect`). */
const COMMON = ['stats', 'active_queues', 'registered', 'conf'] as const;
/** Lists that can be huge: asked of a named worker only. */
const TASK_LISTS = ['scheduled', 'active', 'reserved', 'revoked'] as const;
/** What commands to a worker change. */
const CHANGEABLE = ['stats', 'active_queues'] as const;
type Method = (typeof COMMON)[number] | (typeof TASK_LISTS)[number];

/** Pauses between inspections of a worker that is online and stays silent, e.g. a busy solo one, ms. */
const FIRST_RETRY_MS = 5000;
const LAST_RETRY_MS = 300_000;
/** What was told by a worker that is gone is kept for this long, ms. */
const FORGET_AFTER_MS = 24 * 3_600_000;

export interface InspectorDeps {
  readonly caller: Caller;
  /** By node name; filled here. */
  readonly known: Map<string, WorkerInspection>;
  readonly workers: () => readonly KnownWorker[];
  readonly clock: Clock;
  readonly logger: Logger;
}

interface Attempt {
  readonly pid: unknown;
  readonly pauseMs: number;
  readonly nextMs: number;
}

/** The last known inspections, as Flower's `Inspector` keeps them; a silent worker keeps its old ones. */
export class KeptInspections implements Inspector {
  readonly #deps: InspectorDeps;
  readonly #known: Map<string, WorkerInspection>;
  readonly #underWay = new Map<string, Promise<void>>();
  readonly #attempts = new Map<string, Attempt>();

  constructor(deps: InspectorDeps) {
    this.#deps = deps;
    this.#known = deps.known;
  }

  known(): ReadonlyMap<string, WorkerInspection> {
    return this.#known;
  }

  refresh(worker?: string): Promise<void> {
    return worker === undefined
      ? this.#shared('', { kind: 'all' }, COMMON)
      : this.#shared(worker, { kind: 'workers', workers: [worker] }, [...COMMON, ...TASK_LISTS]);
  }

  /** Asks these again for what a command has changed; resolves in any case, at the latest when the time is over. */
  async renew(workers: readonly string[]): Promise<void> {
    const [first, ...rest] = workers;
    if (first === undefined) return;
    const target: Target = { kind: 'workers', workers: [first, ...rest] };
    await this.#inspect(target, CHANGEABLE).catch((error: unknown) => {
      this.#deps.logger.warn({ err: error }, 'workers could not be inspected after a command');
    });
  }

  /**
   * Inspects workers that are online and were not asked yet, or were started again since, and forgets those long gone.
   * To be called about every second; does nothing while everybody is known.
   */
  async lookForNew(): Promise<void> {
    const nowMs = this.#deps.clock.now();
    const workers = this.#deps.workers();
    this.#forget(workers, nowMs);
    const due = workers.filter((worker) => worker.online && this.#isDue(worker, nowMs)).map(({ hostname }) => hostname);
    const [first, ...rest] = due;
    if (first === undefined) return;
    for (const worker of workers) if (due.includes(worker.hostname)) this.#noteAttempt(worker, nowMs);
    await this.#shared(`new ${due.join()}`, { kind: 'workers', workers: [first, ...rest] }, COMMON);
  }

  #isDue({ hostname, pid }: KnownWorker, nowMs: number): boolean {
    const attempt = this.#attempts.get(hostname);
    if (attempt === undefined) return true;
    // A worker that answered before its first event: its pid is known only now.
    if (attempt.pid === null) this.#attempts.set(hostname, { ...attempt, pid });
    const restarted = pid !== null && attempt.pid !== null && attempt.pid !== pid;
    return restarted || nowMs >= attempt.nextMs;
  }

  #noteAttempt({ hostname, pid }: KnownWorker, nowMs: number): void {
    const last = this.#attempts.get(hostname);
    const pauseMs = last === undefined || last.pid !== pid ? FIRST_RETRY_MS : Math.min(last.pauseMs * 2, LAST_RETRY_MS);
    this.#attempts.set(hostname, { pid, pauseMs, nextMs: nowMs + pauseMs });
  }

  #forget(workers: readonly KnownWorker[], nowMs: number): void {
    const names = new Set(workers.map(({ hostname }) => hostname));
    for (const name of this.#attempts.keys()) if (!names.has(name)) this.#attempts.delete(name);
    const online = new Set(workers.filter((worker) => worker.online).map(({ hostname }) => hostname));
    for (const [name, { timestampMs }] of this.#known) {
      if (!online.has(name) && nowMs - timestampMs > FORGET_AFTER_MS) this.#known.delete(name);
    }
  }

  #shared(key: string, target: Target, methods: readonly Method[]): Promise<void> {
    const running = this.#underWay.get(key);
    if (running !== undefined) return running;
    const inspection = this.#inspect(target, methods).finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, inspection);
    return inspection;
  }

  async #inspect(target: Target, methods: readonly Method[]): Promise<void> {
    const outcomes = await Promise.allSettled(methods.map((method) => this.#ask(target, method)));
    const failed = outcomes.filter((outcome) => outcome.status === 'rejected');
    const [first] = failed;
    if (first === undefined) return;
    if (failed.length === outcomes.length) throw first.reason;
    const problem: unknown = first.reason;
    this.#deps.logger.warn({ err: problem, failed: failed.length }, 'workers could not be inspected in full');
    if (!(problem instanceof BrokerUnavailable)) throw problem;
  }

  async #ask(target: Target, method: Method): Promise<void> {
    // `safe`: cut texts of the arguments instead of values of any size, as Flower asks.
    const args = method === 'active' ? { safe: true } : {};
    const { answers }: CommandResult = await this.#deps.caller.call({ method, arguments: args, target });
    for (const answer of answers) {
      if (!answer.ok) {
        this.#deps.logger.warn({ worker: answer.worker, method, error: answer.error }, 'a worker cannot be inspected');
      } else if (isFit(method, answer.reply)) {
        this.#keep(answer.worker, { [method]: answer.reply });
      }
    }
  }

  #keep(worker: string, part: Partial<WorkerInspection>): void {
    this.#known.set(worker, { ...this.#known.get(worker), ...part, timestampMs: this.#deps.clock.now() });
    const pid = this.#attempts.get(worker)?.pid ?? this.#pidOf(worker);
    this.#attempts.set(worker, { pid, pauseMs: FIRST_RETRY_MS, nextMs: Infinity });
  }

  #pidOf(worker: string): unknown {
    return this.#deps.workers().find(({ hostname }) => hostname === worker)?.pid ?? null;
  }
}

/** Custom commands may stand in for Celery's; what has another shape is not kept. */
function isFit(method: Method, reply: unknown): boolean {
  if (method === 'stats' || method === 'conf') {
    return typeof reply === 'object' && reply !== null && !Array.isArray(reply);
  }
  if (!Array.isArray(reply)) return false;
  if (method === 'registered' || method === 'revoked') return reply.every((item) => typeof item === 'string');
  return method !== 'active_queues' || reply.every((item) => typeof item === 'object' && item !== null);
}
