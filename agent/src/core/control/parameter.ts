import { ControlRefused } from './command.ts';

/** Longest name and value of a stamp, characters. */
export const STAMP = { maxLength: 1024 } as const;

interface Common {
  /** Python keyword of the worker's handler. */
  readonly name: string;
  /** What it means, one sentence without a full stop. */
  readonly doc: string;
  readonly required?: true;
}

/** One argument of a control command; what a form, a JSON schema and the check are made from. */
export type Parameter = Common &
  (
    | {
        readonly kind: 'text';
        readonly maxLength: number;
        /** The whole text must match; `patternDoc` says it in words. */
        readonly pattern?: RegExp;
        readonly patternDoc?: string;
        readonly default?: string;
      }
    /** One of these, upper and lower case taken for the same. */
    | { readonly kind: 'choice'; readonly values: readonly string[]; readonly default?: string }
    /** A list without doubles, of at least one; a single text stands for a list of one. */
    | { readonly kind: 'texts'; readonly maxLength: number; readonly maxItems: number }
    | { readonly kind: 'whole'; readonly min: number; readonly max: number; readonly default?: number }
    /** `null` is allowed and has a meaning of its own. */
    | { readonly kind: 'seconds'; readonly min: number; readonly max: number }
    | { readonly kind: 'flag'; readonly default: boolean }
    /** An object of stamp name → one value or a list of them. */
    | { readonly kind: 'stamps'; readonly maxValues: number }
  );

function bad(field: string, rule: string): ControlRefused {
  return new ControlRefused('bad-argument', `${field}: ${rule}.`, field);
}

/**
 * The value as the worker's handler takes it.
 *
 * @throws ControlRefused `bad-argument` naming the parameter and the rule it breaks
 */
export function checkParameter(parameter: Parameter, value: unknown): unknown {
  const { name } = parameter;
  switch (parameter.kind) {
    case 'text':
      return checkText(name, value, parameter);
    case 'choice': {
      const found = parameter.values.find((v) => typeof value === 'string' && v.toLowerCase() === value.toLowerCase());
      if (found === undefined) throw bad(name, `must be one of ${parameter.values.join(', ')}`);
      return found;
    }
    case 'texts':
      return checkTexts(name, value, parameter.maxLength, parameter.maxItems);
    case 'whole':
      if (!isBetween(value, parameter) || !Number.isInteger(value)) {
        throw bad(name, `must be a whole number from ${parameter.min} to ${parameter.max}`);
      }
      return value;
    case 'seconds':
      if (value === null || isBetween(value, parameter)) return value;
      throw bad(name, `must be a number of seconds from ${parameter.min} to ${parameter.max}, or null for no limit`);
    case 'flag':
      if (typeof value !== 'boolean') throw bad(name, 'must be true or false');
      return value;
    case 'stamps':
      return checkStamps(name, value, parameter.maxValues);
  }
}

function isBetween(value: unknown, { min, max }: { readonly min: number; readonly max: number }): value is number {
  return typeof value === 'number' && value >= min && value <= max;
}

function checkText(
  name: string,
  value: unknown,
  rule: { readonly maxLength: number; readonly pattern?: RegExp; readonly patternDoc?: string },
): string {
  if (typeof value !== 'string' || value === '') throw bad(name, 'must be a text of at least one character');
  if (lengthOf(value) > rule.maxLength) throw bad(name, `must not have more than ${rule.maxLength} characters`);
  if (value.includes('\0')) throw bad(name, 'must not hold a zero byte');
  if (rule.pattern?.test(value) === false) throw bad(name, `must be ${rule.patternDoc ?? String(rule.pattern)}`);
  return value;
}

/** In characters, as JSON Schema counts them. */
export function lengthOf(text: string): number {
  return Array.from(text).length;
}

function checkTexts(name: string, value: unknown, maxLength: number, maxItems: number): string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (list.length === 0) throw bad(name, 'must have at least one entry');
  const texts = new Set(list.map((item) => checkText(name, item, { maxLength })));
  if (texts.size > maxItems) throw bad(name, `must not have more than ${maxItems} entries`);
  return [...texts];
}

function checkStamps(name: string, value: unknown, maxValues: number): Record<string, string[]> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw bad(name, 'must be an object of stamp name and value, e.g. {"monitoring_id": ["a"]}');
  }
  const stamps = Object.entries(value).map(
    ([key, item]) => [checkText(name, key, STAMP), checkTexts(name, item, STAMP.maxLength, maxValues)] as const,
  );
  if (stamps.length === 0) throw bad(name, 'must have at least one stamp');
  return Object.fromEntries(stamps);
}
