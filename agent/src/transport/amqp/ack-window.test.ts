import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { AckWindow } from './ack-window.ts';

describe('AckWindow', () => {
  it('acknowledges up to the first delivery that is open, in whatever order they are settled', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(Array.from({ length: 30 }, (_, index) => index + 1)), (tags) => {
        const window = new AckWindow();
        const settled = new Set<number>();
        let acknowledged = 0;
        for (const tag of tags) {
          window.settle(tag);
          window.settle(tag);
          settled.add(tag);
          let prefix = 0;
          while (settled.has(prefix + 1)) prefix += 1;
          expect(window.take()).toBe(prefix > acknowledged ? prefix : undefined);
          acknowledged = prefix;
        }
      }),
    );
  });
});
