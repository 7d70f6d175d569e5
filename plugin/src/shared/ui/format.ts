import { dateTimeFormat, getValueFormat, formattedValueToString } from '@grafana/data';
import type { TimeZone } from '@grafana/schema';

/** What stands where a value is not known. */
export const UNKNOWN = '–';

/** `250 ms`, `1.5 s`, `3.2 mins`. @param ms a length of time; null or undefined where it is not known */
export function formatDuration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) {
    return UNKNOWN;
  }
  return formattedValueToString(getValueFormat('ms')(ms, ms < 1 && ms > 0 ? 2 : undefined));
}

/** What a `Date` can hold. */
const MOST_MS = 8.64e15;

/** With milliseconds, in the dashboard's time zone. @param ms epoch ms; null or undefined where it is not known */
export function formatInstant(ms: number | null | undefined, timeZone?: TimeZone): string {
  if (ms === null || ms === undefined || !(Math.abs(ms) <= MOST_MS)) {
    return UNKNOWN;
  }
  if (timeZone === 'utc') {
    return new Date(ms).toISOString().replace('T', ' ').slice(0, -1);
  }
  return timeZone === 'browser'
    ? localText(new Date(ms))
    : dateTimeFormat(ms, { timeZone, format: 'YYYY-MM-DD HH:mm:ss.SSS' });
}

/** By hand: Grafana's way takes a hundred times as long, which a table that scrolls would feel. */
function localText(date: Date): string {
  const two = (part: number) => String(part).padStart(2, '0');
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return `${day} ${time}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}

const STEPS: ReadonlyArray<readonly [unit: string, ms: number]> = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
];

/** `12 s ago`, `3 h ago`; `now` below a second, and for clocks that are a little ahead. */
export function formatAgo(ms: number | null | undefined, nowMs: number): string {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) {
    return UNKNOWN;
  }
  const pastMs = nowMs - ms;
  const step = STEPS.find(([, size]) => Math.abs(pastMs) >= size);
  if (step === undefined) {
    return 'now';
  }
  const [unit, size] = step;
  const count = Math.floor(Math.abs(pastMs) / size);
  return pastMs < 0 ? `in ${count} ${unit}` : `${count} ${unit} ago`;
}

/** `1,234` in the browser's way. */
export function formatCount(count: number | null | undefined): string {
  return count === null || count === undefined ? UNKNOWN : count.toLocaleString('en-US');
}
