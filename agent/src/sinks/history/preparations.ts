import type pg from 'pg';
import type { CeleryEvent } from '../../core/events/event.ts';
import type { Clock } from '../../lib/clock.ts';
import type { EventBatch } from '../port.ts';
import { dayOf, saneSeconds } from './days.ts';
import type { Partitions } from './partitions.ts';
import {
  copyEvents,
  encodeEvents,
  newRows,
  type Plan,
  planState,
  type WriteRows,
  type WriterState,
} from './transaction.ts';
import { Turn } from './turn.ts';

/** How long after a doubled event or another writer's step events are expected to be doubled, ms. */
const EXPECT_DOUBLES_MS = 10_000;
/** Writes under way at once that are of use: one is flushed to disk, one has its turn, two copy. */
const MOST_AHEAD = 4;

/** Of a write that is under way, in the order of writes. */
export interface Place {
  /** What is left to send. Without one its tasks are merged in its turn, and nothing behind it can be planned. */
  plan?: Plan | undefined;
}

/** What was done for a write before its turn. */
export interface Prepared {
  readonly rows: WriteRows;
  readonly place: Place;
  /** The transaction in which the events are being copied; absent where doubled ones are told apart in turn. */
  readonly turn?: Turn | undefined;
}

export interface PreparationDeps {
  readonly pool: pg.Pool;
  readonly clock: Clock;
  readonly partitions: Partitions;
  readonly state: WriterState;
}

/**
 * What can be done for writes before they have their turn, which is most of their time: events are encoded, what they add
 * is worked out, and they are copied, each write's over a connection of its own (docs/decisions/0008).
 */
export class Preparations {
  readonly #deps: PreparationDeps;
  readonly #mostAhead: number;
  #expectDoublesUntilMs = 0;
  /** Connections held by writes that copy ahead, the one whose turn it is included. */
  #ahead = 0;
  /** Those of writes whose turn has not come. */
  readonly #turns = new Set<Turn>();
  readonly #freeRows: WriteRows[] = [];
  /** The end of the queue of writes that are being encoded. */
  #encoding: Promise<unknown> = Promise.resolve();
  readonly #places = new Set<Place>();

  constructor(deps: PreparationDeps) {
    this.#deps = deps;
    // The rest of the pool is for readers, and for the second attempt of a write.
    this.#mostAhead = Math.min(MOST_AHEAD, Math.floor(deps.pool.options.max / 2));
  }

  /**
   * Begins to prepare a write; to be called in the order of writes. `ahead` rejects only for reasons that would fail the
   * write too. `leave` is to be called when its turn is over.
   */
  begin(batches: readonly EventBatch[]): { readonly ahead: Promise<Prepared>; readonly leave: () => void } {
    const prepared: Prepared = { rows: this.#freeRows.pop() ?? newRows(), place: {} };
    const leave = (): void => {
      this.#freeRows.push(prepared.rows);
      this.#places.delete(prepared.place);
    };
    return { ahead: this.#prepare(batches, prepared), leave };
  }

  /** Nothing is planned until the returned function is called: something else is about to change what is held. */
  holdUp(): () => void {
    const place: Place = {};
    this.#places.add(place);
    return () => void this.#places.delete(place);
  }

  /** The write has its turn; undefined where its events are not copied, or no longer. */
  takeTurn({ turn }: Prepared): Turn | undefined {
    if (turn !== undefined) this.#turns.delete(turn);
    return turn?.isAbandoned === true ? undefined : turn;
  }

  /** What was planned is on top of something that was not stored. */
  voidPlans(): void {
    for (const place of this.#places) place.plan = undefined;
  }

  get expectsDoubles(): boolean {
    return this.#deps.clock.now() < this.#expectDoublesUntilMs;
  }

  /** What was sent ahead is taken back: another writer may wait for it, and this one for that writer. */
  expectDoubles(): void {
    for (const turn of this.#turns) void turn.abandon();
    this.#turns.clear();
    this.#expectDoublesUntilMs = this.#deps.clock.now() + EXPECT_DOUBLES_MS;
  }

  async #prepare(batches: readonly EventBatch[], prepared: Prepared): Promise<Prepared> {
    const { partitions, pool } = this.#deps;
    const encoding = this.#encoding.then(() => this.#encode(batches, prepared));
    this.#encoding = encoding.catch(() => undefined);
    const { days, isSentAhead } = await encoding;
    try {
      if (days.size > 0) await partitions.ensure(days);
      if (!isSentAhead) return prepared;
      const turn = await Turn.begin(pool, () => this.#ahead--);
      turn.prepare(copyEvents(turn.client, prepared.rows));
      this.#turns.add(turn);
      return { ...prepared, turn };
    } catch (error) {
      if (isSentAhead) this.#ahead--;
      throw error;
    }
  }

  /** One write after the other: a plan starts from the tasks as the write before will leave them. */
  async #encode(
    batches: readonly EventBatch[],
    { rows, place }: Prepared,
  ): Promise<{ readonly days: ReadonlySet<number>; readonly isSentAhead: boolean }> {
    const { state } = this.#deps;
    try {
      const events = batches.flatMap((batch) => batch.events);
      await encodeEvents(rows, events, state.limits);
      const isSentAhead = events.length > 0 && !this.expectsDoubles && this.#ahead < this.#mostAhead;
      const isPlannable = isSentAhead && [...this.#places].every(({ plan }) => plan !== undefined);
      if (isPlannable) place.plan = planState(state, rows.tasks, events);
      if (place.plan !== undefined) for (const batch of batches) batch.release();
      const days = daysOf(events);
      if (isSentAhead) this.#ahead++;
      return { days, isSentAhead };
    } finally {
      // Also where it failed: nothing may be planned behind it without it.
      this.#places.add(place);
    }
  }
}

function daysOf(events: readonly CeleryEvent[]): Set<number> {
  const days = new Set<number>();
  let last = -1;
  for (const { timestamp } of events) {
    const day = dayOf(saneSeconds(timestamp));
    if (day === last) continue;
    days.add(day);
    last = day;
  }
  return days;
}
