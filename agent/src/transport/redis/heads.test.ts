import { describe, expect, it } from '@jest/globals';
import { HeadWatch } from './heads.ts';

describe('the first messages of a queue', () => {
  it('have waited since they were seen first', () => {
    const heads = new HeadWatch();
    expect(heads.seen('q', ['a'], 1000)).toBeUndefined();
    expect(heads.seen('q', ['a'], 2000)).toBe(1000);
    expect(heads.seen('other', ['a'], 2000)).toBeUndefined();
    expect(heads.seen('q', ['b'], 3000)).toBeUndefined();
    expect(heads.seen('q', ['b'], 4000)).toBe(3000);
  });

  it('are as old as that which is there longest, of several priorities', () => {
    const heads = new HeadWatch();
    heads.seen('q', ['a'], 1000);
    expect(heads.seen('q', ['a', 'urgent'], 2000)).toBe(1000);
    expect(heads.seen('q', ['urgent'], 3000)).toBe(2000);
  });

  it('are forgotten when the queue is empty', () => {
    const heads = new HeadWatch();
    heads.seen('q', ['a'], 1000);
    expect(heads.seen('q', [], 2000)).toBeUndefined();
    expect(heads.seen('q', ['a'], 3000)).toBeUndefined();
  });
});
