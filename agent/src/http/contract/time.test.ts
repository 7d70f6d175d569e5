import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ApiProblem } from '../errors.ts';
import { DURATION_PATTERN, INSTANT_PATTERN, parseDuration, parseInstant } from './time.ts';

const NOW_MS = Date.UTC(2026, 10, 23, 14);
const instant = (text: string): number => parseInstant('from', text, NOW_MS);

it.each([
  ['0', 0],
  ['1795442400000.5', 1_795_442_400_000.5],
  ['now', NOW_MS],
  ['now-90m', NOW_MS - 5_400_000],
  ['now+250ms', NOW_MS + 250],
  // A plus that nobody escaped.
  ['now 1h', NOW_MS + 3_600_000],
  ['2026-11-23T15:00:00 01:00', NOW_MS],
  ['2026-11-23T14:00Z', NOW_MS],
  ['2026-11-23t14:00:00.25z', NOW_MS + 250],
  ['2028-02-29T00:00Z', Date.UTC(2028, 1, 29)],
  ['2000-02-29T00:00Z', Date.UTC(2000, 1, 29)],
  // Before the first instant and after the last one there is.
  ['now-9999w', 0],
  ['1970-01-01T00:00+14:00', 0],
  ['999999999999999', Date.UTC(9999, 11, 31)],
])('the instant %s', (text, epochMs) => {
  expect(instant(text)).toBe(epochMs);
});

it.each([
  ...['', ' now', 'now-1', 'now-1y', '-5', '1e3', '2026-11-23', '2026-11-23T14:00:00', '2026-02-29T00:00Z'],
  ...['2100-02-29T00:00Z', '2026-04-31T00:00Z', '2026-13-01T00:00Z', '2026-11-23T24:00Z', '1969-12-31T23:59Z'],
])('%j is no instant', (text) => {
  expect(() => instant(text)).toThrow(ApiProblem);
});

it('whatever matches the pattern of the document is an instant, or a duration', () => {
  fc.assert(
    fc.property(fc.stringMatching(new RegExp(INSTANT_PATTERN)), (text) => {
      const epochMs = instant(text);
      return epochMs >= 0 && epochMs <= Date.UTC(9999, 11, 31);
    }),
  );
  fc.assert(
    fc.property(fc.stringMatching(new RegExp(DURATION_PATTERN)), (text) => {
      const durationMs = parseDuration('wait', text);
      return Number.isFinite(durationMs) && durationMs >= 0;
    }),
  );
});

it('a date is an instant where it is one in the calendar', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1970, max: 9999 }),
      fc.integer({ min: 0, max: 13 }),
      fc.integer({ min: 0, max: 32 }),
      (year, month, day) => {
        const two = (number: number): string => String(number).padStart(2, '0');
        const date = `${year}-${two(month)}-${two(day)}`;
        const time = new Date(Date.UTC(year, month - 1, day));
        const isReal = time.toISOString().startsWith(date);
        return new RegExp(INSTANT_PATTERN).test(`${date}T12:00Z`) === isReal;
      },
    ),
    { numRuns: 3000 },
  );
});
