import { randomUUID } from 'node:crypto';
import type { ConfirmChannel, ConsumeMessage } from 'amqplib';
import { BrokerUnavailable } from '../../core/control/command.ts';
import type { ControlRequest, WorkerAnswer } from '../../core/control/command.ts';
import { controlNames, decodeReply, encodeControl, replyQueue } from '../../core/wire/pidbox.ts';
import type { EncodedControl } from '../../core/wire/pidbox.ts';
import type { Clock } from '../../lib/clock.ts';
import type { ControlCall, ControlChannel } from '../port.ts';
import type { AmqpConnection } from './connection.ts';
import { propertiesOf } from './event-session.ts';
import type { CommandLink } from './link.ts';
import { replyCode, textOf } from './problems.ts';
import { publishConfirmed } from './publish.ts';
import { onChannel } from './topology.ts';

/** As kombu's own reply queues: gone soon after whoever asked. */
const REPLY_EXPIRES_MS = 10_000;

/** Celery's remote control over RabbitMQ (celery-wire 4.1; kombu/pidbox.py). */
export class AmqpControl implements ControlChannel {
  readonly #link: CommandLink;
  readonly #clock: Clock;
  readonly #names: ReturnType<typeof controlNames>;

  constructor(link: CommandLink, clock: Clock, controlExchange: string) {
    this.#link = link;
    this.#clock = clock;
    this.#names = controlNames(controlExchange);
  }

  /** `receivers` is 0 where no worker listens, and else not known. */
  async cast(request: ControlRequest): Promise<{ readonly receivers?: number }> {
    const message = encodeControl(request, this.#names);
    return this.#onConfirmChannel(async (channel) => {
      const isHeard = await this.#publish(channel, message);
      channel.close().catch(() => undefined);
      return isHeard ? {} : { receivers: 0 };
    });
  }

  async call(request: ControlRequest, onAnswer: (answer: WorkerAnswer) => void): Promise<ControlCall> {
    const reply = { ticket: randomUUID(), routingKey: randomUUID() };
    const message = encodeControl(request, this.#names, reply);
    return this.#onConfirmChannel(async (channel) => {
      let isClosed = false;
      const queue = replyQueue(reply.routingKey, this.#names);
      await channel.assertQueue(queue, {
        durable: false,
        exclusive: true, // RabbitMQ 4.3 takes no other transient queue
        autoDelete: true,
        arguments: { 'x-expires': REPLY_EXPIRES_MS },
      });
      await channel.bindQueue(queue, this.#names.replyExchange, reply.routingKey);
      const listen = (answer: ConsumeMessage | null): void => {
        if (answer === null || isClosed) return;
        const raw = { receivedMs: this.#clock.now(), routingKey: '', payload: answer.content };
        for (const each of decodeReply({ ...raw, properties: propertiesOf(answer) }, reply.ticket) ?? []) {
          onAnswer(each);
        }
      };
      await channel.consume(queue, listen, { noAck: true });
      const isHeard = await this.#publish(channel, message);
      return {
        ...(!isHeard && { receivers: 0 }),
        close: async () => {
          isClosed = true;
          await channel.close().catch(() => undefined);
        },
      };
    });
  }

  async #publish(
    channel: ConfirmChannel,
    { body, contentType, contentEncoding, headers }: EncodedControl,
  ): Promise<boolean> {
    const message = { exchange: this.#names.requestExchange, routingKey: '', body };
    const options = { contentType, contentEncoding, headers, deliveryMode: 1, priority: 0 };
    return publishConfirmed(channel, this.#clock, message, options);
  }

  /** A channel of its own for each command, left open where `work` succeeds. @throws BrokerUnavailable */
  async #onConfirmChannel<T>(work: (channel: ConfirmChannel) => Promise<T>): Promise<T> {
    const connection = await this.#link.connection();
    let channel: ConfirmChannel | undefined;
    try {
      await declare(connection, this.#names.requestExchange, 'fanout');
      await declare(connection, this.#names.replyExchange, 'direct');
      channel = await connection.model.createConfirmChannel();
      channel.on('error', () => undefined); // told by the rejection
      return await work(channel);
    } catch (error) {
      channel?.close().catch(() => undefined);
      if (error instanceof BrokerUnavailable) throw error;
      throw new BrokerUnavailable(`RabbitMQ does not take commands: ${textOf(error).slice(0, 200)}`, { cause: error });
    }
  }
}

/** kombu's flags (kombu/pidbox.py `Mailbox`); an exchange that is otherwise is used as it is. */
async function declare(connection: AmqpConnection, name: string, type: 'fanout' | 'direct'): Promise<void> {
  try {
    await onChannel(connection, (channel) => channel.assertExchange(name, type, { durable: false }));
  } catch (error) {
    const code = replyCode(error);
    if (code !== 406 && code !== 403) throw error;
    await onChannel(connection, (channel) => channel.checkExchange(name));
  }
}
