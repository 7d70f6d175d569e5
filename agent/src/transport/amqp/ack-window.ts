/**
 * The deliveries of one channel that wait to be settled. The broker is told in order: one acknowledgement for all up
 * to the first delivery that is still open, however the others come in.
 */
export class AckWindow {
  /** Deliveries settled before their turn. */
  readonly #early = new Set<number>();
  #settledTo = 0;
  #acknowledgedTo = 0;

  /** Marks a delivery tag as settled. Tags count from 1 within a channel. */
  settle(tag: number): void {
    if (tag <= this.#settledTo) return;
    this.#early.add(tag);
    while (this.#early.delete(this.#settledTo + 1)) this.#settledTo += 1;
  }

  /** The tag up to which all may be acknowledged now; undefined when that was asked for before. */
  take(): number | undefined {
    if (this.#settledTo === this.#acknowledgedTo) return undefined;
    this.#acknowledgedTo = this.#settledTo;
    return this.#settledTo;
  }
}
