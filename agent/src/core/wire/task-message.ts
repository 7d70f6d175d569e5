/** A task message of protocol 2 (celery/app/amqp.py `as_task_v2`), before it is wrapped for the broker. */
export interface TaskMessage {
  readonly id: string;
  readonly name: string;
  /** `[args, kwargs, embed]` in the content type's form. */
  readonly body: Buffer;
  readonly contentType: string;
  readonly contentEncoding: string;
  readonly headers: Readonly<Record<string, unknown>>;
  /** 0 to 255; undefined: none asked for. */
  readonly priority?: number;
  /** Milliseconds the broker may keep it, where it can (AMQP `expiration`). */
  readonly expirationMs?: number;
}
