import { connect } from 'amqplib';
import type { ConfirmChannel, ConsumeMessage } from 'amqplib';
import { amqpMessages } from '../celery-app/publish.mjs';
import type { AmqpEventMessage } from '../celery-app/publish.mjs';
import { closeAtEnd } from './cleanup.ts';
import { pause } from './wait.ts';

export interface EventFlow {
  /** Celery's `event_exchange`, default `celeryev`. */
  readonly exchange?: string;
  /** Three events each. */
  readonly tasks: number;
  /** Events in a message, default 20. */
  readonly batch?: number;
  /** Events per second, default as fast as the broker confirms them. */
  readonly rate?: number;
}

/** Messages that were made before, in order, and when each may go. */
export interface PreparedFlow {
  readonly exchange?: string;
  readonly messages: readonly AmqpEventMessage[];
  /** Asked before more is sent; `events` are confirmed. */
  readonly mayGo?: (events: number) => Promise<void>;
}

/** Messages that wait for their confirmation, at most. */
const IN_FLIGHT = 50;
const PATIENCE_MS = 120_000;

/**
 * Publishes events (test/celery-app/publish.mjs) as workers do: transient, with the body alone. Each message is sent
 * until the broker has confirmed it, over as many connections as that takes, so some may come in twice. Resolves to the
 * number of different events.
 */
export async function publishEvents(url: string, flow: EventFlow): Promise<number> {
  const { rate = Infinity, ...rest } = flow;
  const startedMs = performance.now();
  return publishPrepared(url, {
    ...rest,
    messages: [...amqpMessages(flow)],
    mayGo: async (events) => {
      const aheadMs = (events / rate) * 1000 - (performance.now() - startedMs);
      if (aheadMs > 5) await pause(aheadMs);
    },
  });
}

/** As `publishEvents`. It ends with the test file: a test that failed before it waits for this must leave nothing behind. */
export async function publishPrepared(url: string, flow: PreparedFlow): Promise<number> {
  const { exchange = 'celeryev', messages, mayGo } = flow;
  const end = new AbortController();
  closeAtEnd({
    close: () => {
      end.abort();
      return Promise.resolve();
    },
  });
  const isOver = (): boolean => end.signal.aborted;
  const startedMs = performance.now();
  let confirmed = 0;
  let events = 0;
  let progressMs = startedMs;
  while (confirmed < messages.length && !isOver()) {
    try {
      await onConfirmChannel(url, async (channel, lost) => {
        await channel.assertExchange(exchange, 'topic', { durable: true });
        while (confirmed < messages.length && !isOver()) {
          await mayGo?.(events);
          progressMs = performance.now();
          const part = messages.slice(confirmed, confirmed + IN_FLIGHT);
          await Promise.race([publishAll(channel, exchange, part), lost]);
          confirmed += part.length;
          events += part.reduce((sum, message) => sum + message.events, 0);
          progressMs = performance.now();
        }
      });
    } catch (error) {
      if (isOver()) return events;
      if (performance.now() - progressMs > PATIENCE_MS) throw error;
      await pause(100);
    }
  }
  return events;
}

async function publishAll(channel: ConfirmChannel, exchange: string, part: readonly AmqpEventMessage[]): Promise<void> {
  for (const { routingKey, payload } of part) {
    const properties = { contentType: 'application/json', contentEncoding: 'utf-8', headers: { hostname: 'w1@bench' } };
    channel.publish(exchange, routingKey, payload, { ...properties, deliveryMode: 1 });
  }
  await channel.waitForConfirms();
}

/** Runs `work` on a connection of its own; `lost` rejects when that ends. */
async function onConfirmChannel(
  url: string,
  work: (channel: ConfirmChannel, lost: Promise<never>) => Promise<void>,
): Promise<void> {
  const model = await connect(url, { timeout: 5000 });
  model.on('error', () => undefined);
  const lost = new Promise<never>((_resolve, reject) => {
    model.on('close', () => reject(new Error('the connection to RabbitMQ is lost')));
  });
  lost.catch(() => undefined);
  try {
    const channel = await Promise.race([model.createConfirmChannel(), lost]);
    channel.on('error', () => undefined);
    await work(channel, lost);
  } finally {
    await Promise.race([model.close(), lost]).catch(() => undefined);
  }
}

/** Messages in the queue that are not delivered; undefined where there is no such queue. */
export async function waitingMessages(url: string, queue: string): Promise<number | undefined> {
  const model = await connect(url, { timeout: 5000 });
  model.on('error', () => undefined);
  try {
    const channel = await model.createChannel();
    channel.on('error', () => undefined);
    return (await channel.checkQueue(queue)).messageCount;
  } catch (error) {
    if ((error as { code?: unknown }).code === 404) return undefined;
    throw error;
  } finally {
    await model.close().catch(() => undefined);
  }
}

/**
 * Sends every message of one topic exchange on to another over one channel, until the test file ends. RabbitMQ keeps a
 * sender's order in every queue, but what two senders publish at the same time may be in one queue the other way round
 * than in the next: only behind a relay have two readers heard the same.
 */
export async function relayInOneOrder(url: string, from: string, to: string): Promise<void> {
  const model = await connect(url, { timeout: 5000 });
  closeAtEnd({ close: () => model.close().catch(() => undefined) });
  model.on('error', () => undefined);
  const channel = await model.createChannel();
  for (const exchange of [from, to]) await channel.assertExchange(exchange, 'topic', { durable: true });
  const { queue } = await channel.assertQueue('', { exclusive: true });
  await channel.bindQueue(queue, from, '#');
  const relay = (message: ConsumeMessage | null): void => {
    if (message === null) throw new Error(`the queue of the relay of ${from} is gone`);
    channel.publish(to, message.fields.routingKey, message.content, message.properties);
  };
  await channel.consume(queue, relay, { noAck: true });
}
