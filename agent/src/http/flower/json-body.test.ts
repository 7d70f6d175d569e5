import { describe, expect, it } from '@jest/globals';
import { JsonFault, membersOf } from './json-body.ts';

/** What Python 3.11's json.loads says. */
const FAULTS: readonly (readonly [string, string])[] = [
  ['', 'Expecting value: line 1 column 1 (char 0)'],
  ['  ', 'Expecting value: line 1 column 3 (char 2)'],
  ['{', 'Expecting property name enclosed in double quotes: line 1 column 2 (char 1)'],
  ['[', 'Expecting value: line 1 column 2 (char 1)'],
  ['{"a"', "Expecting ':' delimiter: line 1 column 5 (char 4)"],
  ['{"a":', 'Expecting value: line 1 column 6 (char 5)'],
  ['{"a" 1}', "Expecting ':' delimiter: line 1 column 6 (char 5)"],
  ['{"a":1', "Expecting ',' delimiter: line 1 column 7 (char 6)"],
  ['{"a":1,}', 'Expecting property name enclosed in double quotes: line 1 column 8 (char 7)'],
  ['{"a":1 "b":2}', "Expecting ',' delimiter: line 1 column 8 (char 7)"],
  ['[1,]', 'Expecting value: line 1 column 4 (char 3)'],
  ['[1 2]', "Expecting ',' delimiter: line 1 column 4 (char 3)"],
  ['[1', "Expecting ',' delimiter: line 1 column 3 (char 2)"],
  ['nul', 'Expecting value: line 1 column 1 (char 0)'],
  ['{a:1}', 'Expecting property name enclosed in double quotes: line 1 column 2 (char 1)'],
  ["{'a':1}", 'Expecting property name enclosed in double quotes: line 1 column 2 (char 1)'],
  ['"open', 'Unterminated string starting at: line 1 column 1 (char 0)'],
  ['"a\\', 'Unterminated string starting at: line 1 column 1 (char 0)'],
  ['"a\\x"', 'Invalid \\escape: line 1 column 3 (char 2)'],
  ['"a\\u12g4"', 'Invalid \\uXXXX escape: line 1 column 4 (char 3)'],
  ['"\\u12"', 'Invalid \\uXXXX escape: line 1 column 3 (char 2)'],
  ['"a\tb"', 'Invalid control character at: line 1 column 3 (char 2)'],
  ['{"a":1} x', 'Extra data: line 1 column 9 (char 8)'],
  ['01', 'Extra data: line 1 column 2 (char 1)'],
  ['-', 'Expecting value: line 1 column 1 (char 0)'],
  ['1.', 'Extra data: line 1 column 2 (char 1)'],
  ['[1.]', "Expecting ',' delimiter: line 1 column 3 (char 2)"],
  ['+1', 'Expecting value: line 1 column 1 (char 0)'],
  ['\ufeff{}', 'Unexpected UTF-8 BOM (decode using utf-8-sig): line 1 column 1 (char 0)'],
  ['{"\u00e9\ud83d\ude00":\n\n "x" y}', "Expecting ',' delimiter: line 3 column 6 (char 13)"],
  ['[\n1,\n\n]', 'Expecting value: line 4 column 1 (char 6)'],
  ['{"a":[1,{"b":}]}', 'Expecting value: line 1 column 14 (char 13)'],
  ['{,}', 'Expecting property name enclosed in double quotes: line 1 column 2 (char 1)'],
  ['}', 'Expecting value: line 1 column 1 (char 0)'],
  ['"\\', 'Unterminated string starting at: line 1 column 1 (char 0)'],
];

describe('membersOf', () => {
  it('gives the members as they were written', () => {
    const text = ' {"args": [1.10, 12345678901234567890, NaN], "kwargs":{"a" : "\\u00e9"},"eta":null,"eta": "x"} ';
    expect([...(membersOf(text) ?? [])]).toEqual([
      ['args', '[1.10, 12345678901234567890, NaN]'],
      ['kwargs', '{"a" : "\\u00e9"}'],
      ['eta', '"x"'],
    ]);
  });

  it.each(['[1]', '"a"', '-1.5e3', 'NaN', 'null'])('takes %j for no object', (text) => {
    expect(membersOf(text)).toBeUndefined();
  });

  it.each(FAULTS)('says of %j what Python says', (text, message) => {
    expect(() => membersOf(text)).toThrow(new JsonFault(message));
  });

  it('refuses a nesting bomb without falling over', () => {
    expect(() => membersOf('['.repeat(1_000_000))).toThrow(JsonFault);
  });
});
