import type { CommandResult, ControlRequest, Target, WorkerAnswer } from '../core/control/command.ts';
import { decodeMessage } from '../core/events/decode.ts';
import type { CeleryEvent } from '../core/events/event.ts';
import type { Clock } from '../lib/clock.ts';
import type { BrokerTransport, TransportHealth } from '../transport/port.ts';
import { reasonOf } from './check.ts';

export type Broker = Pick<BrokerTransport, 'scheme' | 'displayUrl' | 'consumeEvents' | 'control' | 'health'>;

/** What was heard of one sender of worker events. */
export interface HeardWorker {
  readonly worker: string;
  heartbeats: number;
  taskEvents: number;
  /** Smallest of (arrival − timestamp), seconds: what is slow on the way only adds to it. */
  behindSeconds: number;
}

/** What a look at the cluster showed. */
export interface Observation {
  readonly health: TransportHealth;
  /** Who told of itself, by node name; publishers are not among them. */
  readonly heard: ReadonlyMap<string, HeardWorker>;
  readonly taskSentEvents: number;
  /** Messages that could not be used, by reason. */
  readonly rejects: ReadonlyMap<string, number>;
  /** How long events were waited for. */
  readonly listenedMs: number;
  readonly ping: Outcome;
  /** Answers to `enable_events`. */
  readonly events: Outcome;
  /** Answers to `conf`: each worker's settings that differ from Celery's defaults. */
  readonly conf: Outcome;
}

/** Answers by worker, or why nobody could be asked. */
export type Outcome =
  | { readonly answers: ReadonlyMap<string, WorkerAnswer>; readonly problem?: undefined }
  | { readonly answers?: undefined; readonly problem: string };

export interface ObserveOptions {
  readonly clock: Clock;
  /** Leave events switched on where they were off. */
  readonly keepEventsOn: boolean;
  /** Longest wait for the connection; default 10 s. */
  readonly connectMs?: number;
  /** Longest wait for events; default 10 s. Less when every worker that answers was heard. */
  readonly listenMs?: number;
  /** Wait for replies; default 2 s. */
  readonly replyMs?: number;
}

const POLL_MS = 50;
/** A worker sends a heartbeat every 2 s unless told otherwise; one may just have gone by. */
const ENOUGH_HEARTBEATS = 2;

/** Listens to the events and asks every worker; the broker's connection is the caller's to close. Never rejects. */
export async function observe(broker: Broker, options: ObserveOptions): Promise<Observation> {
  const { clock, connectMs = 10_000, listenMs = 10_000 } = options;
  const ears = new Ears();
  broker.consumeEvents({ onMessage: (message) => ears.hear(decodeMessage(message)), onGap: () => undefined });
  await until(clock, connectMs, () => broker.health().connected);
  const health = broker.health();
  if (!health.connected) return ears.observation(health, 0, { ping: AWAY, events: AWAY, conf: AWAY });
  const startedMs = clock.now();
  const [ping, conf] = await Promise.all([
    ask(broker, 'ping', options),
    ask(broker, 'conf', options, (answers, told) => told > 0 && answers.size >= told),
  ]);
  const names = [...(ping.answers?.keys() ?? [])];
  const events = await askForEvents(broker, names, options);
  const isHeard = (name: string): boolean => (ears.heard.get(name)?.heartbeats ?? 0) >= ENOUGH_HEARTBEATS;
  await until(clock, listenMs - (clock.now() - startedMs), () => names.length > 0 && names.every(isHeard));
  return ears.observation(broker.health(), clock.now() - startedMs, { ping, events, conf });
}

const AWAY: Outcome = { problem: 'there is no connection to the broker' };

class Ears {
  readonly heard = new Map<string, HeardWorker>();
  readonly #rejects = new Map<string, number>();
  #taskSent = 0;

  hear({ events, rejects }: ReturnType<typeof decodeMessage>): void {
    for (const event of events) this.#event(event);
    for (const { reason } of rejects) this.#rejects.set(reason, (this.#rejects.get(reason) ?? 0) + 1);
  }

  observation(
    health: TransportHealth,
    listenedMs: number,
    asked: Pick<Observation, 'ping' | 'events' | 'conf'>,
  ): Observation {
    const { heard } = this;
    return { health, heard, taskSentEvents: this.#taskSent, rejects: this.#rejects, listenedMs, ...asked };
  }

  #event(event: CeleryEvent): void {
    if (event.type === 'task-sent') {
      this.#taskSent += 1;
      return;
    }
    const known = this.heard.get(event.hostname);
    const worker = known ?? { worker: event.hostname, heartbeats: 0, taskEvents: 0, behindSeconds: Infinity };
    if (known === undefined) this.heard.set(event.hostname, worker);
    if (event.group === 'task') worker.taskEvents += 1;
    else if (event.subject === 'heartbeat') worker.heartbeats += 1;
    worker.behindSeconds = Math.min(worker.behindSeconds, event.receivedMs / 1000 - event.timestamp);
  }
}

/**
 * `enable_events` is the only question whose answer tells whether task events are on. Where they were off they are
 * switched off again, unless they are to stay on.
 */
async function askForEvents(broker: Broker, names: readonly string[], options: ObserveOptions): Promise<Outcome> {
  const isWhole = (answers: ReadonlyMap<string, unknown>): boolean => names.length > 0 && answers.size >= names.length;
  const outcome = await ask(broker, 'enable_events', options, isWhole);
  const [first, ...others] = switchedOn(outcome);
  if (first === undefined || options.keepEventsOn) return outcome;
  const target: Target = { kind: 'workers', workers: [first, ...others] };
  await broker.control.cast({ method: 'disable_events', arguments: {}, target }).catch(() => undefined);
  return outcome;
}

/** Workers whose task events were off (celery/worker/control.py `enable_events`). */
export function switchedOn({ answers }: Outcome): string[] {
  return [...(answers?.values() ?? [])]
    .filter((answer) => answer.ok && /task events enabled/.test(textOf(answer.reply)))
    .map(({ worker }) => worker);
}

/** `{"ok": "text"}` and the text alone are both how a worker may say it. */
function textOf(reply: unknown): string {
  if (typeof reply === 'object' && reply !== null && 'ok' in reply) return String(reply.ok);
  return typeof reply === 'string' ? reply : '';
}

async function ask(
  broker: Broker,
  method: ControlRequest['method'],
  { clock, replyMs = 2000 }: ObserveOptions,
  isWhole: (answers: ReadonlyMap<string, WorkerAnswer>, receivers: number) => boolean = () => false,
): Promise<Outcome> {
  const answers = new Map<CommandResult['answers'][number]['worker'], WorkerAnswer>();
  try {
    const request: ControlRequest = { method, arguments: {}, target: { kind: 'all' } };
    const call = await broker.control.call(request, (answer) => answers.set(answer.worker, answer));
    await until(clock, replyMs, () => isWhole(answers, call.receivers ?? 0));
    await call.close();
    return { answers };
  } catch (error) {
    return { problem: reasonOf(error) };
  }
}

/** Resolves once it is so, or the time is over. */
async function until(clock: Clock, limitMs: number, isSo: () => boolean): Promise<void> {
  const endMs = clock.now() + limitMs;
  while (!isSo() && clock.now() < endMs) await clock.sleep(Math.min(POLL_MS, Math.max(1, endMs - clock.now())));
}
