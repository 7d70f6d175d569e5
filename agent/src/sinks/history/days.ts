/** Instants as Postgres' binary formats count them, and the days that partitions are cut by. Pure. */

const DAY_MS = 86_400_000;
const POSTGRES_EPOCH_S = 946_684_800;
/** Days from 1970-01-01 to 2000-01-01. */
const POSTGRES_EPOCH_DAYS = 10_957;
/** Wire timestamps outside of 2000 … 2100 are no instants: a clock that was never set, milliseconds for seconds. */
const SANE_FROM_S = POSTGRES_EPOCH_S;
const SANE_TO_S = 4_102_444_800;

/** Epoch seconds of the wire → seconds that a column may hold: 0 where they are absurd. */
export function saneSeconds(timestamp: number): number {
  return timestamp >= SANE_FROM_S && timestamp < SANE_TO_S ? timestamp : 0;
}

/** Epoch seconds → `timestamptz` on the wire: microseconds since 2000-01-01. */
export function pgMicros(seconds: number): number {
  return Math.round(seconds * 1e6) - POSTGRES_EPOCH_S * 1e6;
}

/** Epoch seconds → days since 1970-01-01, UTC. */
export function dayOf(seconds: number): number {
  return Math.floor(seconds / 86_400);
}

/** Days since 1970-01-01 → `date` on the wire: days since 2000-01-01. */
export function pgDays(day: number): number {
  return day - POSTGRES_EPOCH_DAYS;
}

/** `date` on the wire → days since 1970-01-01. */
export function dayFromPg(days: number): number {
  return days + POSTGRES_EPOCH_DAYS;
}

/** Days since 1970-01-01 → `2026-11-23`. */
export function isoDay(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}

/** `2026-11-23` → days since 1970-01-01. */
export function dayFromIso(text: string): number {
  return Math.round(Date.parse(`${text}T00:00:00Z`) / DAY_MS);
}

/** First day of the month that `day` lies in, shifted by `months`. */
export function monthStart(day: number, months = 0): number {
  const date = new Date(day * DAY_MS);
  return Math.round(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + months, 1) / DAY_MS);
}
