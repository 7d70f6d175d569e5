/** Which events; every member given narrows (AND), the values of one list widen (OR). */
export interface EventFilter {
  /** When it happened by its sender's clock, epoch ms: from inclusive, to exclusive. */
  readonly fromMs: number;
  readonly toMs?: number;
  /** Of the event's task; a trailing or leading `*` makes it a prefix or suffix. */
  readonly names?: readonly string[];
  /** That an event of a task leads to, e.g. `FAILURE`. */
  readonly states?: readonly string[];
  /** On the wire, e.g. `task-failed`; heartbeats of workers are left out unless they are named here. */
  readonly types?: readonly string[];
  /** Node names of senders. */
  readonly workers?: readonly string[];
  /** What must not be; events of which it is not known, and for names and states those of workers, pass. */
  readonly notNames?: readonly string[];
  readonly notStates?: readonly string[];
  readonly notWorkers?: readonly string[];
  readonly taskId?: string;
  /** Anywhere in the event, any case. */
  readonly text?: string;
  /** The oldest first; default the newest. */
  readonly ascending?: boolean;
}

/** An event of a task or a worker, as sent. */
export interface ListedEvent {
  /** Unique and stable. */
  readonly id: string;
  readonly type: string;
  /** Node name of the sender. */
  readonly worker: string;
  /** null: an event of a worker. */
  readonly taskId: string | null;
  readonly name: string | null;
  readonly timestampMs: number;
  readonly receivedMs: number;
  readonly clock: number;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface EventPage {
  readonly events: readonly ListedEvent[];
  /** Opaque; absent on the last page. */
  readonly nextCursor?: string;
}
