/** Longest pause between two attempts to reach a broker. */
export const MAX_BACKOFF_MS = 5000;

/**
 * Pause before attempt `attempt` (0 = the first after a failure): doubles from 100 ms up to `MAX_BACKOFF_MS`, of which
 * a random half is left out so that replicas do not return in step.
 */
export function backoffMs(attempt: number, random: () => number = Math.random): number {
  const full = Math.min(MAX_BACKOFF_MS, 100 * 2 ** Math.min(attempt, 16));
  return Math.round(full / 2 + (random() * full) / 2);
}
