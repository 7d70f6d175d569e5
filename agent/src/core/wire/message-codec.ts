import type { MessageProperties, RawMessage } from './message.ts';

const HEAD_BYTES = 8 + 2 + 4;
/** Session and tag of a delivery, behind the head where the length of the properties carries `HAS_DELIVERY`. */
const DELIVERY_BYTES = 8 + 8;
const HAS_DELIVERY = 0x8000_0000;

/** The bytes under which a message lies in a segment file: the broker's own payload behind a small head. */
export function encodeRawMessage(message: RawMessage): Buffer {
  const { delivery } = message;
  const routingKey = Buffer.from(message.routingKey);
  const properties = message.properties === undefined ? '' : JSON.stringify(message.properties);
  const propertyBytes = Buffer.from(properties);
  const keyAt = HEAD_BYTES + (delivery === undefined ? 0 : DELIVERY_BYTES);
  const bytes = Buffer.allocUnsafe(keyAt + routingKey.length + propertyBytes.length + message.payload.length);
  bytes.writeDoubleLE(message.receivedMs, 0);
  bytes.writeUInt16LE(routingKey.length, 8);
  bytes.writeUInt32LE(propertyBytes.length + (delivery === undefined ? 0 : HAS_DELIVERY), 10);
  if (delivery !== undefined) {
    bytes.writeDoubleLE(delivery.session, HEAD_BYTES);
    bytes.writeDoubleLE(delivery.tag, HEAD_BYTES + 8);
  }
  routingKey.copy(bytes, keyAt);
  propertyBytes.copy(bytes, keyAt + routingKey.length);
  message.payload.copy(bytes, keyAt + routingKey.length + propertyBytes.length);
  return bytes;
}

/** Reverses `encodeRawMessage`; undefined when the bytes are not its work. */
export function decodeRawMessage(bytes: Buffer): RawMessage | undefined {
  if (bytes.length < HEAD_BYTES) return undefined;
  const propertyField = bytes.readUInt32LE(10);
  const hasDelivery = propertyField >= HAS_DELIVERY;
  const keyAt = HEAD_BYTES + (hasDelivery ? DELIVERY_BYTES : 0);
  const keyEnd = keyAt + bytes.readUInt16LE(8);
  const propertiesEnd = keyEnd + (propertyField % HAS_DELIVERY);
  if (propertiesEnd > bytes.length) return undefined;
  const head = {
    receivedMs: bytes.readDoubleLE(0),
    routingKey: bytes.toString('utf8', keyAt, keyEnd),
    payload: bytes.subarray(propertiesEnd),
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
