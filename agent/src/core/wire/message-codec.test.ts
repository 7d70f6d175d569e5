import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decodeRawMessage, encodeRawMessage } from './message-codec.ts';
import type { RawMessage } from './message.ts';

const message = fc.record(
  {
    receivedMs: fc.nat(),
    routingKey: fc.string({ unit: 'binary', maxLength: 300 }),
    payload: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    properties: fc.record({ contentType: fc.string(), headers: fc.dictionary(fc.string(), fc.string()) }),
    delivery: fc.record({ session: fc.nat({ max: 2 ** 48 }), tag: fc.maxSafeNat() }),
  },
  { requiredKeys: ['receivedMs', 'routingKey', 'payload'] },
);

describe('a message in a segment file', () => {
  it('comes back as it was, with its delivery', () => {
    fc.assert(
      fc.property(message, (given) => {
        const raw = JSON.parse(JSON.stringify({ ...given, payload: undefined })) as Omit<RawMessage, 'payload'>;
        expect(decodeRawMessage(encodeRawMessage({ ...raw, payload: given.payload }))).toEqual({
          ...raw,
          payload: given.payload,
        });
      }),
    );
  });

  it('of a file that was written before there were deliveries is read too', () => {
    const head = Buffer.alloc(14);
    head.writeDoubleLE(7, 0);
    head.writeUInt16LE(1, 8);
    head.writeUInt32LE(2, 10);
    const bytes = Buffer.concat([head, Buffer.from('k{}body')]);
    expect(decodeRawMessage(bytes)).toEqual({
      receivedMs: 7,
      routingKey: 'k',
      properties: {},
      payload: Buffer.from('body'),
    });
  });

  it('is undefined where the bytes are torn', () => {
    const bytes = encodeRawMessage({
      receivedMs: 1,
      routingKey: 'key',
      payload: Buffer.alloc(0),
      properties: { contentType: 'application/json' },
      delivery: { session: 1, tag: 2 },
    });
    for (let length = 0; length < bytes.length; length += 1) {
      expect(decodeRawMessage(bytes.subarray(0, length))).toBeUndefined();
    }
  });
});
