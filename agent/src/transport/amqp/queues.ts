import type { ConfirmChannel } from 'amqplib';
import { BrokerUnavailable, ControlRefused } from '../../core/control/command.ts';
import type { QueueDepth } from '../../core/control/service.ts';
import type { RawMessage } from '../../core/wire/message.ts';
import type { TaskMessage } from '../../core/wire/task-message.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import type { TaskQueues, Whereabouts } from '../port.ts';
import type { AmqpConnection } from './connection.ts';
import type { CommandLink } from './link.ts';
import type { ManagementApi } from './management.ts';
import { replyCode, textOf } from './problems.ts';
import { publishConfirmed } from './publish.ts';
import { onChannel } from './topology.ts';

const CHECKS_AT_ONCE = 8;
/** A message that went back is the next to be taken: by then some worker should have told of it. */
const REDELIVERY_MS = 300_000;

export interface AmqpQueuesDeps {
  readonly link: CommandLink;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly management: ManagementApi | undefined;
  readonly eventExchange: string;
}

/** Task queues on RabbitMQ (celery-wire 5.4, 6). Declared passively only: they belong to the workers. */
export class AmqpQueues implements TaskQueues {
  readonly #deps: AmqpQueuesDeps;
  #publisher: { readonly connection: AmqpConnection; readonly channel: Promise<ConfirmChannel> } | undefined;
  #managementProblem = '';

  constructor(deps: AmqpQueuesDeps) {
    this.#deps = deps;
  }

  async publish(message: TaskMessage, queue: string): Promise<void> {
    const channel = await this.#confirmChannel();
    const place = { exchange: '', routingKey: queue, body: message.body };
    const isRouted = await publishConfirmed(channel, this.#deps.clock, place, {
      contentType: message.contentType,
      contentEncoding: message.contentEncoding,
      headers: message.headers,
      correlationId: message.id,
      replyTo: '',
      deliveryMode: message.deliveryMode ?? 2,
      priority: message.priority ?? 0,
      ...(message.expirationMs !== undefined && { expiration: String(message.expirationMs) }),
    });
    if (isRouted) return;
    throw new ControlRefused(
      'unknown-queue',
      `RabbitMQ has no queue "${queue}": name one that a worker consumes, or start a worker with -Q ${queue}.`,
      'queue',
    );
  }

  /** Only where the exchange is there: without it nobody listens. */
  async announce(event: Readonly<Record<string, unknown>>): Promise<void> {
    const { link, eventExchange } = this.#deps;
    await onChannel(await link.connection(), async (channel) => {
      await channel.checkExchange(eventExchange);
      channel.publish(eventExchange, 'task.sent', Buffer.from(JSON.stringify(event)), {
        contentType: 'application/json',
        contentEncoding: 'utf-8',
        headers: { hostname: event['hostname'] },
        deliveryMode: 1,
      });
    });
  }

  async depths(names: readonly string[]): Promise<readonly QueueDepth[]> {
    const managed = await this.#askManagement();
    if (managed !== undefined) {
      const byName = new Map(managed.map((depth) => [depth.name, depth]));
      return names.map((name) => byName.get(name) ?? { name });
    }
    if (names.length === 0) return [];
    const connection = await this.#deps.link.connection();
    const depths: QueueDepth[] = [];
    for (let from = 0; from < names.length; from += CHECKS_AT_ONCE) {
      const some = names.slice(from, from + CHECKS_AT_ONCE);
      depths.push(...(await Promise.all(some.map((name) => passiveDepth(connection, name)))));
    }
    return depths;
  }

  /** AMQP itself lists nothing: empty without the management API. */
  async names(): Promise<readonly string[]> {
    return ((await this.#askManagement()) ?? []).map(({ name }) => name);
  }

  /** Of messages nothing can be seen. What a dead worker held goes back to the head of its queue at once. */
  async locate(_taskIds: ReadonlySet<string>, queues: readonly string[]): Promise<Whereabouts> {
    return { found: new Map(), isWhole: false, depths: await this.depths(queues), redeliveryMs: REDELIVERY_MS };
  }

  /** As `findMessage`. */
  eachMessage(): Promise<void> {
    return Promise.resolve();
  }

  /** AMQP has no way to look at a message without taking it, which may reorder the queue. */
  findMessage(): Promise<RawMessage | undefined> {
    return Promise.resolve(undefined);
  }

  /** Undefined where there is none, or it does not answer. */
  async #askManagement(): Promise<readonly QueueDepth[] | undefined> {
    try {
      const queues = await this.#deps.management?.queues();
      this.#managementProblem = '';
      return queues;
    } catch (error) {
      const problem = textOf(error);
      if (problem !== this.#managementProblem) this.#deps.logger.warn(problem);
      this.#managementProblem = problem;
      return undefined;
    }
  }

  async #confirmChannel(): Promise<ConfirmChannel> {
    const connection = await this.#deps.link.connection();
    if (this.#publisher?.connection !== connection) {
      const publisher = { connection, channel: connection.model.createConfirmChannel() };
      this.#publisher = publisher;
      publisher.channel.then(
        (channel) => {
          channel.setMaxListeners(0); // one for each message under way
          channel.on('error', () => undefined);
          channel.on('close', () => {
            if (this.#publisher === publisher) this.#publisher = undefined;
          });
        },
        () => {
          if (this.#publisher === publisher) this.#publisher = undefined;
        },
      );
    }
    try {
      return await this.#publisher.channel;
    } catch (error) {
      throw new BrokerUnavailable(`RabbitMQ takes no messages: ${textOf(error).slice(0, 200)}`, { cause: error });
    }
  }
}

async function passiveDepth(connection: AmqpConnection, name: string): Promise<QueueDepth> {
  try {
    const { messageCount, consumerCount } = await onChannel(connection, (channel) => channel.checkQueue(name));
    return { name, messages: messageCount, consumers: consumerCount };
  } catch (error) {
    // 404: there is none; 405: it belongs to another connection; 403: it may not be looked at.
    if ([403, 404, 405].includes(replyCode(error) ?? 0)) return { name };
    throw new BrokerUnavailable(`RabbitMQ does not tell the length of "${name}": ${textOf(error).slice(0, 200)}`, {
      cause: error,
    });
  }
}
