import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { countJsonTokens, parsePythonJson } from './json.ts';
import { HAS_WIDE_INTEGER, survey } from './survey.ts';
import { WideInteger } from './wide-integer.ts';

describe('parsePythonJson', () => {
  it('reads all that JSON.parse reads, alike', () => {
    fc.assert(
      fc.property(fc.json(), fc.constantFrom(undefined, 2, '\t'), (json, space) => {
        // Integers beyond 2^53 are read better than JSON.parse does: the test of wide integers has those.
        fc.pre((survey(JSON.parse(json)) & HAS_WIDE_INTEGER) === 0);
        const text = JSON.stringify(JSON.parse(json), null, space);
        expect(parsePythonJson(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it('reads what only Python writes', () => {
    expect(parsePythonJson('[NaN, Infinity, -Infinity, {"a": NaN}]')).toEqual([NaN, Infinity, -Infinity, { a: NaN }]);
  });

  it('keeps every digit of an integer beyond 2^53, and takes the rest for numbers', () => {
    const text =
      '[9007199254740991, 9007199254740993, -12345678901234567890123, 1e300, 12345678901234567890.0, -0, 0.5]';
    expect(parsePythonJson(text)).toEqual([
      9007199254740991,
      new WideInteger('9007199254740993'),
      new WideInteger('-12345678901234567890123'),
      1e300,
      Number('12345678901234567890'),
      -0,
      0.5,
    ]);
  });

  it('turns a wide integer into its digits for JSON.stringify', () => {
    expect(JSON.stringify({ n: parsePythonJson('9007199254740993') })).toBe('{"n":"9007199254740993"}');
  });

  it('takes escaped quotes and backslashes in strings for what they are', () => {
    const value = ['\\', '"', '\\"', 'a\\\\"b', '\u0000\ud800', ''];
    expect(parsePythonJson(JSON.stringify(value))).toEqual(value);
  });

  it('leaves prototypes alone', () => {
    const value = parsePythonJson('{"__proto__": {"polluted": 1}, "constructor": 2}') as object;
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(Object.keys(value)).toEqual(['__proto__', 'constructor']);
    expect('polluted' in value).toBe(false);
  });

  it.each([
    '',
    ' ',
    '{',
    '[1,]',
    '{"a":}',
    '{"a" 1}',
    '{a: 1}',
    '"open',
    '01',
    '1.',
    'nul',
    'NaNN',
    '[1] 2',
    '+1',
    "'a'",
  ])('refuses %j', (text) => expect(() => parsePythonJson(text)).toThrow(SyntaxError));

  it('refuses a nesting bomb without falling over', () => {
    expect(() => parsePythonJson('['.repeat(1_000_000))).toThrow(SyntaxError);
  });
});

describe('countJsonTokens', () => {
  it('counts brackets, braces and commas outside of strings', () => {
    expect(countJsonTokens(Buffer.from('{"a,[{": [1, 2, "\\",,"]}'), 100)).toBe(4);
  });

  it('stops above the limit', () => {
    expect(countJsonTokens(Buffer.from('['.repeat(1000)), 10)).toBe(11);
  });
});
