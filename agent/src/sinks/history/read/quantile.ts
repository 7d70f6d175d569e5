import { RUNTIME_BUCKETS } from '../../../core/query/runtime-buckets.ts';

/**
 * Quantile (0 … 1) in seconds of a histogram over `RUNTIME_BUCKETS`, interpolated within its bucket as Prometheus'
 * `histogram_quantile` does: in the open last bucket, the bound before it. Null for an empty histogram.
 */
export function quantile(counts: readonly number[] | undefined, share: number): number | null {
  const total = counts?.reduce((sum, count) => sum + count, 0) ?? 0;
  if (counts === undefined || total === 0) return null;
  const rank = share * total;
  let below = 0;
  for (const [index, count] of counts.entries()) {
    if (count > 0 && below + count >= rank) {
      const lower = index === 0 ? 0 : (RUNTIME_BUCKETS[index - 1] ?? 0);
      const upper = RUNTIME_BUCKETS[index] ?? lower;
      return lower + (upper - lower) * ((rank - below) / count);
    }
    below += count;
  }
  return RUNTIME_BUCKETS.at(-1) ?? null;
}
