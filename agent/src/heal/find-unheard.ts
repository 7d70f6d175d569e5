import type { Finding, Healed } from '../core/heal/finding.ts';
import type { HealStore, UnhealedGap } from '../core/heal/store.ts';
import type { Clock } from '../lib/clock.ts';
import type { EvidenceDeps } from './evidence.ts';
import { healedBy } from './results.ts';

/** Clocks of workers differ a little from the agent's, ms. */
const TOLERANCE_MS = 1000;

export type UnheardDeps = EvidenceDeps & {
  readonly store: Pick<HealStore, 'unknownAmong'>;
  readonly clock: Clock;
};

/**
 * A walk through the stored results, in as many runs as it takes, for tasks that ended in one of the gaps and of which the
 * history knows nothing: they were sent and done while nobody listened.
 */
export class UnheardSearch {
  readonly #gaps: readonly UnhealedGap[];
  readonly #deps: UnheardDeps;
  readonly #portions: AsyncIterator<readonly string[]> | undefined;
  /** Of the last portion, those that are not looked at yet. */
  #waiting: readonly string[] = [];
  #isOver = false;

  constructor(gaps: readonly UnhealedGap[], deps: UnheardDeps) {
    this.#gaps = gaps;
    this.#deps = deps;
    const fromMs = Math.min(...gaps.map((gap) => gap.fromMs)) - TOLERANCE_MS;
    const toMs = Math.max(...gaps.map((gap) => gap.toMs)) + TOLERANCE_MS;
    this.#portions = deps.backend?.endedBetween(fromMs, toMs)[Symbol.asyncIterator]();
  }

  /** Every stored result was looked at. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Looks at further results, `limit` at most. @throws BackendUnavailable, and then the walk is to begin anew. */
  async *goOn(limit: number): AsyncGenerator<readonly Finding[]> {
    for (let left = limit; left > 0;) {
      if (this.#waiting.length === 0) {
        const next = await this.#portions?.next();
        if (next === undefined || next.done === true) {
          this.#isOver = true;
          return;
        }
        this.#waiting = next.value;
      }
      const ids = this.#waiting.slice(0, left);
      this.#waiting = this.#waiting.slice(left);
      left -= ids.length;
      yield await this.#lookAt(ids);
    }
  }

  async #lookAt(ids: readonly string[]): Promise<readonly Finding[]> {
    const { backend, store, clock, masker } = this.#deps;
    const foundAt = clock.now() / 1000;
    const results = await backend?.getMany(await store.unknownAmong(ids));
    return [...(results ?? [])].flatMap(([taskId, stored]) => {
      const verdict = healedBy(stored, masker);
      const isMissed = verdict !== undefined && isWithin(verdict, this.#gaps);
      return isMissed ? [{ taskId, basis: undefined, verdict, foundAt }] : [];
    });
  }
}

function isWithin({ at }: Healed, gaps: readonly UnhealedGap[]): boolean {
  if (at === null) return false;
  const atMs = at * 1000;
  return gaps.some(({ fromMs, toMs }) => atMs >= fromMs - TOLERANCE_MS && atMs <= toMs + TOLERANCE_MS);
}
