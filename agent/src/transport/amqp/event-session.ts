import type { Channel, ConsumeMessage, Message } from 'amqplib';
import type { Delivery, MessageProperties, RawMessage } from '../../core/wire/message.ts';
import type { Clock } from '../../lib/clock.ts';
import { AckWindow } from './ack-window.ts';
import type { AmqpConnection } from './connection.ts';
import { PlainProblem } from '../plain-problem.ts';

/** Acknowledgements are gathered for this long. */
const ACK_EVERY_MS = 50;
const CLOSE_PATIENCE_MS = 2000;

export interface EventSessionDeps {
  readonly connection: AmqpConnection;
  readonly queue: string;
  /** Messages delivered and not yet settled, at most. */
  readonly prefetch: number;
  /** The broker forgets each message as it is sent; default false. */
  readonly noAck?: boolean;
  readonly clock: Clock;
  onMessage(message: RawMessage): void;
}

/** One consumer on one channel; its deliveries end with it. */
export interface EventSession {
  /** `Delivery.session` of its messages. */
  readonly id: number;
  /** Why it ended; undefined after `close` and where the broker gave no reason. */
  readonly ended: Promise<Error | undefined>;
  settle(deliveries: readonly Delivery[]): void;
  /** Acknowledges what is settled and stops. */
  close(): Promise<void>;
}

/** The broker ended the consumer: its queue was deleted, moved away, or waited too long (`consumer_timeout`). */
export class ConsumerCancelled extends PlainProblem {}

/** Starts to consume. @throws amqplib's error */
export async function openEventSession(deps: EventSessionDeps): Promise<EventSession> {
  const channel = await deps.connection.model.createChannel();
  const session = new ConsumingSession(deps, channel);
  await channel.prefetch(deps.prefetch);
  await channel.consume(deps.queue, (message) => session.accept(message), { noAck: deps.noAck ?? false });
  return session;
}

class ConsumingSession implements EventSession {
  /** Random, so that what an earlier process left in its files is not taken for ours. */
  readonly id = Math.floor(Math.random() * 2 ** 48);
  readonly ended: Promise<Error | undefined>;
  readonly #deps: EventSessionDeps;
  readonly #channel: Channel;
  readonly #window = new AckWindow();
  #end: (error: Error | undefined) => void = () => undefined;
  #isOver = false;
  #closing: Promise<void> | undefined;
  #cancelFlush: (() => void) | undefined;

  constructor(deps: EventSessionDeps, channel: Channel) {
    this.#deps = deps;
    this.#channel = channel;
    this.ended = new Promise((resolve) => {
      this.#end = (error) => {
        this.#isOver = true;
        resolve(error);
      };
    });
    channel.on('error', (error) => this.#end(error));
    channel.on('close', () => {
      // An error of the whole connection closes its channels first.
      if (deps.connection.isEnded()) void deps.connection.ended.then(this.#end);
      else void Promise.race([deps.connection.ended, Promise.resolve(undefined)]).then(this.#end);
    });
    void deps.connection.ended.then(this.#end);
  }

  accept(message: ConsumeMessage | null): void {
    if (message === null) {
      const { queue } = this.#deps;
      this.#end(new ConsumerCancelled(`rabbitmq ended the consumer of the queue ${queue}: was the queue deleted?`));
      return;
    }
    if (this.#isOver) return;
    const { fields } = message;
    this.#deps.onMessage({
      receivedMs: this.#deps.clock.now(),
      routingKey: fields.routingKey,
      payload: message.content,
      properties: propertiesOf(message),
      ...(this.#deps.noAck !== true && { delivery: { session: this.id, tag: fields.deliveryTag } }),
    });
  }

  settle(deliveries: readonly Delivery[]): void {
    for (const { session, tag } of deliveries) if (session === this.id) this.#window.settle(tag);
    this.#cancelFlush ??= this.#deps.clock.after(ACK_EVERY_MS, () => {
      this.#cancelFlush = undefined;
      this.#flush();
    });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#cancelFlush?.();
    this.#flush();
    this.#end(undefined);
    let cancel = (): void => undefined;
    const late = new Promise<void>((resolve) => {
      cancel = this.#deps.clock.after(CLOSE_PATIENCE_MS, resolve); // of a broker that hangs, no answer comes
    });
    await Promise.race([this.#channel.close().catch(() => undefined), late]);
    cancel();
  }

  #flush(): void {
    const tag = this.#isOver ? undefined : this.#window.take();
    if (tag === undefined) return;
    try {
      this.#channel.ack({ fields: { deliveryTag: tag } } as unknown as Message, true);
    } catch {
      // The channel has just ended: the broker delivers them again.
    }
  }
}

/** AMQP's properties that decoding needs. */
export function propertiesOf({ properties }: Pick<Message, 'properties'>): MessageProperties {
  const { contentType, contentEncoding, headers } = properties as {
    readonly [K in 'contentType' | 'contentEncoding' | 'headers']: unknown;
  };
  return {
    ...(typeof contentType === 'string' && { contentType }),
    ...(typeof contentEncoding === 'string' && { contentEncoding }),
    ...(typeof headers === 'object' && headers !== null && { headers: headers as Record<string, unknown> }),
  };
}
