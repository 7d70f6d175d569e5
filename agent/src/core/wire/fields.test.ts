import { describe, expect, it } from '@jest/globals';
import { asDisplayText, asInteger, asNumber, asNumbers, asText } from './fields.ts';
import { WideInteger } from './wide-integer.ts';

const WIDE = new WideInteger('9007199254740993');

describe('fields', () => {
  it('takes only what fits the type', () => {
    expect(['x', '', 1, null, undefined, {}].map(asText)).toEqual(['x', '', null, null, null, null]);
    expect([1.5, 0, NaN, Infinity, '1', true, WIDE, null].map(asNumber)).toEqual(
      [1.5, 0, null, null, null, null, 9007199254740992, null], // prettier-ignore
    );
    expect([2, -1, 1.5, 2 ** 53, '1', WIDE, undefined].map(asInteger)).toEqual([2, -1, null, null, null, null, null]);
    expect([[0.1, 2], [], [1, '2'], [NaN], 'x', null].map(asNumbers)).toEqual([[0.1, 2], [], null, null, null, null]);
  });

  it('shows any value as text', () => {
    expect(['a', 1.5, NaN, WIDE, true, [1, 'b'], { a: null }, null, undefined].map(asDisplayText)).toEqual(
      ['a', '1.5', 'NaN', '9007199254740993', 'true', '[1,"b"]', '{"a":null}', null, null], // prettier-ignore
    );
  });
});
