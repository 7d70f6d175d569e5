import type { CeleryEvent, Decoded, Reject } from '../core/events/event.ts';
import type { RawMessage } from '../core/wire/message.ts';
import { afterIo, type Clock } from '../lib/clock.ts';
import type { SpillQueue } from '../lib/spill/spill-queue.ts';
import { type EventBatch, eventBatch } from '../sinks/port.ts';

/**
 * Longest stretch of decoding without looking at the sockets, ms. A write to the history takes about eight answers of
 * Postgres, each of which waits for a stretch to end, as a scrape does and Redis' buffer.
 */
const SLICE_MS = 2;
/** More than this between two slices is a flood: what Redis holds for the agent is then more than what is held here. */
const FLOOD_BYTES = 256 << 10;
/**
 * How long a flood is only read, ms: Redis throws a subscriber out that is 32 MB behind, while undecoded messages can wait
 * here, in memory and in files. Of a burst of 160 MB that takes a second.
 */
const READ_ONLY_MS = 2000;

export interface IngestDeps {
  /** Where messages wait for their turn. */
  readonly queue: SpillQueue<RawMessage>;
  readonly decode: (message: RawMessage) => Decoded;
  /** As in `eventBatch`. */
  readonly decodeAgain?: ((message: RawMessage) => readonly CeleryEvent[]) | undefined;
  readonly clock: Clock;
  /** Each message, or run of messages, with at least one event, in order. */
  onBatch(batch: EventBatch, nowMs: number): void;
  onReject(reject: Reject): void;
  /** Task events of other slices, left out. */
  onForeign?(events: number): void;
  /** A message or run without any event: nothing more comes of it. */
  onEmpty(message: RawMessage): void;
  /** A message or run that neither memory nor disk had room for. */
  onOverflow(message: RawMessage): void;
  /** False while the history cannot keep up: messages then wait undecoded, where they are smallest. */
  hasRoom(): boolean;
}

export interface Ingest {
  /** Takes a message from the transport; returns at once. */
  accept(message: RawMessage): void;
  /** Looks for work again: there is room again, or an earlier run left messages. */
  wake(): void;
  /** Decodes what waits in memory if there is room; the rest goes to files, and what lies there stays for the next start. */
  close(): Promise<void>;
}

/**
 * The pump between the transport and the sinks. `accept` only puts the message into the queue; decoding happens in
 * slices between turns of the event loop, so that a burst is read as fast as it comes and decoded when there is time.
 */
export function startIngest(deps: IngestDeps): Ingest {
  const { queue, clock } = deps;
  let scheduled = false;
  let acceptedBytes = 0;
  let floodSinceMs: number | undefined;
  let closed = false;

  function wake(): void {
    if (scheduled || closed) return;
    scheduled = true;
    afterIo(runSlice);
  }

  function runSlice(): void {
    scheduled = false;
    if (closed) return;
    if (isReadingFirst()) {
      wake();
      return;
    }
    const until = clock.now() + SLICE_MS;
    while (!queue.empty && deps.hasRoom()) {
      decodeNext();
      if (clock.now() >= until) break;
    }
    if (!queue.empty && deps.hasRoom()) wake();
  }

  function isReadingFirst(): boolean {
    const isFlood = acceptedBytes > FLOOD_BYTES;
    acceptedBytes = 0;
    if (!isFlood) floodSinceMs = undefined;
    else floodSinceMs ??= clock.now();
    return floodSinceMs !== undefined && clock.now() - floodSinceMs < READ_ONLY_MS;
  }

  function decodeNext(): void {
    const [message] = queue.peek(1);
    if (message === undefined) return;
    const nowMs = clock.now();
    const { events, rejects, foreign = 0 } = deps.decode(message);
    for (const reject of rejects) deps.onReject(reject);
    if (foreign > 0) deps.onForeign?.(foreign);
    if (events.length > 0) deps.onBatch(eventBatch(message, events, deps.decodeAgain), nowMs);
    else deps.onEmpty(message);
    queue.commit(1);
  }

  return {
    accept(message) {
      acceptedBytes += message.payload.length;
      if (!queue.push(message)) deps.onOverflow(message);
      wake();
    },
    wake,
    close() {
      while (!queue.empty && queue.diskBytes === 0 && deps.hasRoom()) decodeNext();
      closed = true;
      queue.close();
      return Promise.resolve();
    },
  };
}
