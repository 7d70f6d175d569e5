import type { Channel, GetMessage } from 'amqplib';
import { isRecord, openMessage } from '../../core/wire/envelope.ts';
import type { ListeningGap } from '../port.ts';
import type { AmqpConnection } from './connection.ts';
import { propertiesOf } from './event-session.ts';
import { droppedNames, onChannel } from './topology.ts';
import type { EventQueueSpec } from './topology.ts';

/**
 * Looks whether the bounds of the event queue cost events since the last look, and tells from when to when they were
 * sent. The witnesses are taken away once `onGap` has returned; a crash in between tells the gap twice.
 * @throws amqplib's error
 */
export async function readDrops(
  connection: AmqpConnection,
  spec: EventQueueSpec,
  onGap: (gap: ListeningGap) => void,
): Promise<void> {
  const names = droppedNames(spec.queue);
  await onChannel(connection, async (channel) => {
    const last = await newest(channel, names.last);
    if (last === undefined) return;
    const first = (await channel.get(names.first)) || last;
    const [from, to] = [sentMs(first), sentMs(last)];
    const toMs = to?.newest ?? deathMs(last) ?? 0;
    const fromMs = Math.min(from?.oldest ?? deathMs(first) ?? toMs, toMs);
    onGap({ fromMs, toMs, cause: causeOf(first, last, spec) });
    if (first !== last) channel.ack(first);
    channel.ack(last, true);
    // The acknowledgements are on their way once an answer has come back behind them.
    await channel.checkQueue(names.last);
  });
}

/** A quorum queue of one message may hold more for a moment. */
async function newest(channel: Channel, queue: string): Promise<GetMessage | undefined> {
  let found: GetMessage | undefined;
  for (let message = await channel.get(queue); message !== false; message = await channel.get(queue)) found = message;
  return found;
}

/** When the events of a message were sent, by their own timestamps; undefined where it cannot be read. */
function sentMs(message: GetMessage): { readonly oldest: number; readonly newest: number } | undefined {
  const opened = openMessage({
    receivedMs: 0,
    routingKey: '',
    payload: message.content,
    properties: propertiesOf(message),
  });
  if ('reject' in opened) return undefined;
  const events: readonly unknown[] = Array.isArray(opened.body) ? opened.body : [opened.body];
  const times = events
    .map((event) => (isRecord(event) ? event['timestamp'] : undefined))
    .filter((time): time is number => typeof time === 'number' && Number.isFinite(time))
    .map((time) => Math.round(time * 1000));
  if (times.length === 0) return undefined;
  // Not spread over the arguments of a call: a message may hold more of them than those may be.
  return {
    oldest: times.reduce((least, time) => Math.min(least, time)),
    newest: times.reduce((most, time) => Math.max(most, time)),
  };
}

interface Death {
  readonly reason: unknown;
  readonly time: unknown;
}

function deathOf(message: GetMessage): Death | undefined {
  const deaths: unknown = message.properties.headers?.['x-death'];
  const death: unknown = Array.isArray(deaths) ? deaths[0] : undefined;
  return isRecord(death) ? { reason: death['reason'], time: death['time'] } : undefined;
}

/** When the broker dropped it. */
function deathMs(message: GetMessage): number | undefined {
  const time = deathOf(message)?.time;
  const seconds = isRecord(time) ? time['value'] : undefined;
  return typeof seconds === 'number' ? seconds * 1000 : undefined;
}

function causeOf(first: GetMessage, last: GetMessage, spec: EventQueueSpec): string {
  const reasons = new Set([deathOf(first)?.reason, deathOf(last)?.reason]);
  const told = [
    ...(reasons.has('maxlen') ? [`it was full (--event-queue-max-bytes ${spec.maxBytes})`] : []),
    ...(reasons.has('expired') ? [`they were too old (--event-queue-max-age ${spec.maxAgeMs / 1000}s)`] : []),
  ];
  const why = told.length === 0 ? '' : `: ${told.join(', ')}`;
  return `rabbitmq dropped events of the queue ${spec.queue}${why}`;
}
