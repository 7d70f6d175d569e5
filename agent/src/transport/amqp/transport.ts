import type { Delivery, RawMessage } from '../../core/wire/message.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import { backoffMs } from '../backoff.ts';
import type { BrokerTransport, ControlChannel, EventListener, TaskQueues, TransportHealth } from '../port.ts';
import { displayUrls } from '../url.ts';
import type { AmqpUrl, TlsSettings } from '../url.ts';
import { openConnection } from './connection.ts';
import type { AmqpConnection } from './connection.ts';
import { AmqpControl } from './control.ts';
import { readDrops } from './drops.ts';
import { openEventSession } from './event-session.ts';
import type { EventSession } from './event-session.ts';
import { CommandLink } from './link.ts';
import { managementApi } from './management.ts';
import { describeLoss, describeProblem, describeSilence, replyCode, textOf, whereOf } from './problems.ts';
import { AmqpQueues } from './queues.ts';
import { declareEventQueue, declareOwnQueue } from './topology.ts';
import type { EventQueueSpec, EventQueueState } from './topology.ts';

export interface AmqpTransportOptions {
  /** Celery's `event_exchange`, default `celeryev`. */
  readonly eventExchange?: string;
  /** Celery's `control_exchange`, default `celery`. */
  readonly controlExchange?: string;
  /** Name of the queue that keeps the events; default `umbel.events`, or `umbel.EXCHANGE` of another exchange. */
  readonly eventQueue?: string;
  /**
   * Listens by a queue for this connection alone instead: takes no event from an agent, keeps none, and there is
   * nothing to settle. Default false.
   */
  readonly ownQueue?: boolean;
  /** Bytes that may wait in it; beyond them the oldest events are dropped, and told as a gap. Default 1 GiB. */
  readonly eventQueueMaxBytes?: number;
  /** How long an event may wait in it. Default 3 days. */
  readonly eventQueueMaxAgeMs?: number;
  /**
   * Messages delivered and not yet settled. Default 5000: more than a write to the history takes at once, even of
   * messages of one event each; with 2000 those were stored at 8,900 a second, with 5000 at 26,900.
   */
  readonly prefetch?: number;
  /** Flower's `broker_api`: URL of the management API with user and password. */
  readonly brokerApi?: string;
  /** Celery's `broker_use_ssl`: takes the place of what the URLs say about TLS. */
  readonly tls?: TlsSettings;
  /** Longest time for connecting. Default 10 000. */
  readonly connectTimeoutMs?: number;
  /** How often to look whether the bounds of the queue cost events. Default 10 000. */
  readonly dropCheckMs?: number;
  /** How long silence is taken as normal. Default 10 000. */
  readonly probeAfterMs?: number;
}

export interface AmqpTransportDeps {
  readonly urls: readonly AmqpUrl[];
  readonly options?: AmqpTransportOptions;
  readonly clock: Clock;
  readonly logger: Logger;
}

const DAY_MS = 86_400_000;
/** A connection that lived shorter counts as a failed attempt, so that a flapping broker is not hammered. */
const STABLE_MS = 5000;
/**
 * Longest time for declaring and consuming. After a crash of the broker its ports open before its quorum queues have
 * read their log back and elected a leader; until then RabbitMQ keeps `basic.consume` waiting, for at most 30 s, and
 * then ends the connection itself (541). Whoever gives up earlier begins that wait anew. A broker that is gone is
 * noticed by its heartbeats.
 */
const DECLARE_PATIENCE_MS = 45_000;
/** From then on it is told that the broker keeps us waiting. */
const DECLARE_SLOW_MS = 5000;

/**
 * Keeps Celery's events in a queue of RabbitMQ and reads them from there (celery-wire 3.2): what is sent while no agent
 * runs waits, and what was not settled is delivered again. Several agents share the queue: one is active.
 */
export function openAmqpTransport(deps: AmqpTransportDeps): BrokerTransport {
  return new AmqpTransport(deps);
}

/** A queue for one connection never was there before. */
const OWN_QUEUE: EventQueueState = { existed: false, messages: 0, consumers: 0 };

