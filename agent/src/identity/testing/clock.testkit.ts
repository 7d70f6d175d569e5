import type { Clock } from '../../lib/clock.ts';
import { systemClock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';

/** A clock that goes only when it is told to, and a logger that counts. */
export function standstill(): {
  clock: Clock;
  logger: Logger;
  nowMs: () => number;
  pass(ms: number): void;
  warnings: unknown[];
} {
  let nowMs = Date.UTC(2026, 10, 23, 14);
  const warnings: unknown[] = [];
  const ignore = (): void => undefined;
  return {
    clock: { ...systemClock, now: () => nowMs },
    logger: {
      debug: ignore,
      info: ignore,
      warn: (one: unknown) => warnings.push(one),
      error: (one: unknown) => warnings.push(one),
    },
    nowMs: () => nowMs,
    pass: (ms) => void (nowMs += ms),
    warnings,
  };
}
