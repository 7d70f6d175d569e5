import { decompress } from '../core/wire/compression.ts';
import { memberTexts } from '../core/wire/json-slice.ts';
import { parsePythonJson } from '../core/wire/json.ts';
import { looksPickled, PickleError, pickleJson, pickleRepr, readPickle } from '../core/wire/pickle.ts';
import type { PickleValue } from '../core/wire/pickle.ts';
import { readMsgpack, readYaml } from '../core/wire/serializers.ts';
import { survey, TOO_DEEP } from '../core/wire/survey.ts';
import { WideInteger } from '../core/wire/wide-integer.ts';

/** Characters of one value that are handed on; longer ones are cut and say so. */
export const MAX_VALUE = 1 << 20;
/** Bytes of what is stored of one task that are read. */
export const MAX_STORED = 4 << 20;
/** Bytes of a compressed value, decompressed. */
const MAX_DECOMPRESSED = 16 << 20;
const MAX_VALUES = 500_000;

/** One stored value: its JSON text where it has one, else what can be shown of it. */
export interface StoredValue {
  readonly json: string | null;
  readonly repr: string | null;
  /** What a pickle held. */
  readonly pickled?: PickleValue;
}

/** A mapping as stored, member by member. */
export type Members = ReadonlyMap<string, StoredValue>;

/** Celery 5.7's `result_compression`: marker, content type, NUL, data (celery/backends/base.py). */
const COMPRESSED = Buffer.from('\0celery-compressed\0');

export class UnreadableValue extends Error {}

/** @throws UnreadableValue */
function decompressed(bytes: Buffer): Buffer {
  if (!bytes.subarray(0, COMPRESSED.length).equals(COMPRESSED)) return bytes;
  const end = bytes.indexOf(0, COMPRESSED.length);
  const name = bytes.toString('latin1', COMPRESSED.length, Math.max(end, 0));
  return attempt(() => decompress(bytes.subarray(end + 1), name, MAX_DECOMPRESSED));
}

/**
 * Reads the meta of a task in any of Celery's serializers; which one, only its first bytes tell.
 * @throws UnreadableValue
 */
export function readMembers(stored: Buffer): Members {
  const bytes = decompressed(stored);
  if (bytes[0] === 0x7b) {
    const texts = memberTexts(bytes.toString('utf8'));
    if (texts === undefined) throw new UnreadableValue('it is broken JSON');
    return mapped(texts, (text) => (isJson(text) ? { json: text, repr: null } : { json: null, repr: text }));
  }
  if (looksPickled(bytes) || bytes[0] === 0x28) return pickledMembers(attempt(() => readPickle(bytes)));
  const value = attempt(() => readPlain(bytes));
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new UnreadableValue('it is no mapping');
  return mapped(new Map(Object.entries(value)), (member) => ({ json: jsonOf(member), repr: null }));
}

function pickledMembers(value: PickleValue): Members {
  if (value.kind !== 'dict') throw new UnreadableValue('it is a pickle, but of no dictionary');
  const named = value.entries.flatMap(([key, member]) => (key.kind === 'str' ? [[key.value, member] as const] : []));
  return mapped(new Map(named), ofPickle);
}

/** Reads one encoded value, as the columns of the database backend hold them. What cannot be read is told in `repr`. */
export function readValue(stored: Buffer): StoredValue {
  try {
    const bytes = decompressed(stored);
    if (looksPickled(bytes)) return ofPickle(readPickle(bytes));
    const text = bytes.toString('utf8');
    if (isJson(text)) return { json: text, repr: null };
    return { json: jsonOf(readPlain(bytes)), repr: null };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { json: null, repr: `<${stored.length} bytes that cannot be read: ${reason.slice(0, 200)}>` };
  }
}

function ofPickle(value: PickleValue): StoredValue {
  const json = pickleJson(value, MAX_VALUE) ?? null;
  return { json, repr: json === null ? pickleRepr(value, MAX_VALUE) : null, pickled: value };
}

/** msgpack begins a mapping, an array, a text or a number above 127 with a byte that no text begins with; else YAML. */
function readPlain(bytes: Buffer): unknown {
  const first = bytes[0] ?? 0;
  return first >= 0x80 && !isText(bytes) ? readMsgpack(bytes, MAX_VALUES) : readYaml(bytes);
}

function isText(bytes: Buffer): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/** JSON in Python's dialect that is not nested too deeply to be handed on. */
function isJson(text: string): boolean {
  try {
    return (survey(jsonValue(text)) & TOO_DEEP) === 0;
  } catch {
    return false;
  }
}

function jsonValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return parsePythonJson(text);
  }
}

function mapped<T>(members: ReadonlyMap<string, T>, read: (member: T) => StoredValue): Members {
  return new Map([...members].map(([name, member]) => [name, read(member)]));
}

/** JSON text with every digit of wide integers. */
function jsonOf(value: unknown): string {
  if (value instanceof WideInteger) return value.digits;
  if (Array.isArray(value)) return `[${value.map(jsonOf).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    return `{${Object.entries(value)
      .map(([key, member]) => `${JSON.stringify(key)}: ${jsonOf(member)}`)
      .join(', ')}}`;
  }
  if (typeof value === 'number' && !Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : `${value}`;
  return value === undefined ? 'null' : JSON.stringify(value);
}

function attempt<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    const what = error instanceof PickleError ? 'a pickle that cannot be read: ' : '';
    throw new UnreadableValue(what + (error instanceof Error ? error.message : String(error)), { cause: error });
  }
}
