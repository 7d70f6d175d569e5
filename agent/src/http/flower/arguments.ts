import { isUtf8 } from 'node:buffer';
import { FlowerError } from './flower-error.ts';

/** Arguments by name; the values are bytes, one character each. */
export type Query = ReadonlyMap<string, readonly string[]>;

/** What `str.strip()` takes away: JavaScript's blanks but for the byte order mark, and U+0085. */
const BLANK = /[^\S\ufeff]|\x85/;

// eslint-disable-next-line no-control-regex
const CONTROL = /[\x00-\x08\x0e-\x1f]/g;

/**
 * One argument as tornado's `get_argument` reads it: the last of several, control characters blank, ends stripped.
 * Flower HTML-escapes text values as well (views/__init__.py); that only broke filters and names of queues, and is
 * repeated in error texts alone.
 *
 * @throws FlowerError 400 for what is no UTF-8
 */
export function argument(query: Query, name: string): string | undefined {
  const value = query.get(name)?.at(-1);
  return value === undefined ? undefined : stripped(decoded(name, value).replace(CONTROL, ' '));
}

function stripped(text: string): string {
  let [from, to] = [0, text.length];
  while (from < to && BLANK.test(text.charAt(from))) from += 1;
  while (to > from && BLANK.test(text.charAt(to - 1))) to -= 1;
  return text.slice(from, to);
}

/** As Python's `unquote` to bytes, one character each: a `%` that escapes nothing stands for itself. */
export function percentDecoded(text: string): string {
  return text.replace(/%([\da-f]{2})/gi, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** Unlike `utf8Text` it keeps a byte order mark. */
function decoded(name: string, value: string): string {
  const bytes = Buffer.from(value, 'latin1');
  if (!isUtf8(bytes)) throw invalidUnicode(name, value);
  return bytes.toString();
}

/** @param bytes one character each */
export function invalidUnicode(name: string, bytes: string): FlowerError {
  return new FlowerError(400, `Invalid unicode in ${name}: ${bytesRepr(bytes.slice(0, 40))}`);
}

/** As Python prints bytes. */
function bytesRepr(bytes: string): string {
  const quote = bytes.includes("'") && !bytes.includes('"') ? '"' : "'";
  const names: Readonly<Record<string, string>> = { '\t': '\\t', '\n': '\\n', '\r': '\\r', '\\': '\\\\' };
  const text = bytes.replace(/[^\x20-\x7e]|[\\'"]/g, (char) => {
    if (char === "'" || char === '"') return char === quote ? `\\${char}` : char;
    return names[char] ?? `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
  return `b${quote}${text}${quote}`;
}

/** Python's `int()`, clamped to what a number holds exactly. @throws FlowerError 400, also for the empty text */
export function intArgument(query: Query, name: string): number | undefined {
  const value = argument(query, name);
  if (value === undefined) return undefined;
  if (!/^[+-]?\d+(_\d+)*$/.test(value)) throw invalid(value, 'int');
  const number = Number(value.replaceAll('_', ''));
  return Math.min(Math.max(number, Number.MIN_SAFE_INTEGER), Number.MAX_SAFE_INTEGER);
}

/** Python's `float()`. @throws FlowerError 400, also for the empty text and for what is no finite number */
export function floatArgument(query: Query, name: string): number | undefined {
  const value = argument(query, name);
  if (value === undefined) return undefined;
  if (!/^[+-]?(\d+(_\d+)*\.?(\d+(_\d+)*)?|\.\d+(_\d+)*)([eE][+-]?\d+)?$/.test(value)) throw invalid(value, 'float');
  const number = Number(value.replaceAll('_', ''));
  if (!Number.isFinite(number)) throw invalid(value, 'float');
  return number;
}

/** @throws FlowerError 400 when it is missing or empty */
export function requiredArgument(query: Query, name: string): string {
  const value = argument(query, name);
  if (value === undefined || value === '') throw new FlowerError(400, `Missing argument ${name}`);
  return value;
}

/** @throws FlowerError 400 */
export function requiredInt(query: Query, name: string): number {
  requiredArgument(query, name);
  return intArgument(query, name) ?? 0;
}

/** As tornado's `xhtml_escape`. */
export function escapeHtml(text: string): string {
  const names: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#x27;',
  };
  return text.replace(/[&<>"']/g, (char) => names[char] ?? char);
}

function invalid(value: string, type: string): FlowerError {
  return new FlowerError(400, `Invalid argument '${escapeHtml(value)}' of type '${type}'`);
}

/** Flower's `strtobool` (flower/utils/__init__.py); false when absent. @throws FlowerError 400 */
export function boolArgument(query: Query, name: string): boolean {
  const value = argument(query, name);
  if (value === undefined) return false;
  const lower = value.toLowerCase();
  if (['y', 'yes', 't', 'true', 'on', '1'].includes(lower)) return true;
  if (['n', 'no', 'f', 'false', 'off', '0'].includes(lower)) return false;
  throw invalid(value, 'bool');
}

/**
 * `%Y-%m-%d %H:%M` in the server's local time, as epoch seconds (flower/utils/tasks.py `_convert_datetime`);
 * undefined when absent or empty. @throws FlowerError 400
 */
export function localMinuteArgument(query: Query, name: string): number | undefined {
  const value = argument(query, name);
  if (value === undefined || value === '') return undefined;
  const match = /^(\d{4})-(\d{1,2})-(\d{1,2})\s+(\d{1,2}):(\d{1,2})$/.exec(value);
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0] = (match ?? []).slice(1).map(Number);
  const date = new Date(year, month - 1, day, hour, minute);
  const daysInMonth = new Date(year, month, 0).getDate();
  if (
    match === null ||
    year < 1 ||
    month < 1 ||
    month > 12 ||
    day < 1 ||
    day > daysInMonth ||
    hour > 23 ||
    minute > 59
  ) {
    throw new FlowerError(400, "Invalid received_start or received_end, expected format 'YYYY-MM-DD HH:MM'");
  }
  return date.getTime() / 1000;
}
