import { describe, expect, it } from '@jest/globals';
import { floatText, reprintedText, stringText, valueText } from './python-json.ts';

describe('floatText', () => {
  it.each([
    [0, '0.0'],
    [-0, '-0.0'],
    [1795405139, '1795405139.0'],
    [1795405139.921234, '1795405139.921234'],
    [9999999999999998, '9999999999999998.0'],
    [1e16, '1e+16'],
    [-1.5e300, '-1.5e+300'],
    [0.0001, '0.0001'],
    [0.00001234, '1.234e-05'],
    [5e-324, '5e-324'],
    [NaN, 'NaN'],
    [-Infinity, '-Infinity'],
  ])('%p is %s', (value, text) => expect(floatText(value)).toBe(text));
});

describe('stringText', () => {
  it.each([
    ['é\u{1f600}\u007f\ud800', '"\\u00e9\\ud83d\\ude00\\u007f\\ud800"'],
    ['"\\\n\u0000</script>', '"\\"\\\\\\n\\u0000<\\/script>"'],
  ])('%j', (value, text) => expect(stringText(value)).toBe(text));
});

describe('valueText', () => {
  it('keeps whole numbers whole, whatever their size', () => {
    expect(valueText({ a: [1, 0.5, null, true], b: 12345678901234567890n, c: {} })).toBe(
      '{"a": [1, 0.5, null, true], "b": 12345678901234567890, "c": {}}',
    );
  });
});

describe('reprintedText', () => {
  it.each([
    ['3.0', '3.0'],
    ['[1,-2.50,1E2,1e16,12345678901234567890,-0,-0.0]', '[1, -2.5, 100.0, 1e+16, 12345678901234567890, 0, -0.0]'],
    ['{"é, [\\"1.0\\"]":{ "</a>" :null},\n"n":[true,NaN,-Infinity,[],{}]}', null],
  ])('%s', (json, text) =>
    expect(reprintedText(json)).toBe(
      text ?? '{"\\u00e9, [\\"1.0\\"]": {"<\\/a>": null}, "n": [true, NaN, -Infinity, [], {}]}',
    ),
  );
});
