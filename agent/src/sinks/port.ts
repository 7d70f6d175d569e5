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
