import { WideInteger } from './wide-integer.ts';

/**
 * Readers of decoded values for columns that have a type. Celery checks no field's type, so any value may stand
 * anywhere: what does not fit is null here, and the caller keeps the value itself.
 */

/** A text as it is. */
export function asText(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

/** A finite number; a wide integer as the nearest double. */
export function asNumber(value: unknown): number | null {
  const number = value instanceof WideInteger ? Number(value.digits) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : null;
}

/** An integer that a double holds exactly; `2.0` counts. */
export function asInteger(value: unknown): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : null;
}

/** An array of finite numbers, e.g. `loadavg`. */
export function asNumbers(value: unknown): number[] | null {
  return Array.isArray(value) && value.every(Number.isFinite) ? (value as number[]) : null;
}

/** Any value as a person would read it: texts as they are, null as null, the rest as JSON (NaN and wide integers too). */
export function asDisplayText(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || value instanceof WideInteger) return String(value);
  return JSON.stringify(value);
}
