import type { CeleryEvent, Decoded } from '../core/events/event.ts';
import { decodeRawMessage, encodeRawMessage } from '../core/wire/message-codec.ts';
import type { RawMessage } from '../core/wire/message.ts';
import type { SpillCodec } from '../lib/spill/spill-queue.ts';
import { type EventBatch, eventBatch } from '../sinks/port.ts';

/** A message's members beside its payload. */
const MESSAGE_OVERHEAD = 200;
/** Measured: decoded events take about three times their base64 payload as objects. */
const DECODED_FACTOR = 3;
/** Where they can be let go of, most of what waits is without them. */
const RELEASED_FACTOR = 1.5;

function weigh({ payload, spans }: RawMessage): number {
  return payload.length + (spans?.byteLength ?? 0) + MESSAGE_OVERHEAD;
}

function hold(message: RawMessage, keep: (bytes: Buffer) => Buffer): RawMessage {
  return { ...message, payload: keep(message.payload) };
}

export const messageCodec: SpillCodec<RawMessage> = {
  weigh,
  hold,
  encode: encodeRawMessage,
  decode: decodeRawMessage,
};

/**
 * Decoded batches in memory, the broker's own bytes in files: read back, they are decoded again. `decodeAgain` as in
 * `eventBatch`.
 */
export function batchCodec(
  decode: (message: RawMessage) => Decoded,
  decodeAgain?: (message: RawMessage) => readonly CeleryEvent[],
): SpillCodec<EventBatch> {
  const factor = decodeAgain === undefined ? DECODED_FACTOR : RELEASED_FACTOR;
  return {
    weigh: ({ message }) => weigh(message) * factor,
    hold: ({ message, events }, keep) => eventBatch(hold(message, keep), events, decodeAgain),
    encode: ({ message }) => encodeRawMessage(message),
    decode(record) {
      const message = decodeRawMessage(record);
      return message === undefined ? undefined : eventBatch(message, decode(message).events, decodeAgain);
    },
  };
}
