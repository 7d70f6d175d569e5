import type { Chance } from '../differential/streams.testkit.ts';

/** Longest input made: what is long is tried by the readers' own tests. */
const MOST_BYTES = 2048;
const SIGNS = Buffer.from('[]{}()<>"\'\\:;,.=&?#%@*+-_/|!~^$ \n\r\t\0 09azAZ\xff\x80');
const WORDS = [
  'NaN',
  '-Infinity',
  'null',
  '1e999',
  '\\u0000',
  '\\ud800',
  '...',
  "b''",
  'password',
  'token=',
  '://',
  '__proto__',
  '\xf0\x9f\x98\x80',
  '9'.repeat(40),
];

/** A changed copy: a few bytes set, taken out, put in, doubled, or a piece of another input. */
export function mutated(bytes: Buffer, others: readonly Buffer[], chance: Chance): Buffer {
  let made = Buffer.from(bytes);
  do made = changedOnce(made, others, chance);
  while (chance.yes(0.5));
  return made.subarray(0, MOST_BYTES);
}

function changedOnce(bytes: Buffer, others: readonly Buffer[], chance: Chance): Buffer<ArrayBuffer> {
  const at = chance.below(bytes.length + 1);
  const to = Math.min(at + 1 + chance.below(8), bytes.length);
  const splice = (piece: Uint8Array, end: number) => Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(end)]);
  switch (chance.below(8)) {
    case 0:
      return splice(Buffer.of(chance.below(256)), at + 1);
    case 1:
      return splice(Buffer.of(SIGNS[chance.below(SIGNS.length)] ?? 0), at + chance.below(2));
    case 2:
      return splice(Buffer.alloc(0), to);
    case 3:
      return splice(bytes.subarray(at, to), at);
    case 4:
      return splice(Buffer.from(WORDS[chance.below(WORDS.length)] ?? '', 'latin1'), at);
    case 5: {
      const run = bytes.subarray(at, to);
      return splice(Buffer.concat(Array<Buffer>(1 + chance.below(60)).fill(run)), at);
    }
    case 6:
      return splice(Buffer.alloc(0), bytes.length);
    default: {
      const other = others[chance.below(others.length)] ?? bytes;
      const from = chance.below(other.length + 1);
      return splice(other.subarray(from, from + 1 + chance.below(64)), to);
    }
  }
}
