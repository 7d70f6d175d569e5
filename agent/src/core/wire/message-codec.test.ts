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

/** A run whose messages stand anywhere, in order. */
const run = fc
  .record({
    receivedMs: fc.nat(),
    payload: fc.uint8Array({ minLength: 1, maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    cuts: fc.array(fc.nat(300), { maxLength: 40 }),
  })
  .map(({ receivedMs, payload, cuts }) => {
    const ends = cuts.map((cut) => cut % (payload.length + 1)).toSorted((a, b) => a - b);
    const spans = Uint32Array.from(ends.slice(0, ends.length - (ends.length % 2)));
    return { receivedMs, routingKey: '', payload, spans };
  });

const recordOf = (raw: RawMessage): Buffer => Buffer.concat(encodeRawMessage(raw));

describe('a message in a segment file', () => {
  it('comes back as it was, with its delivery', () => {
    fc.assert(
      fc.property(message, (given) => {
        const raw = JSON.parse(JSON.stringify({ ...given, payload: undefined })) as Omit<RawMessage, 'payload'>;
        expect(decodeRawMessage(recordOf({ ...raw, payload: given.payload }))).toEqual({
          ...raw,
          payload: given.payload,
        });
      }),
    );
  });

  it('comes back as it was, where it is a run', () => {
    fc.assert(
      fc.property(run, (given) => {
        expect(decodeRawMessage(recordOf(given))).toEqual(given);
      }),
    );
  });

  it.each([
    ['beyond the end', [0, 3, 3, 12]],
    ['not in order', [4, 8, 0, 4]],
  ])('is undefined where the messages of a run stand %s', (_what, spans) => {
    const given = { receivedMs: 1, routingKey: '', payload: Buffer.alloc(10), spans: Uint32Array.from(spans) };
    expect(decodeRawMessage(recordOf(given))).toBeUndefined();
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
    const message = { receivedMs: 1, routingKey: 'key', payload: Buffer.alloc(0) };
    const whole = [
      { ...message, properties: { contentType: 'application/json' }, delivery: { session: 1, tag: 2 } },
      { ...message, payload: Buffer.alloc(1), spans: Uint32Array.of(0, 1) },
    ];
    for (const bytes of whole.map(recordOf)) {
      for (let length = 0; length < bytes.length; length += 1) {
        expect(decodeRawMessage(bytes.subarray(0, length))).toBeUndefined();
      }
    }
  });
});
