import { describe, expect, it } from '@jest/globals';
import type { Target } from './command.ts';
import { matchesGlob } from './glob.ts';
import { checkTarget, reachedBy, readTarget } from './target.ts';

describe('a target', () => {
  it('that names no worker is never made, and never sent', () => {
    expect(() => readTarget({ workers: [] })).toThrow(/an empty list would reach every worker/);
    for (const wrong of [
      { kind: 'workers', workers: [] },
      { kind: 'workers', workers: undefined },
      { kind: 'workers', workers: 'w1@host' },
      { kind: 'workers', workers: [''] },
      { kind: 'pattern', pattern: 'w*' },
      { kind: 'pattern', pattern: '', matcher: 'glob' },
      { kind: 'pattern', pattern: 'w*', matcher: 'regex' },
    ]) {
      expect(() => checkTarget(wrong as unknown as Target)).toThrow();
    }
  });

  it('is all workers only where neither names nor a pattern are given', () => {
    expect(readTarget({})).toEqual({ kind: 'all' });
    expect(readTarget({ workers: ['a@h', 'a@h'] })).toEqual({ kind: 'workers', workers: ['a@h'] });
    expect(readTarget({ pattern: 'a*' })).toEqual({ kind: 'pattern', pattern: 'a*', matcher: 'glob' });
    expect(() => readTarget({ pattern: 'a*', workers: ['a@h'] })).toThrow(/together/);
  });

  it('reaches those of the known workers that it means', () => {
    const online = ['a1@h', 'a2@h', 'b1@h'];
    expect(reachedBy({ kind: 'pattern', pattern: 'a?@*', matcher: 'glob' }, online).workers).toEqual(['a1@h', 'a2@h']);
    expect(reachedBy({ kind: 'pattern', pattern: '^a', matcher: 'pcre' }, online)).toEqual({
      workers: online,
      certain: false,
    });
  });
});

/** As `fnmatch.fnmatch` of CPython 3.11 answers on Linux. */
describe('a glob', () => {
  it.each([
    ['*', '', true],
    ['w?@*', 'w1@host', true],
    ['w?@*', 'w12@host', false],
    ['*a*b*', 'xxaxxbxx', true],
    ['*a*b', 'abab', true],
    ['*a*b', 'aba', false],
    ['[a-c]1', 'b1', true],
    ['[!a-c]1', 'b1', false],
    ['[]a]', ']', true],
    ['[!]a]', ']', false],
    ['[^a]', '^', true],
    ['[c-a]', 'b', false],
    ['[!c-a]', 'b', true],
    ['a[', 'a[', true],
    ['[a-', '[a-', true],
    ['{a,b}', 'a', false],
    ['W*', 'w1', false],
    ['?', '🎉', true],
  ])('%s of %s: %s', (pattern, text, matches) => {
    expect(matchesGlob(pattern, text)).toBe(matches);
  });

  it('does not try for ever', () => {
    expect(matchesGlob('*a'.repeat(200), 'a'.repeat(5000))).toBe(true);
    expect(matchesGlob(`${'*a'.repeat(200)}b`, 'a'.repeat(5000))).toBe(false);
  });
});
