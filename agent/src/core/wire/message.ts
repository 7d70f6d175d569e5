/** AMQP's native message properties that decoding needs; on Redis the envelope carries them. */
export interface MessageProperties {
  readonly contentType?: string;
  readonly contentEncoding?: string;
  /** AMQP `application_headers`, e.g. `compression`. */
  readonly headers?: Readonly<Record<string, unknown>>;
}

/** What a broker that waits for acknowledgements knows a message by. */
export interface Delivery {
  /** Differs from connection to connection, and from process to process. */
  readonly session: number;
  /** AMQP delivery tag. */
  readonly tag: number;
}

/**
 * A message of the event exchange as a transport received it, or a run of them (Redis: what one read of the socket brought,
 * up to some 64 KiB): bytes, not yet decoded. A run costs little more than one message does.
 */
export interface RawMessage {
  /** Instant of receipt, epoch ms. */
  readonly receivedMs: number;
  /** Routing key such as `task.multi`; empty where it is not read (events of Redis). */
  readonly routingKey: string;
  /**
   * Redis: kombu's JSON envelope (celery-wire 1.1). AMQP: the body alone, and `properties` is set. Of a run: its messages,
   * and between them what stood there on the wire.
   */
  readonly payload: Buffer;
  /** Of a run: where each message begins and ends in `payload`, one after the other, in order. Redis alone. */
  readonly spans?: Uint32Array;
  readonly properties?: MessageProperties;
  /** To be settled with the transport once the message needs no more keeping; absent on Redis. */
  readonly delivery?: Delivery;
}

/** Messages of the broker. */
export function countMessages({ spans }: RawMessage): number {
  return spans === undefined ? 1 : spans.length / 2;
}
