import type { RawMessage } from '../core/wire/message.ts';
import type { CeleryEvent } from '../core/events/event.ts';

/** What came out of one message of the event exchange, or of a run of them. */
export interface EventBatch {
  /** Kept so that a sink which must put the batch aside can write the broker's own bytes. */
  readonly message: RawMessage;
  /** Decoded once more where they were let go of. */
  readonly events: readonly CeleryEvent[];
  /** How many they are. */
  readonly size: number;
  /** They are not needed for now. */
  release(): void;
}

/**
 * The events of a message. With `decode` they can be let go of: what waits for the database as objects is what the
 * collector has to move, and decoding once more costs less where it is needed after all.
 *
 * @param decode gives the same events of the same message; absent: they are kept
 */
export function eventBatch(
  message: RawMessage,
  events: readonly CeleryEvent[],
  decode?: (message: RawMessage) => readonly CeleryEvent[],
): EventBatch {
  return new DecodedBatch(message, events, decode);
}

class DecodedBatch implements EventBatch {
  readonly message: RawMessage;
  readonly size: number;
  #events: readonly CeleryEvent[] | undefined;
  readonly #decode: ((message: RawMessage) => readonly CeleryEvent[]) | undefined;

  constructor(
    message: RawMessage,
    events: readonly CeleryEvent[],
    decode: ((message: RawMessage) => readonly CeleryEvent[]) | undefined,
  ) {
    this.message = message;
    this.size = events.length;
    this.#events = events;
    this.#decode = decode;
  }

  get events(): readonly CeleryEvent[] {
    return (this.#events ??= this.#decode?.(this.message) ?? []);
  }

  release(): void {
    if (this.#decode !== undefined) this.#events = undefined;
  }
}