interface Session {
  readonly url: AmqpUrl;
  readonly connection: AmqpConnection;
  readonly events: EventSession;
  readonly state: EventQueueState;
}

/**
 * Moves: connecting → listening → (lost, or the queue deleted) → connecting … → closed. A failed attempt goes on to the
 * next URL of the list; after each round of the list the pause grows. A lost connection is no gap, for the queue goes
 * on filling; a queue that is gone when the agent comes back is one, and so is what its bounds cost.
 */
class AmqpTransport implements BrokerTransport {
  readonly scheme = 'amqp';
  readonly displayUrl: string;
  readonly control: ControlChannel;
  readonly tasks: TaskQueues;
  readonly #urls: readonly AmqpUrl[];
  readonly #options: AmqpTransportOptions;
  readonly #spec: EventQueueSpec;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #link: CommandLink;
  readonly #closing = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #listener: EventListener | undefined;
  #session: EventSession | undefined;
  #urlIndex = 0;
  #health: TransportHealth;
  /** Per connection: why the broker takes no messages at the moment. */
  readonly #blocked = new Map<'events' | 'commands', string>();
  #lastHeardMs: number | undefined;
  #hasEvents = false;
  /** What is wrong with the event queue, until it is mended. */
  #flaw: { readonly hint?: string } = {};

