import type { Clock } from '../../lib/clock.ts';

/** Late events of the same task may still complete what is told of it: publishers' task-sent among them. */
const LINGER_MS = 1000;
/** The history may be away; telling twice is better than never. */
const VERDICT_MS = 10_000;
const LOOK_MS = 250;
/** Beyond this the oldest are told at once: each holds its task and its event, some 3 KB. */
const MAX_PENDING = 4000;

/** `isOurs` false: another agent tells it. */
type Verdict = (isOurs: boolean) => void;

interface Entry {
  readonly sinceMs: number;
  readonly waiting: Verdict[];
  /** No other agent told it: none will. */
  isOurs: boolean;
}

/**
 * What is about to be told of an event, by its identity. Where agents share a history, the one whose event was stored
 * first tells it, and the others are told that theirs was doubled; without a word from the history in 10 s each tells it.
 */
export class Pending {
  readonly #entries = new Map<number, Entry>();
  readonly #clock: Clock;
  readonly #isShared: boolean;
  readonly #stop: () => void;

  constructor(clock: Clock, isShared: boolean) {
    this.#clock = clock;
    this.#isShared = isShared;
    this.#stop = clock.every(LOOK_MS, () => this.#look());
  }

  /** Calls `done` once, later. */
  add(identity: number, done: Verdict): void {
    const entry = this.#entries.get(identity);
    if (entry !== undefined) {
      entry.waiting.push(done);
      return;
    }
    this.#entries.set(identity, { sinceMs: this.#clock.now(), waiting: [done], isOurs: !this.#isShared });
    if (this.#entries.size <= MAX_PENDING) return;
    for (const oldest of this.#entries.keys()) {
      this.#end(oldest, true);
      break;
    }
  }

  /** This agent was the first to store the event. */
  ours(identity: number): void {
    const entry = this.#entries.get(identity);
    if (entry !== undefined) entry.isOurs = true;
  }

  /** The event is stored: by another agent, unless it was `ours`. */
  settled(identity: number): void {
    if (this.#entries.get(identity)?.isOurs === false) this.#end(identity, false);
  }

  /** Tells everything that waits. */
  close(): void {
    this.#stop();
    for (const identity of this.#entries.keys()) this.#end(identity, true);
  }

  #look(): void {
    const nowMs = this.#clock.now();
    for (const [identity, { sinceMs, isOurs }] of this.#entries) {
      const ageMs = nowMs - sinceMs;
      // In the order in which they came: those behind are younger still.
      if (ageMs < LINGER_MS) break;
      if (isOurs || ageMs >= VERDICT_MS) this.#end(identity, true);
    }
  }

  #end(identity: number, isOurs: boolean): void {
    const entry = this.#entries.get(identity);
    this.#entries.delete(identity);
    for (const done of entry?.waiting ?? []) done(isOurs);
  }
}
