import { ApiProblem } from '../errors.ts';
import type { LiveFeed, LiveFilter, LiveSubscription } from '../ports.ts';

/** The live subscribers of this server: a bounded number, all let go of when it closes. */
export class LiveSeats {
  readonly #feed: LiveFeed;
  readonly #maxQueue: number;
  readonly #taken = new Set<LiveSubscription>();
  readonly #isShed: () => boolean;
  readonly max: number;

  /** @param isShed live streams are left out now, because more important work needs the time */
  constructor(
    feed: LiveFeed,
    limits: { readonly maxSubscribers: number; readonly subscriberQueue: number },
    isShed: () => boolean = () => false,
  ) {
    this.#feed = feed;
    this.#isShed = isShed;
    this.max = limits.maxSubscribers;
    this.#maxQueue = limits.subscriberQueue;
  }

  get taken(): number {
    return this.#taken.size;
  }

  /** @throws ApiProblem 503 when every seat is taken, or live streams are left out now */
  mustBeFree(): void {
    if (this.#isShed()) {
      throw new ApiProblem(
        503,
        'overloaded',
        'The agent is behind with its events and takes no live streams; try again.',
      );
    }
    if (this.#taken.size < this.max) return;
    this.#feed.refuse();
    const message = `All ${this.max} live streams are taken; close one, or poll the other routes.`;
    throw new ApiProblem(503, 'too-many-subscribers', message);
  }

  /** @throws ApiProblem as `mustBeFree` */
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
