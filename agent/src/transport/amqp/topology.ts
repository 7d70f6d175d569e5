import { randomUUID } from 'node:crypto';
import type { Channel } from 'amqplib';
import type { AmqpConnection } from './connection.ts';
import { replyCode, textOf } from './problems.ts';
import { PlainProblem } from '../plain-problem.ts';

/** What the event queue is to be. */
export interface EventQueueSpec {
  readonly exchange: string;
  readonly queue: string;
  readonly maxBytes: number;
  readonly maxAgeMs: number;
}

/** How the event queue was found. */
export interface EventQueueState {
  /** It was there before: what came since then waits in it. */
  readonly existed: boolean;
  /** Messages that wait. */
  readonly messages: number;
  readonly consumers: number;
  /** What is to be changed by hand; undefined when all is as wanted. */
  readonly flaw?: string;
}

/** Where the broker puts what the bounds of the queue cost. */
export function droppedNames(queue: string): {
  readonly exchange: string;
  readonly first: string;
  readonly last: string;
} {
  return { exchange: `${queue}.dropped`, first: `${queue}.dropped.first`, last: `${queue}.dropped.last` };
}

/**
 * Declares the event exchange, the queue and its witnesses. A quorum queue, for the events are transient messages,
 * which a durable classic queue loses when the broker restarts. What drops out at its head is dead-lettered to two
 * queues of one message each: the first and the last event that were dropped, which tell the gap.
 * @throws amqplib's error
 */
export async function declareEventQueue(connection: AmqpConnection, spec: EventQueueSpec): Promise<EventQueueState> {
  await declareExchange(connection, spec.exchange);
  const existed = await exists(connection, spec.queue);
  const flaw = await declareQueue(connection, spec);
  const state = await onChannel(connection, async (channel) => {
    await channel.bindQueue(spec.queue, spec.exchange, '#');
    return channel.checkQueue(spec.queue);
  });
  return {
    existed,
    messages: state.messageCount,
    consumers: state.consumerCount,
    ...(flaw !== undefined && { flaw }),
  };
}

/**
 * A queue for this connection alone, which takes nothing from anybody and is gone with it. Its name begins as `queue`
 * does, for the permissions that hold there. @throws amqplib's error
 */
export async function declareOwnQueue(connection: AmqpConnection, spec: EventQueueSpec): Promise<string> {
  await declareExchange(connection, spec.exchange);
  const name = `${spec.queue}.${randomUUID()}`;
  await onChannel(connection, async (channel) => {
    await channel.assertQueue(name, { durable: false, exclusive: true, autoDelete: true });
    await channel.bindQueue(name, spec.exchange, '#');
  });
  return name;
}

/** Runs `work` on a channel of its own: the broker closes a channel at the first refusal. */
export async function onChannel<T>(connection: AmqpConnection, work: (channel: Channel) => Promise<T>): Promise<T> {
  const channel = await connection.model.createChannel();
  channel.on('error', () => undefined); // told by the rejection
  try {
    return await work(channel);
  } finally {
    channel.close().catch(() => undefined);
  }
}

/** Celery's own flags (celery/events/event.py `get_exchange`); an exchange that is otherwise is used as it is. */
async function declareExchange(connection: AmqpConnection, exchange: string): Promise<void> {
  try {
    await onChannel(connection, (channel) => channel.assertExchange(exchange, 'topic', { durable: true }));
  } catch (error) {
    const code = replyCode(error);
    if (code !== 406 && code !== 403) throw error;
    await onChannel(connection, (channel) => channel.checkExchange(exchange));
  }
}

async function exists(connection: AmqpConnection, queue: string): Promise<boolean> {
  try {
    await onChannel(connection, (channel) => channel.checkQueue(queue));
    return true;
  } catch (error) {
    if (replyCode(error) === 404) return false;
    if (replyCode(error) === 405) {
      throw new PlainProblem(
        `The queue ${queue} belongs to another connection alone (exclusive): name another with --event-queue.`,
      );
    }
    throw error;
  }
}

/** Resolves to what is wrong with a queue that exists with other arguments; it is used as it is. */
async function declareQueue(connection: AmqpConnection, spec: EventQueueSpec): Promise<string | undefined> {
  const dropped = droppedNames(spec.queue);
  await onChannel(connection, async (channel) => {
    await channel.assertExchange(dropped.exchange, 'fanout', { durable: true });
    const one = { 'x-max-length': 1 };
    await channel.assertQueue(dropped.first, { durable: true, arguments: { ...one, 'x-overflow': 'reject-publish' } });
    await channel.assertQueue(dropped.last, {
      durable: true,
      arguments: { ...one, 'x-queue-type': 'quorum', 'x-overflow': 'drop-head' },
    });
    await channel.bindQueue(dropped.first, dropped.exchange, '');
    await channel.bindQueue(dropped.last, dropped.exchange, '');
  });
  let refusal = '';
  for (const args of queueArguments(connection, spec)) {
    try {
      await onChannel(connection, (channel) => channel.assertQueue(spec.queue, { durable: true, arguments: args }));
      return undefined;
    } catch (error) {
      if (replyCode(error) !== 406) throw error;
      refusal = textOf(error);
    }
  }
  const difference = /inequivalent arg '([^']+)' .*?: received (.*?) but current is (.*?)["\n]?$/.exec(refusal);
  const what = difference === null ? 'other arguments' : `${difference[1] ?? ''} = ${difference[3] ?? ''}`;
  return (
    `The queue ${spec.queue} exists with ${what.slice(0, 200)} instead of what the options say (406), and is used as it is: ` +
    'delete it while the agent reads along (its events are lost), or name another with --event-queue.'
  );
}

/**
 * RabbitMQ 4 drops a message after 20 deliveries unless told otherwise, RabbitMQ 3 does not know -1. The queue of a
 * broker that was upgraded has no such argument.
 */
function queueArguments(connection: AmqpConnection, spec: EventQueueSpec): readonly Record<string, unknown>[] {
  const plain = {
    'x-queue-type': 'quorum',
    'x-single-active-consumer': true,
    'x-overflow': 'drop-head',
    'x-max-length-bytes': spec.maxBytes,
    'x-message-ttl': spec.maxAgeMs,
    'x-dead-letter-exchange': droppedNames(spec.queue).exchange,
  };
  const major = Number.parseInt(connection.model.connection.serverProperties.version, 10);
  return major >= 4 ? [{ ...plain, 'x-delivery-limit': -1 }, plain] : [plain];
}
