import { decodeMessage } from '../core/events/decode.ts';
import type { Decoded } from '../core/events/event.ts';
import type { Slice } from '../core/events/slice.ts';
import type { Masker } from '../core/mask/mask.ts';
import type { RawMessage } from '../core/wire/message.ts';

/** Decodes, and takes the secrets out before any sink sees the events; the log neither, which quotes what it rejects. */
export function maskedDecoder(masker: Masker, slice: Slice): (message: RawMessage) => Decoded {
  return (message) => {
    const decoded = decodeMessage(message, slice);
    const { events, rejects } = decoded;
    for (const [index, event] of events.entries()) events[index] = masker.event(event);
    if (rejects.length === 0) return decoded;
    return { ...decoded, rejects: rejects.map((reject) => ({ ...reject, detail: masker.text(reject.detail) })) };
  };
}
