import type { ControlRequest, WorkerAnswer } from '../core/control/command.ts';
import type { QueueDepth } from '../core/control/service.ts';
import type { TaskRecord } from '../core/query/records.ts';
import type { RawMessage } from '../core/wire/message.ts';
import type { TaskMessage } from '../core/wire/task-message.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { ControlCall, ControlChannel, TaskQueues, TransportHealth, Whereabouts } from '../transport/port.ts';
import type { KnownWorker } from './deps.ts';

interface Timer {
  atMs: number;
  readonly everyMs: number | undefined;
  readonly task: () => void;
}

/** Time that only `pass` moves. */
export class StillClock implements Clock {
  #nowMs = 1_000_000;
  readonly #timers = new Set<Timer>();

  now(): number {
    return this.#nowMs;
  }

  every(everyMs: number, task: () => void): () => void {
    return this.#add({ atMs: this.#nowMs + everyMs, everyMs, task });
  }

  after(delayMs: number, task: () => void): () => void {
    return this.#add({ atMs: this.#nowMs + delayMs, everyMs: undefined, task });
  }

  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.after(delayMs, resolve));
  }

  /** Runs what is due, in order, and lets promises go on in between. */
  async pass(ms: number): Promise<void> {
    const end = this.#nowMs + ms;
    await settled();
    for (;;) {
      const [next] = [...this.#timers].filter(({ atMs }) => atMs <= end).sort((a, b) => a.atMs - b.atMs);
      if (next === undefined) break;
      this.#nowMs = next.atMs;
      if (next.everyMs === undefined) this.#timers.delete(next);
      else next.atMs += next.everyMs;
      next.task();
      await settled();
    }
    this.#nowMs = end;
    await settled();
  }

  #add(timer: Timer): () => void {
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }
}

/** Resolves after everything that was ready to go on went on. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
}

export type Reply = (request: ControlRequest) => readonly WorkerAnswer[];

/** A broker whose workers answer at once what `reply` says; `late` answers are handed in by hand. */
export class FakeBroker implements ControlChannel {
  readonly scheme = 'redis';
  readonly sent: ControlRequest[] = [];
  readonly casts: ControlRequest[] = [];
  readonly listeners: ((answer: WorkerAnswer) => void)[] = [];
  /** Whose replies are listened for. */
  readonly open = new Set<ControlRequest>();
  receivers: number | undefined;
  reply: Reply = () => [];
  failure: Error | undefined;
  state: TransportHealth = { connected: true, sinceMs: 1, reconnects: 0 };
  readonly control = this;
  readonly tasks = new FakeQueues();

  health(): TransportHealth {
    return this.state;
  }

  async cast(request: ControlRequest): Promise<{ readonly receivers?: number }> {
    await Promise.resolve();
    if (this.failure !== undefined) throw this.failure;
    this.casts.push(request);
    return {};
  }

  async call(request: ControlRequest, onAnswer: (answer: WorkerAnswer) => void): Promise<ControlCall> {
    await Promise.resolve();
    if (this.failure !== undefined) throw this.failure;
    this.sent.push(request);
    this.listeners.push(onAnswer);
    this.open.add(request);
    for (const answer of this.reply(request)) onAnswer(answer);
    const close = (): Promise<void> => {
      this.open.delete(request);
      return Promise.resolve();
    };
    return { ...(this.receivers !== undefined && { receivers: this.receivers }), close };
  }
}

export class FakeQueues implements TaskQueues {
  readonly published: { readonly message: TaskMessage; readonly queue: string }[] = [];
  readonly announced: Readonly<Record<string, unknown>>[] = [];
  announceFailure: Error | undefined;
  known: string[] = [];
  depth: Readonly<Record<string, number>> = {};
  waiting: RawMessage | undefined;

  async publish(message: TaskMessage, queue: string): Promise<void> {
    await Promise.resolve();
    this.published.push({ message, queue });
  }

  announce(event: Readonly<Record<string, unknown>>): Promise<void> {
    this.announced.push(event);
    return this.announceFailure === undefined ? Promise.resolve() : Promise.reject(this.announceFailure);
  }

  depths(names: readonly string[]): Promise<readonly QueueDepth[]> {
    return Promise.resolve(names.map((name) => ({ name, messages: this.depth[name] ?? 0 })));
  }

  names(): Promise<readonly string[]> {
    return Promise.resolve(this.known);
  }

  locate(): Promise<Whereabouts> {
    return Promise.resolve({ found: new Map(), isWhole: true, redeliveryMs: 0 });
  }

  eachMessage(): Promise<void> {
    return Promise.resolve();
  }

  findMessage(): Promise<RawMessage | undefined> {
    return Promise.resolve(this.waiting);
  }
}

const silent = (): void => undefined;
export const NO_LOGGER: Logger = { debug: silent, info: silent, warn: silent, error: silent };

export function worker(hostname: string, more: Partial<KnownWorker> = {}): KnownWorker {
  return { hostname, online: true, pid: 1, ...more };
}

export function pong(...workers: readonly string[]): readonly WorkerAnswer[] {
  return workers.map((name) => ({ worker: name, ok: true, reply: { ok: 'pong' } }));
}

/** A finished task with everything unknown but what is given. */
export function taskRecord(more: Partial<TaskRecord>): TaskRecord {
  const unknown = {
    worker: null,
    client: null,
    queue: null,
    exchange: null,
    routingKey: null,
    rootId: null,
    parentId: null,
    args: null,
    kwargs: null,
    result: null,
    exception: null,
    traceback: null,
    eta: null,
    expires: null,
    retries: null,
    runtime: null,
    sent: null,
    received: null,
    started: null,
    succeeded: null,
    failed: null,
    retried: null,
    revoked: null,
    rejected: null,
    clock: null,
    pid: null,
    exceptionType: null,
    oddities: null,
    healed: null,
    orphaned: null,
    retriedAs: null,
    markedMs: null,
  };
  return { taskId: 't-1', name: 'app.add', state: 'FAILURE', timestamp: 1000, ...unknown, ...more };
}
