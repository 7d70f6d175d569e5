import type { Finding, Healed } from '../core/heal/finding.ts';
import type { HealStore, UnhealedGap } from '../core/heal/store.ts';
import type { Clock } from '../lib/clock.ts';
import type { EvidenceDeps } from './evidence.ts';
import { healedBy } from './results.ts';

/** Clocks of workers differ a little from the agent's, ms. */
const TOLERANCE_MS = 1000;

/**
 * Tasks that ended in one of the gaps and of which the history knows nothing: they were sent and done while nobody
 * listened. At most `limit` stored results are looked through, for all gaps together.
 * @throws BackendUnavailable
 */
export async function* findUnheard(
  gaps: readonly UnhealedGap[],
  limit: number,
  deps: EvidenceDeps & { readonly store: Pick<HealStore, 'unknownAmong'>; readonly clock: Clock },
): AsyncGenerator<readonly Finding[]> {
  const { backend, store, clock, masker } = deps;
  if (backend === undefined || limit === 0) return;
  const fromMs = Math.min(...gaps.map((gap) => gap.fromMs)) - TOLERANCE_MS;
  const toMs = Math.max(...gaps.map((gap) => gap.toMs)) + TOLERANCE_MS;
  for await (const ids of backend.endedBetween(fromMs, toMs, limit)) {
    const foundAt = clock.now() / 1000;
    const results = await backend.getMany(await store.unknownAmong(ids));
    yield [...results].flatMap(([taskId, stored]) => {
      const verdict = healedBy(stored, masker);
      return verdict !== undefined && isWithin(verdict, gaps) ? [{ taskId, basis: undefined, verdict, foundAt }] : [];
    });
  }
}

function isWithin({ at }: Healed, gaps: readonly UnhealedGap[]): boolean {
  if (at === null) return false;
  const atMs = at * 1000;
  return gaps.some(({ fromMs, toMs }) => atMs >= fromMs - TOLERANCE_MS && atMs <= toMs + TOLERANCE_MS);
}
