import { MASK, secretAt, skipBlanks } from './values.ts';
import type { Replacement, ValuePlace } from './values.ts';

/** Members that name what the member `value` beside them holds, in lower case. */
export const NAMING: ReadonlySet<string> = new Set(['name', 'key', 'header', 'field', 'parameter', 'variable']);

/** How far apart the name and the value of one object may stand. */
const NEAR = 200;
const NAMED_BY = new RegExp(
  `(?:^|[^A-Za-z0-9_])(?:${[...NAMING].join('|')})(?:\\\\{0,15}['"]\\s{0,4}:|=)\\s{0,4}[bBuU]?\\\\{0,15}$`,
  'i',
);
const VALUE_AFTER = /^[^{}()[\]]{0,160}?[\s,'"]value(?:\\{0,15}['"]\s{0,4}:|=)\s{0,4}/i;
const VALUE_BEFORE = /^[\s\S]*[\s,'"({]value(?:\\{0,15}['"]\s{0,4}:|=)\s{0,4}/i;

/**
 * `{'name': 'password', 'value': 'x'}`, in either order: `name` spans the secret's name with its quotes; nothing before
 * `least` is touched.
 */
export function namedValue(
  text: string,
  name: { readonly from: number; readonly to: number; readonly least: number },
  place: ValuePlace,
): Replacement | undefined {
  if (!NAMED_BY.test(text.slice(Math.max(0, name.from - 48), name.from))) return undefined;
  const after = VALUE_AFTER.exec(text.slice(name.to, name.to + NEAR));
  if (after !== null) return secretAt(text, name.to + after[0].length, place);
  const start = Math.max(name.least, name.from - NEAR);
  const near = text.slice(start, name.from);
  const before = VALUE_BEFORE.exec(near);
  if (before === null) return undefined;
  const found = secretAt(near, before[0].length, place);
  if (found === undefined || !/^\\{0,15}['"]?\s{0,4},[^{}()[\]]*$/.test(near.slice(found.to))) return undefined;
  return { ...found, from: start + found.from, to: start + found.to };
}

const PROSE =
  /(?:is|are|was|were|or|and|not|no|to|for|in|on|of|as|with|has|must|may|can|cannot|should|needs|option|options|flag|argument|requires|required|given|missing)(?![A-Za-z0-9])/iy;

/** `--password x`, not `--password is missing`. */
export function afterOption(text: string, at: number, place: ValuePlace): Replacement | undefined {
  PROSE.lastIndex = at;
  if (text[at] === '-' || PROSE.test(text)) return undefined;
  return secretAt(text, at, place);
}

/** `<password>x</password>`, also with attributes; `at` is behind the name. */
export function xmlElement(text: string, nameFrom: number, at: number): Replacement | undefined {
  if (!/<(?:[\w.-]{1,40}:)?$/.test(text.slice(Math.max(0, nameFrom - 42), nameFrom))) return undefined;
  const tag = /^(?:\s[^<>]{0,200})?>/.exec(text.slice(at, at + 202))?.[0];
  if (tag === undefined) return undefined;
  const from = at + tag.length;
  const end = text.indexOf('<', from);
  const isClosed = end > from && text[end + 1] === '/';
  return isClosed ? { from, to: end, by: MASK } : undefined;
}

const SCHEME = /(?:basic|bearer|token|digest|apikey|negotiate)[ \t]{1,4}(?=\S)/iy;
const STATUS =
  /^(?:invalid|missing|required|expired|wrong|incorrect|empty|unknown|failed|denied|rejected|revoked|refreshed|malformed|mismatch|short|ok)[.!]?$/i;

/**
 * `could not log in with password: x`: one word alone, one with digits in it, or behind "with". What goes on as prose is
 * left: `Invalid password: too short`.
 */
export function afterWords(text: string, nameFrom: number, at: number, place: ValuePlace): Replacement | undefined {
  SCHEME.lastIndex = at;
  const scheme = SCHEME.exec(text)?.[0] ?? '';
  const found = secretAt(text, at + scheme.length, place);
  if (found === undefined) return undefined;
  const value = text.slice(found.from, found.to);
  if (STATUS.test(value)) return undefined;
  // Brackets were searched for their end: what is behind them is not looked at twice.
  if (/^[{<[]|\(/.test(value)) return found;
  const isAlone = found.to >= text.length || /[\r\n'"\\,;)\]}<]/.test(text.charAt(found.to));
  const isTold = /(?:with|using)\s{1,4}$/i.test(text.slice(Math.max(0, nameFrom - 10), nameFrom));
  return isAlone || isTold || scheme !== '' || (value.length >= 4 && /\d/.test(value)) ? found : undefined;
}

const PEM_BODY = /[A-Za-z0-9+/=\s\\:,-]*/y;

/** Longer than the private keys in use; a longer one is masked as far as it looks like one. */
const PEM_LENGTH = 8192;

/** What stands between BEGIN and END of a private key; `at` is behind the words `PRIVATE KEY`. */
export function pemKey(text: string, at: number): Replacement | undefined {
  const dashes = text.slice(at, at + 12).indexOf('-----');
  if (dashes < 0) return undefined;
  const from = at + dashes + 5;
  const end = text.slice(from, from + PEM_LENGTH).indexOf('-----END');
  if (end >= 0) return end > 0 ? { from, to: from + end, by: MASK } : undefined;
  PEM_BODY.lastIndex = skipBlanks(text, from);
  PEM_BODY.exec(text);
  const to = PEM_BODY.lastIndex;
  return to > from ? { from, to, by: MASK } : undefined;
}
