import { formatAgo, formatCount, formatDuration, formatInstant } from './format';

it('writes lengths of time with a unit, and a dash for what is not known', () => {
  expect(formatDuration(250)).toBe('250 ms');
  expect(formatDuration(1500)).toBe('1.50 s');
  expect(formatDuration(0)).toBe('0 ms');
  expect(formatDuration(null)).toBe('–');
  expect(formatDuration(Number.NaN)).toBe('–');
});

it('writes instants with milliseconds in the zone asked for', () => {
  expect(formatInstant(1_700_000_000_123, 'utc')).toBe('2023-11-14 22:13:20.123');
  expect(formatInstant(1_700_000_000_123, 'Asia/Tokyo')).toBe('2023-11-15 07:13:20.123');
  // The tests run in UTC.
  expect(formatInstant(1_700_000_000_003, 'browser')).toBe('2023-11-14 22:13:20.003');
  expect(formatInstant(undefined)).toBe('–');
});

it.each([
  [1000, 1500, 'now'],
  [1000, 13_000, '12 s ago'],
  [0, 3 * 3_600_000 + 5, '3 h ago'],
  [61_000, 0, 'in 1 m'],
  [null, 0, '–'],
])('writes how long ago %s was at %s', (ms, nowMs, text) => {
  expect(formatAgo(ms, nowMs)).toBe(text);
});

it('groups digits', () => {
  expect(formatCount(12345)).toBe('12,345');
  expect(formatCount(undefined)).toBe('–');
});
