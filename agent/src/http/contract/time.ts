import { badParameter } from '../errors.ts';

const UNIT_MS: Readonly<Record<string, number>> = {
  ...{ ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 },
};

/** Years 1970 to 9999: no Celery is older, and no Python newer. */
const MIN_MS = 0;
const MAX_MS = Date.UTC(9999, 11, 31);

const YEAR = '(19[7-9]\\d|[2-9]\\d{3})';
const LEAP_YEAR = '(19(7[26]|8[048]|9[26])|[2-9]\\d(0[48]|[2468][048]|[13579][26])|([2468][048]|[3579][26])00)';
const DATE =
  `(${YEAR}-(0[1-9]|1[0-2])-(0[1-9]|1\\d|2[0-8])|${YEAR}-(0[13-9]|1[0-2])-(29|30)|` +
  `${YEAR}-(0[13578]|1[02])-31|${LEAP_YEAR}-02-29)`;
const HOUR_MINUTE = '([01]\\d|2[0-3]):[0-5]\\d';
// A `+` that nobody escaped arrives as a blank.
const SIGN = '[+ -]';
const RFC3339 = `${DATE}[Tt ]${HOUR_MINUTE}(:[0-5]\\d(\\.\\d{1,9})?)?([Zz]|${SIGN}${HOUR_MINUTE})`;
const EPOCH_MS = '\\d{1,15}(\\.\\d{1,9})?';
const RELATIVE = `now(${SIGN}\\d{1,4}(ms|[smhdw]))?`;

/** Regular expressions of the texts that `parseInstant` and `parseDuration` take, and the OpenAPI document shows. */
export const INSTANT_PATTERN = `^(${EPOCH_MS}|${RELATIVE}|${RFC3339})$`;
export const DURATION_PATTERN = '^\\d{1,9}(\\.\\d{1,9})?(ms|[smhdw])?$';

const INSTANT = new RegExp(INSTANT_PATTERN);
const DURATION = new RegExp(DURATION_PATTERN);

/**
 * An instant parameter: epoch milliseconds, RFC 3339 with its zone, `now`, or `now-1h` (units ms s m h d w).
 *
 * @returns epoch ms, within the years 1970 to 9999
 * @throws ApiProblem 400 that names the field
 */
export function parseInstant(field: string, text: string, nowMs: number): number {
  if (INSTANT.test(text)) return withinBounds(relativeMs(text, nowMs) ?? rfc3339Ms(text) ?? Number(text));
  const forms = 'epoch milliseconds, RFC 3339 such as 2026-11-23T14:00:00Z, or now-1h';
  throw badParameter(field, `\`${field}\` must be an instant: ${forms}.`);
}

/** The nearest instant that Celery and this API know. */
export function withinBounds(epochMs: number): number {
  return Math.min(Math.max(epochMs, MIN_MS), MAX_MS);
}

/** A duration parameter: `90s`, `5m`, `1h`, or bare milliseconds. @throws ApiProblem 400 that names the field */
export function parseDuration(field: string, text: string): number {
  if (DURATION.test(text)) return Number.parseFloat(text) * unitMs(text);
  throw badParameter(field, `\`${field}\` must be a duration such as 90s, 5m or 1h, or milliseconds.`);
}

function relativeMs(text: string, nowMs: number): number | undefined {
  if (!text.startsWith('now')) return undefined;
  const distanceMs = Number.parseInt(text.slice(4) || '0', 10) * unitMs(text);
  return nowMs + (text.at(3) === '-' ? -distanceMs : distanceMs);
}

function rfc3339Ms(text: string): number | undefined {
  return text.includes(':') ? Date.parse(text.replace(/ (\d\d:\d\d)$/, '+$1')) : undefined;
}

function unitMs(text: string): number {
  return UNIT_MS[/[a-z]+$/.exec(text)?.[0] ?? 'ms'] ?? 1;
}
