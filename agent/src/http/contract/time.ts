import { badParameter } from '../errors.ts';

const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

const RFC3339 = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]\d\d:\d\d)$/;
/** Years 1970 to 9999: no Celery is older. */
const MIN_MS = 0;
const MAX_MS = Date.UTC(9999, 11, 31);

/**
 * An instant parameter: epoch milliseconds, RFC 3339 with its zone, `now`, or `now-1h` (units ms s m h d w).
 *
 * @returns epoch ms
 * @throws ApiProblem 400 that names the field
 */
export function parseInstant(field: string, text: string, nowMs: number): number {
  const trimmed = text.trim();
  const instant = epochMs(trimmed) ?? relativeMs(trimmed, nowMs) ?? rfc3339Ms(trimmed);
  if (instant !== undefined && instant >= MIN_MS && instant <= MAX_MS) return instant;
  const forms = 'epoch milliseconds, RFC 3339 such as 2026-11-23T14:00:00Z, or now-1h';
  throw badParameter(field, `\`${field}\` must be an instant: ${forms}.`);
}

/** A duration parameter: `90s`, `5m`, `1h`, or bare milliseconds. @throws ApiProblem 400 that names the field */
export function parseDuration(field: string, text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|[smhdw])?$/.exec(text.trim());
  const durationMs = match === null ? NaN : Number(match[1]) * UNIT_MS[unitOf(match[2])];
  if (Number.isFinite(durationMs)) return durationMs;
  throw badParameter(field, `\`${field}\` must be a duration such as 90s, 5m or 1h, or milliseconds.`);
}

function epochMs(text: string): number | undefined {
  return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : undefined;
}

function relativeMs(text: string, nowMs: number): number | undefined {
  const match = /^now(?:([+-])(\d+)(ms|[smhdw]))?$/.exec(text);
  if (match === null) return undefined;
  const sign = match[1] === '+' ? 1 : -1;
  return nowMs + sign * Number(match[2] ?? 0) * UNIT_MS[unitOf(match[3])];
}

function rfc3339Ms(text: string): number | undefined {
  // An unescaped `+` of the zone arrives as a blank.
  const restored = text.replace(/ (\d\d:\d\d)$/, '+$1');
  const candidate = RFC3339.test(text) ? text : restored;
  const ms = RFC3339.test(candidate) ? Date.parse(candidate) : NaN;
  return Number.isNaN(ms) ? undefined : ms;
}

function unitOf(text: string | undefined): keyof typeof UNIT_MS {
  const units: readonly string[] = Object.keys(UNIT_MS);
  return text !== undefined && units.includes(text) ? (text as keyof typeof UNIT_MS) : 'ms';
}
