/** Opcodes of Python's pickletools. */
const [PROTO, FRAME, EMPTY_DICT, BINPUT, MEMOIZE, SHORT_BINUNICODE, BINUNICODE, MARK] = [
  0x80, 0x95, 0x7d, 0x71, 0x94, 0x8c, 0x58, 0x28,
];

/**
 * The first key of a pickled dict of texts, read from the opcodes that every protocol from 2 on begins such a dict
 * with; runs nothing. Undefined for any other value.
 */
export function pickledFirstKey(pickle: Buffer): string | undefined {
  let at = 0;
  while (at < pickle.length) {
    switch (pickle[at]) {
      case PROTO:
      case BINPUT:
        at += 2;
        break;
      case FRAME:
        at += 9;
        break;
      case EMPTY_DICT:
      case MEMOIZE:
      case MARK:
        at += 1;
        break;
      case SHORT_BINUNICODE:
        return text(pickle, at + 2, pickle[at + 1]);
      case BINUNICODE:
        return text(pickle, at + 5, at + 5 <= pickle.length ? pickle.readUInt32LE(at + 1) : undefined);
      default:
        return undefined;
    }
  }
  return undefined;
}

function text(pickle: Buffer, start: number, length: number | undefined): string | undefined {
  if (length === undefined || start + length > pickle.length) return undefined;
  return pickle.toString('utf8', start, start + length);
}
