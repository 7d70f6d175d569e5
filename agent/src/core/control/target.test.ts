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
    const like = (pattern: string, matcher: 'glob' | 'pcre') =>
      reachedBy({ kind: 'pattern', pattern, matcher }, online);
    expect(like('a?@*', 'glob')).toEqual(['a1@h', 'a2@h']);
    expect(like('(a|c)\\d@h', 'pcre')).toEqual(['a1@h', 'a2@h']);
    expect(like('1', 'pcre')).toEqual([]);
  });
});

/** As `re.match` of CPython 3.11 answers. */
describe('a regular expression', () => {
  it.each([
    ['(pre|thr)@h', 'pre@host', true],
    ['(pre|thr)@h', 'solo@host', false],
    ['a|b', 'xb', false],
    ['w\\d+@', 'w12@h', true],
    ['w[0-9]{1,2}@', 'w123@h', false],
    ['\\w+\\@', 'wé1@h', true],
    ['[^\\W]', 'w', 'refused'],
    ['[\\w.-]+$', 'a.b-c', true],
    ['(?!a).', 'b', true],
    ['a]', 'a]', true],
    ['a\\-b', 'a-b', true],
    ['(', '', 'refused'],
    ['*a', '', 'refused'],
    ['[', '', 'refused'],
    ['a**', '', 'refused'],
    ['(?P<n>a)', '', 'refused'],
    ['(?<n>a)', '', 'refused'],
    ['(?<=a)b', '', 'refused'],
    ['(?i)a', '', 'refused'],
    ['a\\Z', '', 'refused'],
    ['(a)\\1', '', 'refused'],
    ['[[a]]', '', 'refused'],
    ['a++', '', 'refused'],
    ['[^]]', '', 'refused'],
    ['[^^]', 'a', true],
    ['(a+)+', '', 'refused'],
    ['.*.*.*.*.*x', '', 'refused'],
  ])('%s of %s: %s', (pattern, text, matches) => {
    const target = { pattern, matcher: 'pcre' };
    if (matches === 'refused') {
      expect(() => readTarget(target)).toThrow(expect.objectContaining({ code: 'bad-argument', field: 'pattern' }));
    } else {
      expect(reachedBy(readTarget(target), [text])).toEqual(matches ? [text] : []);
    }
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
