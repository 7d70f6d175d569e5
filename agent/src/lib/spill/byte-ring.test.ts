import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ByteRing } from './byte-ring.ts';

it('keeps what it was given until it is let go, whatever comes and goes, also where there is no room', () => {
  const step = fc.record({ bytes: fc.uint8Array({ maxLength: 40 }), releases: fc.nat(4) });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 100 }), fc.array(step, { maxLength: 60 }), (size, steps) => {
      const ring = new ByteRing(size);
      const held: { copy: Buffer; given: Buffer; end: number }[] = [];
      for (const { bytes, releases } of steps) {
        const given = Buffer.from(bytes);
        const lent = Buffer.from(bytes);
        held.push({ given, copy: ring.keep(lent), end: ring.end });
        lent.fill(0xee);
        for (const { given: wanted, copy } of held) expect(copy.equals(wanted)).toBe(true);
        for (const { end } of held.splice(0, releases)) ring.release(end);
      }
    }),
    { numRuns: 300 },
  );
});

it('uses the same memory again', () => {
  const ring = new ByteRing(100);
  const copies = Array.from({ length: 10 }, () => {
    const copy = ring.keep(Buffer.alloc(60));
    ring.release(ring.end);
    return copy;
  });
  expect(new Set(copies.map(({ buffer }) => buffer)).size).toBe(1);
});
