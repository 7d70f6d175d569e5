import type { CallOptions, CommandResult, ControlRequest, Target, WorkerAnswer } from '../core/control/command.ts';
import { ControlRefused } from '../core/control/command.ts';
import { COMMANDS, commandOf, NEVER_SENT } from '../core/control/commands.ts';
import { maskReply } from '../core/control/inspect-mask.ts';
import { suggestion } from '../core/control/near.ts';
import { maskTasks } from '../core/control/task-mask.ts';
import { checkTarget, reachedBy } from '../core/control/target.ts';
import type { Masker } from '../core/mask/mask.ts';
import type { Clock } from '../lib/clock.ts';
import type { ControlChannel } from '../transport/port.ts';
import type { KnownWorker } from './deps.ts';

/** Looks at the workers that are to shut down, ms. */
const SHUTDOWN_LOOK_MS = 50;
const WITHOUT_REPLY: ReadonlySet<string> = new Set(COMMANDS.filter((c) => !c.replies).map(({ method }) => method));

export interface CallerDeps {
  readonly channel: ControlChannel;
  readonly workers: () => readonly KnownWorker[];
  /** Names of workers that answered once, though no event was heard of them. */
  readonly inspected: () => Iterable<string>;
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** For the arguments of tasks. */
  readonly masker: Masker;
}

/** Sends commands and gathers what the workers answer. */
export class Caller {
  readonly #deps: CallerDeps;
  readonly #underWay = new Set<() => void>();

  constructor(deps: CallerDeps) {
    this.#deps = deps;
  }

  /**
   * As `ControlService.call`; the replies are masked. A call ends when all that are known have answered: on RabbitMQ,
   * which does not tell how many listen, a worker that was never heard of (just started, or without heartbeat) may be
   * missing from the answers to all.
   */
  async call(request: ControlRequest, options: CallOptions = {}): Promise<CommandResult> {
    const result = await this.callUnmasked(request, options);
    return { ...result, answers: result.answers.map((answer) => this.#masked(request.method, answer)) };
  }

  /** For the agent's own use: arguments of tasks as they are. */
  async callUnmasked(request: ControlRequest, options: CallOptions = {}): Promise<CommandResult> {
    this.#check(request);
    const timeoutMs = options.timeoutMs ?? this.#deps.timeoutMs;
    return WITHOUT_REPLY.has(request.method) ? this.#watch(request, timeoutMs) : this.#gather(request, timeoutMs);
  }

  async cast(request: ControlRequest): Promise<{ readonly receivers?: number }> {
    this.#check(request);
    return this.#deps.channel.cast(request);
  }

  reached(target: Target): readonly string[] {
    return [...reachedBy(target, this.#online())].sort();
  }

  /** Ends every call under way with what was heard so far. */
  close(): void {
    for (const end of this.#underWay) end();
  }

  #online(): string[] {
    return this.#deps
      .workers()
      .filter(({ online }) => online)
      .map(({ hostname }) => hostname);
  }

  #check({ method, target }: ControlRequest): void {
    if (NEVER_SENT.has(method)) commandOf(method);
    checkTarget(target);
    const known = new Set([...this.#deps.workers().map(({ hostname }) => hostname), ...this.#deps.inspected()]);
    if (known.size === 0) return;
    if (target.kind === 'workers') {
      const unknown = target.workers.find((name) => !known.has(name));
      if (unknown === undefined) return;
      throw new ControlRefused(
        'unknown-worker',
        `Unknown worker '${unknown}'${suggestion(unknown, [...known])}`,
        'workers',
      );
    }
    if (target.kind === 'pattern' && reachedBy(target, [...known]).length === 0) {
      const message = `No known worker is like '${target.pattern}'${suggestion(target.pattern, [...known])}`;
      throw new ControlRefused('unknown-worker', message, 'pattern');
    }
  }

  async #gather(request: ControlRequest, timeoutMs: number): Promise<CommandResult> {
    const { channel } = this.#deps;
    const expected = reachedBy(request.target, this.#online());
    const answers: WorkerAnswer[] = [];
    const missing = new Set(expected);
    const wait = this.#wait(timeoutMs);
    const heard: { sent: boolean; receivers?: number | undefined } = { sent: false };
    const judge = (): void => {
      const { sent, receivers } = heard;
      // Somebody may listen who was never heard of; only Redis tells how many do.
      const heardAll = missing.size === 0 && (expected.length > 0 || receivers !== undefined);
      const named = request.target.kind !== 'all';
      if (receivers === 0 || (sent && heardAll && (named || answers.length >= (receivers ?? 0)))) wait.end();
    };
    const call = await channel
      .call(request, (answer) => {
        answers.push(answer);
        missing.delete(answer.worker);
        judge();
      })
      .catch((error: unknown) => {
        wait.end();
        throw error;
      });
    heard.receivers = call.receivers;
    heard.sent = true;
    judge();
    await wait.over;
    await call.close();
    const { receivers } = heard;
    return {
      answers,
      silent: [...missing].sort(),
      ...(receivers !== undefined && { receivers }),
    };
  }

  /** A worker says nothing to `shutdown`, but its `worker-offline` is heard. */
  async #watch(request: ControlRequest, timeoutMs: number): Promise<CommandResult> {
    const expected = reachedBy(request.target, this.#online());
    const cast = await this.#deps.channel.cast(request);
    const before = new Map(this.#deps.workers().map((worker) => [worker.hostname, worker.pid]));
    const left = new Set(expected);
    const answers: WorkerAnswer[] = [];
    const wait = this.#wait(timeoutMs);
    const look = (): void => {
      const online = this.#deps.workers().filter((worker) => worker.online);
      const pids = new Map(online.map(({ hostname, pid }) => [hostname, pid]));
      for (const worker of left) {
        // A new process under the same name: it did end, and was started again.
        if (pids.has(worker) && pids.get(worker) === before.get(worker)) continue;
        left.delete(worker);
        answers.push({ worker, ok: true, reply: { ok: 'offline' } });
      }
      if (left.size === 0) wait.end();
    };
    const stop = this.#deps.clock.every(SHUTDOWN_LOOK_MS, look);
    look();
    await wait.over;
    stop();
    return { answers, silent: [...left].sort(), ...cast };
  }

  #masked(method: string, answer: WorkerAnswer): WorkerAnswer {
    if (!answer.ok) return answer;
    return { ...answer, reply: maskTasks(method, maskReply(method, answer.reply), this.#deps.masker) };
  }

  #wait(timeoutMs: number): { readonly over: Promise<void>; readonly end: () => void } {
    const { promise, resolve } = withResolver();
    const end = (): void => {
      cancel();
      this.#underWay.delete(end);
      resolve();
    };
    const cancel = this.#deps.clock.after(timeoutMs, end);
    this.#underWay.add(end);
    return { over: promise, end };
  }
}

function withResolver(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
