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

/** A message of the event exchange as a transport received it: bytes, not yet decoded. */
export interface RawMessage {
  /** Instant of receipt, epoch ms. */
  readonly receivedMs: number;
  /** Routing key such as `task.multi`; empty where the channel carries none (`fanout_patterns=False`). */
  readonly routingKey: string;
  /** Redis: kombu's JSON envelope (celery-wire 1.1). AMQP: the body alone, and `properties` is set. */
  readonly payload: Buffer;
  readonly properties?: MessageProperties;
  /** To be settled with the transport once the message needs no more keeping; absent on Redis. */
  readonly delivery?: Delivery;
}
