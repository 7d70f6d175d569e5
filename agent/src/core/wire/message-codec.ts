import type { MessageProperties, RawMessage } from './message.ts';

const HEAD_BYTES = 8 + 2 + 4;

/** The bytes under which a message lies in a segment file: the broker's own payload behind a small head. */
export function encodeRawMessage(message: RawMessage): Buffer {
  const routingKey = Buffer.from(message.routingKey);
  const properties = message.properties === undefined ? '' : JSON.stringify(message.properties);
  const propertyBytes = Buffer.from(properties);
  const bytes = Buffer.allocUnsafe(HEAD_BYTES + routingKey.length + propertyBytes.length + message.payload.length);
  bytes.writeDoubleLE(message.receivedMs, 0);
  bytes.writeUInt16LE(routingKey.length, 8);
  bytes.writeUInt32LE(propertyBytes.length, 10);
  routingKey.copy(bytes, HEAD_BYTES);
  propertyBytes.copy(bytes, HEAD_BYTES + routingKey.length);
  message.payload.copy(bytes, HEAD_BYTES + routingKey.length + propertyBytes.length);
  return bytes;
}

/** Reverses `encodeRawMessage`; undefined when the bytes are not its work. */
export function decodeRawMessage(bytes: Buffer): RawMessage | undefined {
  if (bytes.length < HEAD_BYTES) return undefined;
  const keyEnd = HEAD_BYTES + bytes.readUInt16LE(8);
  const propertiesEnd = keyEnd + bytes.readUInt32LE(10);
  if (propertiesEnd > bytes.length) return undefined;
  const head = {
    receivedMs: bytes.readDoubleLE(0),
    routingKey: bytes.toString('utf8', HEAD_BYTES, keyEnd),
    payload: bytes.subarray(propertiesEnd),
  };
  if (propertiesEnd === keyEnd) return head;
  try {
    return { ...head, properties: JSON.parse(bytes.toString('utf8', keyEnd, propertiesEnd)) as MessageProperties };
  } catch {
    return undefined;
  }
}
