/**
 * One Celery event, as its sender wrote it.
 *
 * `fields` is the decoded body, and once decoded never changed or copied: what Celery sent is what the history keeps.
 * The named members are its checked head (celery/events/event.py `Event`, celery/events/state.py `State.event`).
 */
export interface CeleryEvent {
  /** Type on the wire, e.g. `task-received`, `worker-heartbeat`, `task-my-progress`. */
  readonly type: string;
  readonly group: 'task' | 'worker';
  /** Type without its group: `received`, `heartbeat`, `my-progress`. */
  readonly subject: string;
  /** Node name of the sender: a worker `celery@host`, or a publisher `gen123@host` (task-sent). */
  readonly hostname: string;
  /** Task id; empty for worker events. */
  readonly uuid: string;
  /** Sender's clock in epoch **seconds** (float), exactly as sent: Flower prints it back digit by digit. */
  readonly timestamp: number;
  /** Sender's Lamport clock; 0 where it sent none. */
  readonly clock: number;
  /** 53-bit hash of (hostname, type, uuid, clock, timestamp): the same event has it in every replica. */
  readonly identity: number;
  /** Instant of receipt, epoch ms. */
  readonly receivedMs: number;
  /** The whole decoded body. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Why a message or one of its events could not be used; the value of the `reason` label. */
export type RejectReason =
  | 'envelope' // not kombu's JSON envelope
  | 'compression' // unknown, or broken data
  | 'content-type' // a serializer that is not read: an unknown one
  | 'pickle' // refused: unpickling executes code
  | 'body' // the serializer's own syntax is broken
  | 'fields' // decoded, but not an event: no type, uuid, hostname or usable timestamp
  | 'ignored'; // worker-elect and other groups that carry no state

export interface Reject {
  readonly reason: RejectReason;
  /** For the log: names the field and what was there, at most 200 characters. */
  readonly detail: string;
}

export interface Decoded {
  readonly events: CeleryEvent[];
  readonly rejects: Reject[];
  /** Task events left out because they belong to another slice; absent: none. */
  foreign?: number;
}
