/**
 * Which queues are shown: those a worker consumes, those of the configuration, those that hold messages; and each for
 * the purge time after that, so that a queue whose workers are gone is seen as 0 and not as missing.
 */
export class QueueBook {
  readonly #configured: readonly string[];
  readonly #purgeMs: number;
  readonly #wantedMs = new Map<string, number>();

  /** `purgeMs`: 0 = never. */
  constructor(configured: readonly string[], purgeMs: number) {
    this.#configured = configured;
    this.#purgeMs = purgeMs;
  }

  /** These are consumed or hold messages now. */
  want(queues: Iterable<string>, nowMs: number): void {
    for (const queue of queues) this.#wantedMs.set(queue, nowMs);
  }

  /** In the order of the configuration, then as they were first heard of. Forgets those whose time is over. */
  shown(nowMs: number): ReadonlySet<string> {
    const shown = new Set(this.#configured);
    for (const [queue, wantedMs] of this.#wantedMs) {
      if (this.#purgeMs > 0 && nowMs - wantedMs > this.#purgeMs) this.#wantedMs.delete(queue);
      else shown.add(queue);
    }
    return shown;
  }
}
