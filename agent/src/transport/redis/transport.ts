import { afterIo, type Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import { backoffMs } from '../backoff.ts';
import type { BrokerTransport, ControlChannel, EventListener, TaskQueues, TransportHealth } from '../port.ts';
import { displayUrls } from '../url.ts';
import type { RedisUrl, TlsSettings } from '../url.ts';
import { eventPatterns } from './channels.ts';
import { RedisCommands } from './commands.ts';
import { RedisControl } from './control.ts';
import { RedisKeys } from './keys.ts';
import type { KeyOptions } from './keys.ts';
import { describeLoss, explainLoss, type Loss } from './losses.ts';
import { startPings } from './ping.ts';
import { describeProblem } from './problems.ts';
import { PlainProblem } from '../plain-problem.ts';
import { probeSilence } from './probe.ts';
import { RedisQueues } from './queues.ts';
import { findMaster } from './sentinel.ts';
import type { SentinelOptions } from './sentinel.ts';
import { attemptOf, connect, refuseReplica, subscribe, withDeadline } from './session.ts';
import type { ConnectDeps, RedisTarget, ServerFacts } from './session.ts';
import type { RedisSocket } from './socket.ts';

export interface RedisTransportOptions extends KeyOptions {
  /** Transport option `master_name`; needed for `sentinel://`. */
  readonly masterName?: string;
  /** Transport option `sentinel_kwargs`: credentials and TLS of the sentinels, not of the master. */
  readonly sentinelUsername?: string;
  readonly sentinelPassword?: string;
  readonly sentinelTls?: TlsSettings;
  /** Celery's `broker_use_ssl`: takes the place of what the URL says about TLS. */
  readonly tls?: TlsSettings;
  /** How often the connection is looked at; given up after two rounds without a sign. Default 10 000. */
  readonly heartbeatMs?: number;
  /** How long silence after subscribing is taken as normal. Default 10 000. */
  readonly probeAfterMs?: number;
  /** How long the probe then listens to everything that looks like events. Default 5000: heartbeats come every 2 s. */
  readonly probeListenMs?: number;
  /** Longest time for connecting and subscribing. Default 10 000. */
  readonly connectTimeoutMs?: number;
  /** Longest time for a command to the broker, connecting included. Default 2000. */
  readonly commandTimeoutMs?: number;
}

export interface RedisTransportDeps {
  readonly urls: readonly RedisUrl[];
  readonly options?: RedisTransportOptions;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** How often it is found out up to when all is heard: a gap begins about so much before the first event that is lost. */
const PING_MS = 1000;
/** A silent cluster is looked at again after this time. */
const PROBE_AGAIN_MS = 60_000;
/** A connection that lived shorter counts as a failed attempt, so that a flapping broker is not hammered. */
const STABLE_MS = 5000;

/**
 * Celery over Redis: events (celery-wire 3.1), remote control and task queues. Commands get connections of their own,
 * which are opened by the first one.
 * @throws PlainProblem where `sentinel://` comes without a master name
 */
export function openRedisTransport(deps: RedisTransportDeps): BrokerTransport {
  if (deps.urls[0]?.scheme === 'sentinel' && (deps.options?.masterName ?? '') === '') {
    throw new PlainProblem(
      'sentinel:// needs the transport option master_name: the name of the master in the sentinels.',
    );
  }
  return new RedisTransport(deps);
}

/** A subscribed connection. */
interface Session {
  readonly socket: RedisSocket;
  readonly target: RedisTarget;
  readonly facts: ServerFacts;
}

/**
 * Moves: connecting → listening → (lost) → connecting … → closed. A failed attempt goes on to the next URL of the
 * list; after each round of the list the pause grows. What was lost is told as a gap once listening works again.
 */
class RedisTransport implements BrokerTransport {
  readonly scheme = 'redis';
  readonly control: ControlChannel;
  readonly tasks: TaskQueues;
  readonly displayUrl: string;
  readonly #urls: readonly RedisUrl[];
  readonly #options: RedisTransportOptions;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #closing = new AbortController();
  readonly #commands: RedisCommands;
  #running: Promise<void> = Promise.resolve();
  #probing: Promise<void> = Promise.resolve();
  #listener: EventListener | undefined;
  #urlIndex = 0;
  #health: TransportHealth;
  /** Of the last subscribed connection. */
  #socket: RedisSocket | undefined;
  /** Anything heard since the last heartbeat round. */
  #heard = false;
  #hasEvents = false;

  constructor({ urls, options = {}, clock, logger }: RedisTransportDeps) {
    this.#urls =
      options.tls === undefined ? urls : urls.map((url) => ({ ...url, ...(options.tls && { tls: options.tls }) }));
    this.#options = options;
    this.#clock = clock;
    this.#logger = logger;
    this.displayUrl = displayUrls(urls);
    this.#health = { connected: false, sinceMs: clock.now(), reconnects: 0 };
    const sentinel = this.#sentinelOptions();
    const commands = new RedisCommands({
      urls: this.#urls,
      ...(sentinel !== undefined && { sentinel }),
      clock,
      startAt: () => this.#urlIndex,
      ...(options.commandTimeoutMs !== undefined && { timeoutMs: options.commandTimeoutMs }),
    });
    const keys = new RedisKeys(options);
    this.#commands = commands;
    this.control = new RedisControl({
      commands,
      keys,
      ...(options.controlExchange !== undefined && { controlExchange: options.controlExchange }),
      alsoLiteralDb: sentinel !== undefined,
      clock,
      logger,
    });
    this.tasks = new RedisQueues({ commands, keys, clock });
  }

  consumeEvents(listener: EventListener): void {
    if (this.#listener !== undefined) throw new Error('consumeEvents was called before');
    this.#listener = listener;
    this.#running = this.#run(listener);
  }

  settle(): void {
    return undefined; // nothing waits for an acknowledgement
  }

  health(): TransportHealth {
    const heardUpToMs = this.#socket?.answeredMs;
    return heardUpToMs === undefined ? this.#health : { ...this.#health, heardUpToMs };
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#commands.close();
    await Promise.all([this.#running, this.#probing]);
  }

  get #deps(): ConnectDeps {
    return {
      clock: this.#clock,
      connectTimeoutMs: this.#options.connectTimeoutMs ?? 10_000,
      signal: this.#closing.signal,
    };
  }

  async #run(listener: EventListener): Promise<void> {
    let failures = 0;
    let loss: Loss | undefined;
    while (!this.#isClosing()) {
      const session = await this.#tryListen();
      if (session === undefined) {
        failures += 1;
        this.#urlIndex = (this.#urlIndex + 1) % this.#urls.length;
        await this.#pauseAfter(failures);
        continue;
      }
      this.#setConnected(loss !== undefined);
      if (loss !== undefined) this.#reportGap(listener, loss, session);
      const { sinceMs } = this.#health;
      loss = await this.#guardSession(session);
      if (this.#isClosing()) break;
      this.#setDisconnected();
      this.#setProblem(
        `The connection to ${attemptOf(session.target).where} is lost (${loss.cause}): connecting again.`,
      );
      failures = this.#clock.now() - sinceMs >= STABLE_MS ? 0 : failures + 1;
      if (failures > 1) await this.#pauseAfter(failures);
    }
    this.#setDisconnected();
  }

  #isClosing(): boolean {
    return this.#closing.signal.aborted;
  }

  /** The pause grows with each round through the list of URLs; within a round the next one is tried at once. */
  async #pauseAfter(failures: number): Promise<void> {
    const round = this.#urls[0]?.scheme === 'sentinel' ? 1 : this.#urls.length;
    if (failures % round === 0) await this.#pause(backoffMs(failures / round - 1));
  }

  async #tryListen(): Promise<Session | undefined> {
    const url = this.#urls[this.#urlIndex];
    if (url === undefined) return undefined;
    let target: RedisTarget = url;
    try {
      const sentinel = this.#sentinelOptions();
      if (sentinel !== undefined) target = await findMaster(this.#urls, sentinel, this.#deps);
      return await this.#subscribe(target, url.scheme === 'sentinel');
    } catch (error) {
      if (!this.#isClosing()) this.#setProblem(describeProblem(error, attemptOf(target)));
      return undefined;
    }
  }

  async #subscribe(target: RedisTarget, isSentinel: boolean): Promise<Session> {
    const patterns = eventPatterns(target.db, this.#options, isSentinel);
    const socket = await connect(target, {
      ...this.#deps,
      onRun: (bytes, spans) => this.#onRun(bytes, spans),
    });
    const facts = await withDeadline(socket, this.#deps, async () => {
      if (isSentinel) await refuseReplica(socket, target);
      return subscribe(socket, target, patterns);
    });
    this.#logger.info(
      { broker: attemptOf(target).where, patterns: patterns.map((p) => p.pattern) },
      'listening to events',
    );
    return { socket, target, facts };
  }

  #onRun(payload: Buffer, spans: Uint32Array | undefined): void {
    const receivedMs = this.#clock.now();
    this.#heard = true;
    if (!this.#hasEvents) this.#firstEvent();
    this.#listener?.onMessage({ receivedMs, routingKey: '', payload, ...(spans !== undefined && { spans }) });
  }

  #firstEvent(): void {
    this.#hasEvents = true;
    if (this.#health.hint === undefined) return;
    const { hint, ...health } = this.#health;
    this.#health = health;
    this.#logger.info({ was: hint }, 'events arrive now');
  }

  /** Watches over a subscribed connection until it ends. */
  async #guardSession({ socket, target, facts }: Session): Promise<Loss> {
    this.#socket = socket;
    this.#heard = true;
    this.#hasEvents = false;
    let misses = 0;
    let isLooking = false;
    const look = (): void => {
      isLooking = false;
      if (this.#heard) misses = 0;
      // In a busy event loop PINGs are put off: what was not asked is not silent.
      else if (socket.isWaiting) misses += 1;
      this.#heard = false;
      if (misses >= 2) {
        socket.destroy(new PlainProblem('no sign of life'));
        return;
      }
      this.#checkMaster(socket, target);
    };
    // Looked at once what lies in the socket is read: a busy event loop may run a timer twice before it comes to that.
    const heartbeatMs = this.#options.heartbeatMs ?? 10_000;
    const stopHeartbeat = this.#clock.every(heartbeatMs, () => {
      if (!isLooking) afterIo(look);
      isLooking = true;
    });
    const stopPings = startPings(socket, Math.min(PING_MS, heartbeatMs), this.#clock, () => {
      this.#heard = true;
    });
    const stopProbe = this.#probeWhileSilent(target);
    const { error } = await socket.ended;
    stopHeartbeat();
    stopPings();
    stopProbe();
    return {
      // When something was read last tells nothing: it may have lain in a buffer, with what is lost behind it.
      fromMs: socket.answeredMs ?? this.#clock.now(),
      facts,
      error,
      attempt: attemptOf(target),
      cause: describeLoss(error),
    };
  }

  #checkMaster(socket: RedisSocket, target: RedisTarget): void {
    const sentinel = this.#sentinelOptions();
    if (sentinel === undefined) return;
    findMaster(this.#urls, sentinel, this.#deps).then(
      ({ host, port }) => {
        if (host === target.host && port === target.port) return;
        socket.destroy(new PlainProblem(`the sentinels moved the master to ${host}:${port}`));
      },
      () => undefined,
    );
  }

  #probeWhileSilent(target: RedisTarget): () => void {
    let isOver = false;
    let cancel: () => void = () => undefined;
    const plan = (delayMs: number): void => {
      cancel = this.#clock.after(delayMs, () => {
        if (this.#hasEvents) return;
        this.#probing = probeSilence(target, this.#options, this.#options.probeListenMs ?? 5000, this.#deps).then(
          (hint) => {
            if (isOver || this.#hasEvents) return;
            if (hint !== this.#health.hint) this.#logger.warn(hint);
            this.#health = { ...this.#health, hint };
            plan(PROBE_AGAIN_MS);
          },
          (error: unknown) => {
            this.#logger.debug({ error: describeProblem(error, attemptOf(target)) }, 'the probe for events failed');
            if (!isOver) plan(PROBE_AGAIN_MS);
          },
        );
      });
    };
    plan(this.#options.probeAfterMs ?? 10_000);
    return () => {
      isOver = true;
      cancel();
    };
  }

  #sentinelOptions(): SentinelOptions | undefined {
    if (this.#urls[0]?.scheme !== 'sentinel') return undefined;
    const { masterName = '', sentinelUsername, sentinelPassword, sentinelTls } = this.#options;
    return {
      masterName,
      ...(sentinelUsername !== undefined && { username: sentinelUsername }),
      ...(sentinelPassword !== undefined && { password: sentinelPassword }),
      ...(sentinelTls !== undefined && { tls: sentinelTls }),
    };
  }

  #setConnected(again: boolean): void {
    const reconnects = this.#health.reconnects + (again ? 1 : 0);
    this.#health = { connected: true, sinceMs: this.#clock.now(), reconnects };
  }

  #setDisconnected(): void {
    this.#health = { connected: false, sinceMs: this.#clock.now(), reconnects: this.#health.reconnects };
  }

  #setProblem(problem: string): void {
    if (problem !== this.#health.problem) this.#logger.warn({ broker: this.displayUrl }, problem);
    this.#health = { ...this.#health, problem };
  }

  #reportGap(listener: EventListener, loss: Loss, { facts, target }: Session): void {
    const { fromMs } = loss;
    const cause = explainLoss(loss, facts, attemptOf(target).where);
    const gap = { fromMs, toMs: Math.max(fromMs, this.#clock.now()), cause };
    this.#logger.warn(gap, 'events were missed');
    listener.onGap(gap);
  }

  async #pause(delayMs: number): Promise<void> {
    const { signal } = this.#closing;
    if (signal.aborted) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        cancel();
        signal.removeEventListener('abort', done);
        resolve();
      };
      const cancel = this.#clock.after(delayMs, done);
      signal.addEventListener('abort', done);
    });
  }
}
