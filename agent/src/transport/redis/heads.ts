import { createHash } from 'node:crypto';

/**
 * Since when the first messages of queues have not moved. Celery's messages on Redis tell no time; what is first now, and
 * was at an earlier look, has waited since then at least.
 */
export class HeadWatch {
  /** Queue → fingerprint of a list's first message → epoch ms at which it was seen there first. */
  readonly #sinceMs = new Map<string, ReadonlyMap<string, number>>();

  /**
   * Takes in the first message of each of a queue's lists. Returns the epoch ms since which the one that is there longest
   * has been there; undefined when all are new.
   */
  seen(queue: string, heads: readonly string[], nowMs: number): number | undefined {
    const before = this.#sinceMs.get(queue);
    const now = new Map<string, number>();
    for (const head of heads) {
      const print = createHash('sha1').update(head).digest('base64');
      now.set(print, before?.get(print) ?? nowMs);
    }
    if (now.size === 0) this.#sinceMs.delete(queue);
    else this.#sinceMs.set(queue, now);
    const oldestMs = Math.min(...now.values());
    return oldestMs < nowMs ? oldestMs : undefined;
  }
}
