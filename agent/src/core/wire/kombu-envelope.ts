/** What stands in an envelope beside its body, as far as it says how to read that. */
export interface Parts {
  /** The body are the first `length` bytes. */
  readonly body: Buffer;
  readonly length: number;
  readonly contentType: unknown;
  readonly compression: unknown;
}

/** What a producer writes behind the body, cut where its messages differ; what is said between the cuts is the same. */
interface Tail {
  readonly pieces: readonly Buffer[];
  readonly contentType: unknown;
  readonly compression: unknown;
}

/** How kombu begins an envelope. */
const BODY_HEAD = Buffer.from('{"body": "');
const [QUOTE, COMMA, BACKSLASH, EQUALS, BLANK] = [0x22, 0x2c, 0x5c, 0x3d, 0x20];
/**
 * Members whose values are passed over, without an escape in them: none says how to read the body. In a JSON text these
 * characters are a key wherever they stand, for inside a string a quote has a backslash before it.
 */
const VARYING = /(?<="(?:delivery_tag|hostname|routing_key)": ?")[ !#-[\]-\u00ff]*(?=")/;
/** Producers of different make whose tails are remembered. */
const MOST_TAILS = 4;
const LONGEST_TAIL = 4096;
/** Bytes that are compared in JavaScript; a call into C++ costs as much as some sixty of them. */
const LOOKED_THROUGH = 48;

const tails: Tail[] = [];
/** Bodies up to this size are decoded into one buffer that every message uses again. */
const scratch = Buffer.allocUnsafeSlow(256 << 10);

/**
 * kombu's own envelope in `bytes` from `from` to `to`: neither a string of its body is parsed, nor, once a message with
 * such a tail was, what stands behind it. Undefined when it is written in any other way. The body is only good until the
 * next message is read.
 */
export function kombuParts(bytes: Buffer, from: number, to: number): Parts | undefined {
  if (to - from > scratch.length || to - from < BODY_HEAD.length) return undefined;
  if (!isAt(bytes, from, BODY_HEAD)) return undefined;
  const bodyFrom = from + BODY_HEAD.length;
  for (const tail of tails) {
    const bodyTo = beginOf(tail.pieces, bytes, bodyFrom, to);
    const length = bodyTo < 0 ? -1 : decodeExactly(bytes, bodyFrom, bodyTo);
    if (length >= 0) return { body: scratch, length, contentType: tail.contentType, compression: tail.compression };
  }
  return parseTail(bytes, bodyFrom, to);
}

function isAt(bytes: Buffer, at: number, wanted: Buffer): boolean {
  const { length } = wanted;
  if (length > LOOKED_THROUGH) return bytes.compare(wanted, 0, length, at, at + length) === 0;
  for (let i = length - 1; i >= 0; i -= 1) if (bytes[at + i] !== wanted[i]) return false;
  return true;
}

/** Where a tail of these pieces that ends at `to` begins, not before `from`; -1 where none does. */
function beginOf(pieces: readonly Buffer[], bytes: Buffer, from: number, to: number): number {
  let at = to;
  for (let n = pieces.length - 1; n >= 0; n -= 1) {
    const piece = pieces[n] ?? BODY_HEAD;
    at -= piece.length;
    if (at < from || !isAt(bytes, at, piece)) return -1;
    if (n > 0) while (at > from && isPlain(bytes[at - 1] ?? QUOTE)) at -= 1;
  }
  return at;
}

function isPlain(byte: number): boolean {
  return byte !== QUOTE && byte !== BACKSLASH && byte >= BLANK;
}

/** Bytes of a body that is nothing but base64, decoded into `scratch`; -1 for any other, as one with a quote in it. */
function decodeExactly(bytes: Buffer, from: number, to: number): number {
  const expected = ((to - from) / 4) * 3 - (bytes[to - 1] === EQUALS ? (bytes[to - 2] === EQUALS ? 2 : 1) : 0);
  return decode(bytes, from, to) === expected ? expected : -1;
}

/** Node leaves out what is no base64. */
function decode(bytes: Buffer, from: number, to: number): number {
  return scratch.write(bytes.toString('latin1', from, to), 'base64');
}

function parseTail(bytes: Buffer, from: number, to: number): Parts | undefined {
  const end = bytes.subarray(from, to).indexOf(QUOTE) + from;
  if (end < from || bytes[end + 1] !== COMMA) return undefined;
  let rest: unknown;
  try {
    rest = JSON.parse(`{${bytes.toString('utf8', end + 2, to)}`);
  } catch {
    return undefined;
  }
  if (!isRecord(rest) || !isRecord(rest['properties'])) return undefined;
  if (rest['properties']['body_encoding'] !== 'base64' || Object.hasOwn(rest, 'body')) return undefined;
  const length = decode(bytes, from, end);
  if (length < Math.floor(((end - from) * 3) / 4) - 2) return undefined;
  const { headers, 'content-type': contentType } = rest;
  const compression = isRecord(headers) ? headers['compression'] : undefined;
  if (to - end <= LONGEST_TAIL) remember(bytes.toString('latin1', end, to), contentType, compression);
  return { body: scratch, length, contentType, compression };
}

function remember(text: string, contentType: unknown, compression: unknown): void {
  const pieces = text.split(VARYING).map((piece) => Buffer.from(piece, 'latin1'));
  tails.unshift({ pieces, contentType, compression });
  tails.length = Math.min(tails.length, MOST_TAILS);
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
