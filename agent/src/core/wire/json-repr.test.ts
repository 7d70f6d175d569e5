import { describe, expect, it } from '@jest/globals';
import { jsonRepr } from './json-repr.ts';

describe('jsonRepr', () => {
  it.each([
    ['[]', '()'],
    ['[1]', '(1,)'],
    ['[1,2]', '(1, 2)'],
    ['[[1, [2]]]', '([1, [2]],)'],
    ['[{"a": [1]}, 2]', "({'a': [1]}, 2)"],
    ['{}', '{}'],
    ['{"it\'s": true, "n": null}', "{\"it's\": True, 'n': None}"],
    ['[12345678901234567890, 1.0, -2e3, NaN, -Infinity]', '(12345678901234567890, 1.0, -2000.0, nan, -inf)'],
    ['["a, [b]\\"\\n"]', "('a, [b]\"\\n',)"],
  ])('%s', (json, repr) => expect(jsonRepr(json)).toBe(repr));

  it('is cut off, however long the text is', () => {
    const repr = jsonRepr(JSON.stringify(['x'.repeat(5_000_000), 1]));
    expect(repr).toHaveLength(1024 + 4);
    expect(repr.endsWith('...)')).toBe(true);
  });
});
