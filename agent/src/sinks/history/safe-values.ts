/** Values of the wire as Postgres can keep them. Pure. */

/** Longest texts stored, in characters; what is longer is cut and marked. */
export interface TextLimits {
  /** args, kwargs, result, exception; default 65,536. */
  readonly value: number;
  /** Default 262,144; the end is kept, where the exception stands. */
  readonly traceback: number;
  /** JSON of an event's own fields; default 1,048,576. */
  readonly fields: number;
}

export const DEFAULT_LIMITS: TextLimits = { value: 65_536, traceback: 262_144, fields: 1_048_576 };

/** What was over its limit and stored in part only, since the start. */
export interface Cut {
  /** Of tasks. */
  readonly texts: number;
  /** Events whose fields were too long together. */
  readonly fields: number;
}

/** Longest indexed text, in characters: three of them fit into the longest index entry (2,704 bytes). */
export const KEY_LIMIT = 255;

const MAX_INT4 = 2_147_483_647;

/** Neither U+0000 nor half of a surrogate pair can be stored; they become U+FFFD, here, for a key must be what is stored. */
export function storable(text: string): string {
  const whole = text.toWellFormed();
  return whole.includes('\0') ? whole.replaceAll('\0', '\ufffd') : whole;
}

/** A name, node name or type for an indexed column. */
export function keyText(text: string): string {
  return storable(text.length > KEY_LIMIT ? text.slice(0, KEY_LIMIT) : text);
}

/** A task id for the primary keys: one that cannot be stored as it is stays distinct by a hash at its end. */
export function keyId(id: string): string {
  if (id.length <= KEY_LIMIT && storable(id) === id) return id;
  let hash = 0;
  for (let i = 0; i < id.length; i++) hash = (Math.imul(hash, 31) + id.charCodeAt(i)) | 0;
  return storable(`${id.slice(0, KEY_LIMIT - 12)}~${(hash >>> 0).toString(16)}`);
}

export function isInt4(value: unknown): value is number {
  return Number.isInteger(value) && Math.abs(value as number) <= MAX_INT4;
}

/** A number that a bigint column keeps exactly. */
export function isInt8(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

export function isFloat8(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

/** A clock for a bigint column: the nearest integer it can hold, 0 for what is no number. */
export function clockValue(clock: number): number {
  if (Number.isSafeInteger(clock)) return clock;
  if (Number.isNaN(clock)) return 0;
  return Math.trunc(Math.max(Number.MIN_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, clock)));
}

/**
 * JSON text that Postgres can also read out again: no `\u0000`, no lone surrogate. What JSON has no notation for
 * (NaN, infinities, bigint) becomes its text; what cannot be written at all (a cycle) a marker.
 */
export function jsonText(value: unknown): string {
  let json: string;
  try {
    json = JSON.stringify(value);
    // null is also what JSON.stringify makes of NaN and infinities: look again only then.
    if (json.includes('null')) json = carefully(value);
  } catch {
    json = carefully(value);
  }
  return escapeUnstorable(json);
}

function carefully(value: unknown): string {
  try {
    return JSON.stringify(value, notations);
  } catch {
    return '{"umbel:unwritable":true}';
  }
}

function notations(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  return value;
}

/** JSON.stringify escapes control characters and lone surrogates, so only its escapes need a look. */
function escapeUnstorable(json: string): string {
  if (!json.includes('\\u')) return json;
  return json.replace(/\\(?:u0000|ud[89a-f][0-9a-f]{2}|.)/g, (escape) => (escape.length === 6 ? '\\ufffd' : escape));
}
