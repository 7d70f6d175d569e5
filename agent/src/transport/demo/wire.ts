import type { RawMessage } from '../../core/wire/message.ts';

/** An event as Celery's JSON has it. */
export type EventFields = Readonly<Record<string, unknown>>;

/** Wraps one event, or the list of a `task.multi`, as kombu publishes it on Redis (celery-wire 1.1). */
export function kombuMessage(
  routingKey: string,
  hostname: string,
  body: EventFields | readonly EventFields[],
  deliveryTag: string,
  receivedMs: number,
): RawMessage {
  const envelope = {
    body: Buffer.from(JSON.stringify(body)).toString('base64'),
    'content-encoding': 'utf-8',
    'content-type': 'application/json',
    headers: { hostname },
    properties: {
      delivery_mode: 1,
      delivery_info: { exchange: 'celeryev', routing_key: routingKey },
      priority: 0,
      body_encoding: 'base64',
      delivery_tag: deliveryTag,
    },
  };
  return { receivedMs, routingKey, payload: Buffer.from(JSON.stringify(envelope)) };
}
