import type { Clock } from './clock.ts';

export interface GateOptions {
  /** Inside at once. */
  readonly seats: number;
  /** Before the gate at once. */
  readonly waiting: number;
  /** Who has waited for so long is turned away, ms. */
  readonly patienceMs: number;
  readonly clock: Clock;
}

export interface GateStats {
  readonly seats: number;
  readonly taken: number;
  readonly waiting: number;
  /** Turned away since the start. */
  readonly refused: number;
}

/** Thrown by `Gate.enter`. */
export class GateFull extends Error {}

/** Lets a bounded number in, in the order of arrival; a bounded number waits for a bounded time. */
export class Gate {
  readonly #options: GateOptions;
  readonly #queue = new Set<() => void>();
  #taken = 0;
  #refused = 0;

  constructor(options: GateOptions) {
    this.#options = options;
  }

  /** Resolves with what leaves again, to be called once. @throws GateFull */
  async enter(): Promise<() => void> {
    if (this.#taken < this.#options.seats) this.#taken += 1;
    else await this.#wait();
    return () => this.#leave();
  }

  stats(): GateStats {
    return {
      seats: this.#options.seats,
      taken: this.#taken,
      waiting: this.#queue.size,
      refused: this.#refused,
    };
  }

  #wait(): Promise<void> {
    const { waiting, patienceMs, clock } = this.#options;
    if (this.#queue.size >= waiting) return Promise.reject(this.#turnAway());
    return new Promise((resolve, reject) => {
      const enter = (): void => {
        cancel();
        resolve();
      };
      const cancel = clock.after(patienceMs, () => {
        this.#queue.delete(enter);
        reject(this.#turnAway());
      });
      this.#queue.add(enter);
    });
  }

  #turnAway(): GateFull {
    this.#refused += 1;
    return new GateFull(`all ${this.#options.seats} are taken`);
  }

  /** The seat goes to whoever has waited longest. */
  #leave(): void {
    for (const enter of this.#queue) {
      this.#queue.delete(enter);
      enter();
      return;
    }
    this.#taken -= 1;
  }
}
