import { decode as decodeMsgpack, ExtData } from '@msgpack/msgpack';
import { setOwn } from './json.ts';
import { WideInteger } from './wide-integer.ts';
import { readYamlDocument } from './yaml-document.ts';

/** The YAML reader takes about fifty times its text in memory, and more where the text is nothing but brackets. */
const MAX_YAML_BYTES = 4 << 20;
/** A message of a hundred events has some thousands. */
const MAX_YAML_MARKS = 100_000;
/** Deeper values are cut off here; `survey` then refuses what holds them. */
const MAX_DEPTH = 600;

/**
 * Reads a YAML body as PyYAML's `safe_dump` writes it (kombu/serialization.py). Dates stay text.
 * Throws on broken syntax, above 4 MiB, 100,000 signs or 600 levels; many aliases to one anchor are refused by the library.
 */
export function readYaml(body: Buffer): unknown {
  if (body.length > MAX_YAML_BYTES)
    throw new RangeError(`${body.length} bytes of YAML are more than ${MAX_YAML_BYTES}`);
  return plain(readYamlDocument(body, { marks: MAX_YAML_MARKS, depth: MAX_DEPTH }).toJS(), 0);
}

/**
 * Reads a msgpack body (kombu/serialization.py packs with `use_bin_type`). Binary becomes `{"__type__": "base64"}` as
 * in kombu's JSON. Throws on broken data.
 */
export function readMsgpack(body: Buffer, maxValues: number): unknown {
  checkMsgpack(body, maxValues);
  return plain(decodeMsgpack(body, { useBigInt64: true }), 0);
}

/** JSON's kinds of values and `WideInteger` only; the libraries give more. */
function plain(value: unknown, depth: number): unknown {
  if (typeof value === 'bigint') {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : new WideInteger(String(value));
  }
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Uint8Array) return tagged('base64', Buffer.from(value).toString('base64'));
  if (value instanceof Date) return tagged('datetime', Number.isNaN(value.getTime()) ? '' : value.toISOString());
  if (value instanceof ExtData) {
    return tagged(`msgpack-ext-${value.type}`, typeof value.data === 'function' ? '' : plain(value.data, depth));
  }
  if (depth > MAX_DEPTH) return null;
  if (Array.isArray(value)) return value.map((item) => plain(item, depth + 1));
  const object: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) setOwn(object, key, plain(item, depth + 1));
  return object;
}

function tagged(type: string, value: unknown): Record<string, unknown> {
  return { __type__: type, __value__: value };
}

/**
 * Throws RangeError when the body announces more values than it has bytes for, or more than `maxValues`: the decoder
 * allocates what an array's head announces.
 */
function checkMsgpack(body: Buffer, maxValues: number): void {
  let pending = 1;
  let at = 0;
  for (let seen = 0; pending > 0; seen++) {
    if (seen > maxValues) throw new RangeError(`more than ${maxValues} values`);
    const { size, children } = msgpackHead(body, at);
    at += size;
    pending += children - 1;
    if (pending > body.length - at) throw new RangeError('cut short');
  }
}

/** Bytes of one value without its children, and how many children follow (msgpack's spec.md, "Formats"). */
function msgpackHead(body: Buffer, at: number): { size: number; children: number } {
  const tag = body.readUInt8(at);
  const leaf = (size: number) => ({ size, children: 0 });
  if (tag <= 0x7f || tag >= 0xe0) return leaf(1);
  if (tag <= 0x8f) return { size: 1, children: (tag & 0x0f) * 2 };
  if (tag <= 0x9f) return { size: 1, children: tag & 0x0f };
  if (tag <= 0xbf) return leaf(1 + (tag & 0x1f));
  if (tag <= 0xc3) return leaf(1);
  if (tag <= 0xc6) return leaf(lengthAfter(body, at, 1 << (tag - 0xc4)));
  if (tag <= 0xc9) return leaf(lengthAfter(body, at, 1 << (tag - 0xc7)) + 1);
  if (tag <= 0xcb) return leaf(tag === 0xca ? 5 : 9);
  if (tag <= 0xd3) return leaf(1 + (1 << (tag & 3)));
  if (tag <= 0xd8) return leaf(2 + (1 << (tag - 0xd4)));
  if (tag <= 0xdb) return leaf(lengthAfter(body, at, 1 << (tag - 0xd9)));
  const width = tag % 2 === 0 ? 2 : 4;
  const entries = body.readUIntBE(at + 1, width);
  return { size: 1 + width, children: tag >= 0xde ? entries * 2 : entries };
}

function lengthAfter(body: Buffer, at: number, width: number): number {
  return 1 + width + body.readUIntBE(at + 1, width);
}
