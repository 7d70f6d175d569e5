import type { MessageProperties, RawMessage } from './message.ts';

const HEAD_BYTES = 8 + 2 + 4;
/** Session and tag of a delivery, behind the head where the length of the properties carries `HAS_DELIVERY`. */
const DELIVERY_BYTES = 8 + 8;
const HAS_DELIVERY = 0x8000_0000;
/** A run: behind those the number of its messages, and where each begins and ends, where the length carries this. */
const HAS_SPANS = 0x4000_0000;
const LENGTH_BITS = 0x3fff_ffff;
const COUNT_BYTES = 4;
const SPAN_BYTES = 4 + 4;

/**
 * The bytes under which a message, or a run of them, lies in a segment file, in pieces that follow each other: a small head,
 * and the broker's own payload, which is not copied.
 */
export function encodeRawMessage(message: RawMessage): readonly [head: Buffer, payload: Buffer] {
  const { delivery, spans } = message;
  const routingKey = Buffer.from(message.routingKey);
  const properties = Buffer.from(message.properties === undefined ? '' : JSON.stringify(message.properties));
  const spansAt = HEAD_BYTES + (delivery === undefined ? 0 : DELIVERY_BYTES);
  const keyAt = spansAt + (spans === undefined ? 0 : COUNT_BYTES + spans.byteLength);
  const head = Buffer.allocUnsafe(keyAt + routingKey.length + properties.length);
  head.writeDoubleLE(message.receivedMs, 0);
  head.writeUInt16LE(routingKey.length, 8);
  const flags = (delivery === undefined ? 0 : HAS_DELIVERY) + (spans === undefined ? 0 : HAS_SPANS);
  head.writeUInt32LE(properties.length + flags, 10);
  if (delivery !== undefined) {
    head.writeDoubleLE(delivery.session, HEAD_BYTES);
    head.writeDoubleLE(delivery.tag, HEAD_BYTES + 8);
  }
  if (spans !== undefined) {
    head.writeUInt32LE(spans.length / 2, spansAt);
    for (const [n, at] of spans.entries()) head.writeUInt32LE(at, spansAt + COUNT_BYTES + 4 * n);
  }
  routingKey.copy(head, keyAt);
  properties.copy(head, keyAt + routingKey.length);
  return [head, message.payload];
}

/** Reverses `encodeRawMessage`; undefined when the bytes are not its work. */
export function decodeRawMessage(bytes: Buffer): RawMessage | undefined {
  if (bytes.length < HEAD_BYTES) return undefined;
  const lengthAndFlags = bytes.readUInt32LE(10);
  const hasDelivery = lengthAndFlags >= HAS_DELIVERY;
  const spansAt = HEAD_BYTES + (hasDelivery ? DELIVERY_BYTES : 0);
  const spansBytes = (lengthAndFlags & HAS_SPANS) === 0 ? 0 : bytesOfSpans(bytes, spansAt);
  const keyAt = spansAt + spansBytes;
  const keyEnd = keyAt + bytes.readUInt16LE(8);
  const propertiesEnd = keyEnd + (lengthAndFlags & LENGTH_BITS);
  if (propertiesEnd > bytes.length) return undefined;
  const payload = bytes.subarray(propertiesEnd);
  const spans = spansBytes === 0 ? undefined : readSpans(bytes.subarray(spansAt + COUNT_BYTES, keyAt));
  if (spans !== undefined && !areWithin(spans, payload.length)) return undefined;
  const head = {
    receivedMs: bytes.readDoubleLE(0),
    routingKey: bytes.toString('utf8', keyAt, keyEnd),
    payload,
    ...(spans !== undefined && { spans }),
    ...(hasDelivery && {
      delivery: { session: bytes.readDoubleLE(HEAD_BYTES), tag: bytes.readDoubleLE(HEAD_BYTES + 8) },
    }),
  };
  if (propertiesEnd === keyEnd) return head;
  try {
    return { ...head, properties: JSON.parse(bytes.toString('utf8', keyEnd, propertiesEnd)) as MessageProperties };
  } catch {
    return undefined;
  }
}

/** Infinite where the bytes end before the count. */
function bytesOfSpans(bytes: Buffer, at: number): number {
  return at + COUNT_BYTES > bytes.length ? Infinity : COUNT_BYTES + SPAN_BYTES * bytes.readUInt32LE(at);
}

function readSpans(bytes: Buffer): Uint32Array {
  const spans = new Uint32Array(bytes.length / 4);
  for (let n = 0; n < spans.length; n += 1) spans[n] = bytes.readUInt32LE(4 * n);
  return spans;
}

/** One after the other, none beyond the end. */
function areWithin(spans: Uint32Array, bytes: number): boolean {
  let last = 0;
  for (const at of spans) {
    if (at < last) return false;
    last = at;
  }
  return last <= bytes;
}
