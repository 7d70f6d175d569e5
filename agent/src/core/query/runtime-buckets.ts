/** Upper bounds in seconds of the roll-ups' runtime histogram: 1 ms growing by the square root of 2 up to 2 days; the last bucket is open. */
export const RUNTIME_BUCKETS: readonly number[] = Array.from({ length: 56 }, (_, i) => 0.001 * 2 ** (i / 2));

/** Index into the histogram (0 … RUNTIME_BUCKETS.length) for a runtime in seconds. */
export function runtimeBucket(seconds: number): number {
  if (!(seconds > 0.001)) return 0;
  const index = Math.ceil(Math.log2(seconds / 0.001) * 2 - 1e-9);
  return Math.min(index, RUNTIME_BUCKETS.length);
}
