import { ApiProblem } from '../errors.ts';
import type { LiveFeed, LiveFilter, LiveSubscription } from '../ports.ts';

/** The live subscribers of this server: a bounded number, all let go of when it closes. */
export class LiveSeats {
  readonly #feed: LiveFeed;
  readonly #maxQueue: number;
  readonly #taken = new Set<LiveSubscription>();
  readonly max: number;

  constructor(feed: LiveFeed, limits: { readonly maxSubscribers: number; readonly subscriberQueue: number }) {
    this.#feed = feed;
    this.max = limits.maxSubscribers;
    this.#maxQueue = limits.subscriberQueue;
  }

  get taken(): number {
    return this.#taken.size;
  }

  /** @throws ApiProblem 503 when every seat is taken */
  mustBeFree(): void {
    if (this.#taken.size < this.max) return;
    const message = `All ${this.max} live streams are taken; close one, or poll the other routes.`;
    throw new ApiProblem(503, 'too-many-subscribers', message);
  }

  /** @throws ApiProblem 503 when every seat is taken */
  take(filter: LiveFilter): LiveSubscription {
    this.mustBeFree();
    const subscription = this.#feed.subscribe(filter, { maxQueue: this.#maxQueue });
    this.#taken.add(subscription);
    return subscription;
  }

  /** Ends the subscription and frees its seat; a second call does nothing. */
  release(subscription: LiveSubscription): void {
    if (this.#taken.delete(subscription)) subscription.close();
  }

  releaseAll(): void {
    for (const subscription of this.#taken) this.release(subscription);
  }
}
