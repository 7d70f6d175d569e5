import type { LiveMessage, LiveSubscription } from '../../http/ports.ts';

/** What slow readers cost them, over all subscriptions; only grow. */
export interface LiveLosses {
  dropped: number;
  coalesced: number;
}

/**
 * The bounded queue of one subscriber.
 *
 * keeping up (less than half full): every message waits ── half full ──► behind: of a task only the latest message
 * waits, its older one is taken out ── full ──► the oldest message is dropped, and counted. Back to keeping up as soon
 * as less than half is waiting.
 */
export class BoundedSubscription implements LiveSubscription {
  readonly #maxQueue: number;
  readonly #losses: LiveLosses;
  readonly #onClose: () => void;
  /** In order of arrival; keys only grow. */
  readonly #waiting = new Map<number, LiveMessage>();
  /** Key of the latest waiting message of a task. */
  readonly #latest = new Map<string, number>();
  #nextKey = 0;
  #dropped = 0;
  #closed = false;
  #wake: (() => void) | undefined = undefined;

  constructor(maxQueue: number, losses: LiveLosses, onClose: () => void) {
    this.#maxQueue = Math.max(1, maxQueue);
    this.#losses = losses;
    this.#onClose = onClose;
  }

  push(message: LiveMessage): void {
    if (message.kind === 'task' && this.#waiting.size >= this.#maxQueue / 2) this.#coalesce(message.taskId);
    if (this.#waiting.size >= this.#maxQueue) this.#dropOldest();
    const key = this.#nextKey++;
    this.#waiting.set(key, message);
    if (message.kind === 'task') this.#latest.set(message.taskId, key);
    this.#wake?.();
  }

  takeDropped(): number {
    const count = this.#dropped;
    this.#dropped = 0;
    return count;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#waiting.clear();
    this.#latest.clear();
    this.#onClose();
    this.#wake?.();
  }

  /** Leaving the iteration closes the subscription. */
  async *[Symbol.asyncIterator](): AsyncGenerator<LiveMessage, void, undefined> {
    try {
      while (!this.#closed) {
        const message = this.#shift();
        if (message !== undefined) yield message;
        else await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    } finally {
      this.close();
    }
  }

  #coalesce(taskId: string): void {
    const older = this.#latest.get(taskId);
    if (older !== undefined && this.#waiting.delete(older)) this.#losses.coalesced += 1;
  }

  #dropOldest(): void {
    if (this.#shift() === undefined) return;
    this.#dropped += 1;
    this.#losses.dropped += 1;
  }

  #shift(): LiveMessage | undefined {
    for (const [key, message] of this.#waiting) {
      this.#waiting.delete(key);
      if (message.kind === 'task' && this.#latest.get(message.taskId) === key) this.#latest.delete(message.taskId);
      return message;
    }
    return undefined;
  }
}
