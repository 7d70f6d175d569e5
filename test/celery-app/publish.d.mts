/** An event message as RabbitMQ gets it. */
export interface AmqpEventMessage {
  readonly routingKey: string;
  readonly payload: Buffer;
  /** Events in it. */
  readonly events: number;
}

/** Three events for each task: received, started, then succeeded or, for every fiftieth, failed. */
export function amqpMessages(options: {
  readonly tasks: number;
  /** Events in a message, default 20. */
  readonly batch?: number;
  /** Epoch ms of the first event's timestamp, default now. */
  readonly startMs?: number;
}): Iterable<AmqpEventMessage>;

/** A heartbeat that keeps the synthetic worker `w${worker + 1}@bench` online. */
export function heartbeat(worker: number, clock: number): Readonly<Record<string, unknown>>;

/** kombu's envelope around a body, as it is published on Redis. */
export function envelope(body: unknown, routingKey: string): string;

/** The same events as commands for Redis. */
export function encodedMessages(options: {
  readonly tasks: number;
  readonly batch?: number;
  readonly db?: number;
  readonly startMs?: number;
}): Iterable<{ readonly command: Buffer; readonly events: number }>;

/** Writes commands to Redis and resolves when it has answered them all. */
export function publish(
  url: string,
  messages: Iterable<{ readonly command: Buffer; readonly events: number }>,
): Promise<{ readonly events: number; readonly messages: number; readonly seconds: number }>;
