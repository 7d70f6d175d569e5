import type { Judgement } from './judge.ts';
import type { UnhealedGap } from './store.ts';

/** What became of the tasks that a gap left open, by number of tasks. */
export interface GapTally {
  /** Their final state, or that they run, was read elsewhere. */
  healed: number;
  /** Of them those of which nothing had been heard before. */
  found: number;
  orphaned: number;
  /** A worker has them. */
  running: number;
  /** Their message is in its queue, or will be delivered again. */
  waiting: number;
  /** Nobody could tell. */
  undecided: number;
}

/** Tallies of the gaps that are healed together. */
export class Tallies {
  readonly #tallies: ReadonlyMap<number, { readonly gap: UnhealedGap; readonly tally: GapTally }>;

  /** `before`: those of an earlier look at some of the gaps; what was put right then stays counted. */
  constructor(gaps: readonly UnhealedGap[], before?: Tallies) {
    const tallyOf = ({ id }: UnhealedGap): GapTally => {
      const { healed = 0, found = 0, orphaned = 0 } = before?.of(id) ?? {};
      return { healed, found, orphaned, running: 0, waiting: 0, undecided: 0 };
    };
    this.#tallies = new Map(gaps.map((gap) => [gap.id, { gap, tally: tallyOf(gap) }]));
  }

  /** Counts a task for the gap in which it ended, else for the last one. */
  count(judgement: Judgement, { isNew = false }: { readonly isNew?: boolean } = {}): void {
    const atMs = judgement.kind === 'healed' && judgement.at !== null ? judgement.at * 1000 : undefined;
    const all = [...this.#tallies.values()];
    const fitting = all.find(({ gap }) => atMs !== undefined && atMs >= gap.fromMs && atMs <= gap.toMs) ?? all.at(-1);
    if (fitting === undefined) return;
    fitting.tally[memberOf(judgement)] += 1;
    if (isNew) fitting.tally.found += 1;
  }

  /** Undefined where the gap is not among them. */
  of(gapId: number): GapTally | undefined {
    return this.#tallies.get(gapId)?.tally;
  }

  /** By id of the gap. */
  entries(): readonly (readonly [number, GapTally])[] {
    return [...this.#tallies].map(([id, { tally }]) => [id, tally]);
  }
}

function memberOf(judgement: Judgement): Exclude<keyof GapTally, 'found'> {
  if (judgement.kind !== 'leave') return judgement.kind;
  if (judgement.why === 'running') return 'running';
  return judgement.why === 'waiting' || judgement.why === 'redelivery' ? 'waiting' : 'undecided';
}
