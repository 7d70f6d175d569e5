import { connect } from 'amqplib';
import type { ChannelModel } from 'amqplib';
import { systemClock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import type { BrokerTransport } from '../port.ts';
import { parseBrokerUrls } from '../url.ts';
import type { AmqpUrl } from '../url.ts';
import { openAmqpTransport } from './transport.ts';
import type { AmqpTransportOptions } from './transport.ts';

export function amqpUrls(text: string): AmqpUrl[] {
  return parseBrokerUrls(text).filter((url) => url.transport === 'amqp');
}

export function openAmqp(url: string, logger: Logger, options: AmqpTransportOptions = {}): BrokerTransport {
  return openAmqpTransport({ urls: amqpUrls(url), options, clock: systemClock, logger });
}

/** Runs `work` on a connection of its own. */
export async function withBroker<T>(url: string, work: (model: ChannelModel) => Promise<T>): Promise<T> {
  const model = await connect(url);
  model.on('error', () => undefined);
  try {
    return await work(model);
  } finally {
    await model.close().catch(() => undefined);
  }
}

/** Publishes events as Celery does: transient, to the event exchange. Resolves once the broker has them. */
export async function publishEvents(
  url: string,
  exchange: string,
  routingKey: string,
  payloads: readonly Buffer[],
): Promise<void> {
  await withBroker(url, async (model) => {
    const channel = await model.createConfirmChannel();
    await channel.assertExchange(exchange, 'topic', { durable: true });
    for (const payload of payloads) {
      channel.publish(exchange, routingKey, payload, { contentType: 'application/json', deliveryMode: 1 });
    }
    await channel.waitForConfirms();
  });
}

/** A message of one event, sent at this instant. */
export function eventPayload(n: number, timestampMs = systemClock.now()): Buffer {
  return Buffer.from(JSON.stringify({ type: 'task-sent', uuid: `task-${n}`, timestamp: timestampMs / 1000, clock: n }));
}