  constructor({ urls, options = {}, clock, logger }: AmqpTransportDeps) {
    const { tls, eventExchange = 'celeryev', controlExchange = 'celery', brokerApi } = options;
    this.#urls = tls === undefined ? urls : urls.map((url) => ({ ...url, scheme: 'amqps', tls }));
    this.#options = options;
    this.#clock = clock;
    this.#logger = logger;
    this.displayUrl = displayUrls(urls);
    this.#health = { connected: false, sinceMs: clock.now(), reconnects: 0 };
    this.#spec = {
      exchange: eventExchange,
      queue: options.eventQueue ?? (eventExchange === 'celeryev' ? 'umbel.events' : `umbel.${eventExchange}`),
      maxBytes: options.eventQueueMaxBytes ?? 1024 ** 3,
      maxAgeMs: options.eventQueueMaxAgeMs ?? 3 * DAY_MS,
    };
    this.#link = new CommandLink({
      urls: () => [...this.#urls.slice(this.#urlIndex), ...this.#urls.slice(0, this.#urlIndex)],
      clock,
      connectTimeoutMs: this.#connectTimeoutMs,
      onBlocked: (reason) => this.#setBlocked('commands', reason),
    });
    const management = brokerApi === undefined ? undefined : managementApi(brokerApi, urls[0]?.virtualHost ?? '/');
    this.control = new AmqpControl(this.#link, clock, controlExchange);
    this.tasks = new AmqpQueues({ link: this.#link, clock, logger, management, eventExchange });
  }

  consumeEvents(listener: EventListener): void {
    if (this.#listener !== undefined) throw new Error('consumeEvents was called before');
    this.#listener = listener;
    this.#running = this.#run(listener);
  }

  settle(deliveries: readonly Delivery[]): void {
    this.#session?.settle(deliveries);
  }

  health(): TransportHealth {
    const health = { ...this.#health, receives: this.#health.connected && this.#hasEvents };
    const [reason] = this.#blocked.values();
    if (reason === undefined) return health;
    const hint = `RabbitMQ takes no messages (${reason}): events and tasks wait with their senders until it has room again.`;
    return { ...health, hint };
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all([this.#running, this.#link.close()]);
  }

  get #connectTimeoutMs(): number {
    return this.#options.connectTimeoutMs ?? 10_000;
  }

  async #run(listener: EventListener): Promise<void> {
    let failures = 0;
    let isFirst = true;
    while (!this.#isClosing()) {
      const session = await this.#tryListen();
      if (session === undefined) {
        failures += 1;
        this.#urlIndex = (this.#urlIndex + 1) % this.#urls.length;
        if (failures % this.#urls.length === 0) await this.#pause(backoffMs(failures / this.#urls.length - 1));
        continue;
      }
      this.#setConnected(session, isFirst);
      if (!isFirst && !session.state.existed) this.#reportLostQueue(listener);
      isFirst = false;
      const { sinceMs } = this.#health;
      const error = await this.#guard(session, listener);
      this.#setDisconnected();
      if (this.#isClosing()) break;
      this.#setProblem(`The connection to ${whereOf(session.url)} is lost (${describeLoss(error)}): connecting again.`);
      failures = this.#clock.now() - sinceMs >= STABLE_MS ? 0 : failures + 1;
      if (failures > 1) await this.#pause(backoffMs(failures - 1));
    }
    this.#setDisconnected();
  }

  #isClosing(): boolean {
    return this.#closing.signal.aborted;
  }

  async #tryListen(): Promise<Session | undefined> {
    const url = this.#urls[this.#urlIndex];
    if (url === undefined) return undefined;
    let connection: AmqpConnection | undefined;
    try {
      const opening = openConnection(url, {
        clock: this.#clock,
        connectTimeoutMs: this.#connectTimeoutMs,
        name: 'umbel-events',
      });
      connection = await this.#unlessClosing(opening);
      if (connection === undefined) {
        void opening.then((late) => late.close()).catch(() => undefined);
        return undefined;
      }
      return await this.#withPatience(url, connection, this.#listen(url, connection));
    } catch (error) {
      await connection?.close();
      if (!this.#isClosing()) this.#setProblem(describeProblem(error, url));
      return undefined;
    }
  }

  /** amqplib waits for ever for an answer: where none comes in time, the connection is given up, which ends `work`. */
  async #withPatience<T>(url: AmqpUrl, connection: AmqpConnection, work: Promise<T>): Promise<T> {
    const giveUp = (): void => void connection.close();
    const cancel = this.#clock.after(DECLARE_PATIENCE_MS, giveUp);
    const tell = this.#clock.after(DECLARE_SLOW_MS, () => {
      this.#setProblem(
        `RabbitMQ at ${whereOf(url)} is slow to open the queue ${this.#spec.queue}: it elects a leader.`,
      );
    });
    this.#closing.signal.addEventListener('abort', giveUp, { once: true });
    if (this.#isClosing()) giveUp();
    try {
      return await work;
    } finally {
      cancel();
      tell();
      this.#closing.signal.removeEventListener('abort', giveUp);
    }
  }

  async #listen(url: AmqpUrl, connection: AmqpConnection): Promise<Session> {
    connection.model.on('blocked', (reason) => this.#setBlocked('events', reason));
    connection.model.on('unblocked', () => this.#setBlocked('events', undefined));
    const { prefetch = 5000, ownQueue: noAck = false } = this.#options;
    const { exchange } = this.#spec;
    const queue = noAck ? await declareOwnQueue(connection, this.#spec) : this.#spec.queue;
    const state = noAck ? OWN_QUEUE : await declareEventQueue(connection, this.#spec);
    if (state.flaw !== undefined) this.#logger.warn(state.flaw);
    const events = await openEventSession({
      connection,
      queue,
      prefetch,
      noAck,
      clock: this.#clock,
      onMessage: (message) => this.#onMessage(message),
    });
    this.#logger.info({ broker: whereOf(url), queue, exchange, waiting: state.messages }, 'listening to events');
    return { url, connection, events, state };
  }

  #onMessage(message: RawMessage): void {
    this.#lastHeardMs = message.receivedMs;
    if (!this.#hasEvents) {
      this.#hasEvents = true;
      const { hint, ...health } = this.#health;
      if (hint !== undefined) this.#health = { ...health, ...this.#flaw };
      this.#listener?.onTurn?.();
    }
    this.#listener?.onMessage(message);
  }

  /** Watches over a session until it ends. */
  async #guard(session: Session, listener: EventListener): Promise<Error | undefined> {
    const { connection, events } = session;
    this.#session = events;
    this.#hasEvents = false;
    let looking: Promise<void> = Promise.resolve();
    const look = (): void => {
      looking = looking.then(() => this.#lookForDrops(session, listener));
    };
    look();
    const stopLooking = this.#clock.every(this.#options.dropCheckMs ?? 10_000, look);
    const stopProbe = this.#clock.after(this.#options.probeAfterMs ?? 10_000, () => this.#probeSilence(session));
    const stop = (): void => void events.close();
    this.#closing.signal.addEventListener('abort', stop, { once: true });
    if (this.#isClosing()) stop();
    const error = await events.ended;
    this.#closing.signal.removeEventListener('abort', stop);
    stopLooking();
    stopProbe();
    this.#session = undefined;
    await events.close();
    await connection.close();
    await looking;
    this.#blocked.delete('events');
    return error;
  }

  async #lookForDrops({ connection, state }: Session, listener: EventListener): Promise<void> {
    if (connection.isEnded() || this.#isClosing() || state.flaw !== undefined || state === OWN_QUEUE) return;
    try {
      await readDrops(connection, this.#spec, (gap) => {
        this.#logger.warn(gap, 'events were missed');
        listener.onGap(gap);
      });
    } catch (error) {
      // A broker that is going away answers nothing; the next connection looks again.
      this.#logger.debug({ error: textOf(error) }, 'what the event queue dropped could not be looked up');
      if (replyCode(error) === 404) await connection.close(); // declares it anew
    }
  }

  /** Says why nothing may have come: agents that share the queue take turns, or nobody sends. */
  #probeSilence({ connection, state }: Session): void {
    if (this.#hasEvents || connection.isEnded()) return;
    // RabbitMQ counts the active consumer only, so who came second knows it from before it came. Right after a crash of
    // the broker it still counts the one from before: then it proves nothing.
    const others =
      state === OWN_QUEUE ? 'none' : state.consumers > 0 && this.#health.reconnects === 0 ? 'seen' : 'maybe';
    const hint = describeSilence(this.#spec, others);
    this.#logger.info(hint);
    this.#health = { ...this.#health, hint };
  }

  #reportLostQueue(listener: EventListener): void {
    const toMs = this.#clock.now();
    const cause = `the queue ${this.#spec.queue} was gone, and with it the events in it`;
    const gap = { fromMs: Math.min(this.#lastHeardMs ?? this.#health.sinceMs, toMs), toMs, cause };
    this.#logger.warn(gap, 'events were missed');
    listener.onGap(gap);
  }

  #setConnected({ state }: Session, isFirst: boolean): void {
    const { reconnects } = this.#health;
    this.#flaw = state.flaw === undefined ? {} : { hint: state.flaw };
    this.#health = {
      connected: true,
      sinceMs: this.#clock.now(),
      reconnects: reconnects + (isFirst ? 0 : 1),
      keepsEvents: isFirst ? state.existed : (this.#health.keepsEvents ?? state.existed),
      ...this.#flaw,
    };
    this.#lastHeardMs ??= this.#clock.now();
  }

  #setDisconnected(): void {
    const { reconnects, keepsEvents } = this.#health;
    this.#health = {
      connected: false,
      sinceMs: this.#clock.now(),
      reconnects,
      ...(keepsEvents !== undefined && { keepsEvents }),
    };
  }

  #setProblem(problem: string): void {
    if (problem !== this.#health.problem) this.#logger.warn({ broker: this.displayUrl }, problem);
    this.#health = { ...this.#health, problem };
  }

  #setBlocked(connection: 'events' | 'commands', reason: string | undefined): void {
    if (reason === undefined) {
      if (this.#blocked.delete(connection)) this.#logger.info('RabbitMQ takes messages again');
      return;
    }
    this.#blocked.set(connection, reason);
    this.#logger.warn({ reason }, 'RabbitMQ takes no messages: free its memory or disk (rabbitmq-diagnostics alarms)');
  }

  async #unlessClosing<T>(work: Promise<T>): Promise<T | undefined> {
    const { signal } = this.#closing;
    let stop = (): void => undefined;
    const closing = new Promise<undefined>((resolve) => {
      stop = () => resolve(undefined);
      if (signal.aborted) stop();
      else signal.addEventListener('abort', stop, { once: true });
    });
    try {
      return await Promise.race([work, closing]);
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  async #pause(delayMs: number): Promise<void> {
    await this.#unlessClosing(
      new Promise<void>((resolve) => {
        this.#clock.after(delayMs, resolve);
      }),
    );
  }
}
