/** Every kind of message that is no usable Celery event; `rejects`: how many events must be counted under `reason`. */
export function malformedMessages(): readonly {
  readonly name: string;
  readonly reason: string;
  readonly payload: Buffer;
  readonly rejects: number;
  /** Routing key. */
  readonly channel: string;
}[];
