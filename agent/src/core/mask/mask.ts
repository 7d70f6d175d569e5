import type { CeleryEvent } from '../events/event.ts';
import { setOwn } from '../wire/json.ts';
import { WideInteger } from '../wire/wide-integer.ts';
import { keyTest } from './secret-keys.ts';
import type { KeyTest } from './secret-keys.ts';
import { NAMING } from './shapes.ts';
import { textMasker } from './text.ts';
import { MASK } from './values.ts';

export { DEFAULT_MASK_KEYS } from './secret-keys.ts';
export { MASK } from './values.ts';

/** Takes secrets out of what is about to be stored or shown. Everything without a secret is handed back as it is. */
export interface Masker {
  /** Python reprs, JSON, query strings, headers, URLs, tracebacks: only the secrets in it are replaced, by `MASK`. */
  text(text: string): string;
  /** A JSON value: members whose name is a secret's, and all texts in it. Never changes what it was given. */
  value(value: unknown): unknown;
  /** An event, before any sink sees it: all of `fields` but what names the event, its task and its queue. */
  event(event: CeleryEvent): CeleryEvent;
}

/** Changes nothing: `--no-mask`. */
export const NO_MASK: Masker = { text: (text) => text, value: (value) => value, event: (event) => event };

/** Names and ids, which sinks use as keys. */
const HEAD = new Set(
  'type hostname uuid timestamp clock utcoffset pid name root_id parent_id queue exchange routing_key'.split(' '),
);
/** Deeper values are not looked into but masked as a whole; the decoder refuses what is deeper than 500. */
const MAX_DEPTH = 600;

/**
 * A masker for names that hold these words (`api_key`: `X-Api-Key`, `apiKey`, `stripe_api_key`; not `author` for `auth`,
 * nor `max_tokens` for `token`).
 */
export function createMasker(patterns: readonly string[]): Masker {
  const isSecret = keyTest(patterns);
  const text = textMasker(patterns, isSecret);

  const value = (given: unknown, depth = 0): unknown => {
    if (typeof given === 'string') return text(given);
    if (typeof given !== 'object' || given === null || given instanceof WideInteger) return given;
    if (depth > MAX_DEPTH) return MASK;
    return Array.isArray(given) ? list(given, depth) : members(given as Readonly<Record<string, unknown>>, depth);
  };

  const list = (given: readonly unknown[], depth: number): readonly unknown[] => {
    const masked = given.map((item, index) => (isSecretItem(given, index, isSecret) ? MASK : value(item, depth + 1)));
    return masked.some((item, index) => !Object.is(item, given[index])) ? masked : given;
  };

  const members = (
    given: Readonly<Record<string, unknown>>,
    depth: number,
    keep?: ReadonlySet<string>,
  ): typeof given => {
    let changed: Record<string, unknown> | undefined;
    const named = namedSecret(given, isSecret, keep);
    for (const key in given) {
      if (keep?.has(key) === true) continue;
      const member = given[key];
      const masked = (key === named || isSecret(key)) && isTelling(member) ? MASK : value(member, depth + 1);
      if (Object.is(masked, member)) continue;
      changed ??= { ...given };
      setOwn(changed, key, masked);
    }
    return changed ?? given;
  };

  return {
    text,
    value: (given) => value(given),
    event: (event) => {
      const fields = members(event.fields, 0, HEAD);
      return fields === event.fields ? event : { ...event, fields };
    },
  };
}

const NAME = /^[A-Za-z0-9_.-]{1,128}$/;
const FLAG = /^--?[A-Za-z]/;

/** The second of a pair (`["Authorization", "x"]`), or what follows an option (`["mysql", "--password", "x"]`). */
function isSecretItem(list: readonly unknown[], index: number, isSecret: KeyTest): boolean {
  if (index === 0) return false;
  const [name, item] = [list[index - 1], list[index]];
  if (typeof name !== 'string' || typeof item !== 'string' || item === '' || !NAME.test(name)) return false;
  const isOption = FLAG.test(name) && !item.startsWith('-');
  return (isOption || list.length === 2) && isSecret(name);
}

/** The member that holds the secret where another one names it: `{"name": "password", "value": "x"}`. */
function namedSecret(
  given: Readonly<Record<string, unknown>>,
  isSecret: KeyTest,
  keep: ReadonlySet<string> | undefined,
): string | undefined {
  const valueKey = 'value' in given ? 'value' : 'Value' in given ? 'Value' : undefined;
  if (valueKey === undefined) return undefined;
  for (const key in given) {
    const name = given[key];
    if (typeof name !== 'string' || !NAMING.has(key.toLowerCase()) || keep?.has(key) === true) continue;
    if (NAME.test(name) && isSecret(name)) return valueKey;
  }
  return undefined;
}

/** Neither nothing nor yes or no. */
function isTelling(value: unknown): boolean {
  return value !== null && value !== undefined && value !== '' && typeof value !== 'boolean';
}

/** Whether something was masked in the text: it is no longer what was sent, and must not be sent again. */
export function isMasked(text: string): boolean {
  return text.includes(MASK);
}
