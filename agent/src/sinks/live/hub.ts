import { WORKER_LOST } from '../../core/events/worker-lost.ts';
import type { Change, TaskChange, WorkerChange } from '../../core/state/change.ts';
import type { LiveFeed, LiveMessage, LiveSubscription } from '../../http/ports.ts';
import type { Clock } from '../../lib/clock.ts';
import type { HubFilter } from './filter.ts';
import { compileFilter } from './filter.ts';
import { liveTask, liveWorker } from './messages.ts';
import type { LiveLosses } from './subscription.ts';
import { BoundedSubscription } from './subscription.ts';

interface Subscriber {
  readonly accepts: (message: LiveMessage) => boolean;
  readonly subscription: BoundedSubscription;
}

/** Hands every change to the subscribers whose filter accepts it. Costs one comparison an event while there is none. */
export class LiveHub implements LiveFeed {
  readonly #clock: Clock;
  readonly #subscribers = new Set<Subscriber>();
  readonly #losses: LiveLosses = { dropped: 0, coalesced: 0 };

  #refused = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  publish(change: Change): void {
    if (this.#subscribers.size === 0) return;
    if (change.kind === 'task') this.#publishTask(change);
    else this.#publishWorker(change);
  }

  /** Messages from now on. At most `maxQueue` wait; see `BoundedSubscription` for what a slow reader misses. */
  subscribe(filter: HubFilter, { maxQueue }: { readonly maxQueue: number }): LiveSubscription {
    const subscription = new BoundedSubscription(maxQueue, this.#losses, () => this.#subscribers.delete(subscriber));
    const subscriber: Subscriber = { accepts: compileFilter(filter), subscription };
    this.#subscribers.add(subscriber);
    return subscription;
  }

  refuse(): void {
    this.#refused += 1;
  }

  /** For the agent's own metrics; all but `subscribers` only grow. */
  stats(): { readonly subscribers: number; readonly refused: number } & Readonly<LiveLosses> {
    return { subscribers: this.#subscribers.size, refused: this.#refused, ...this.#losses };
  }

  /** Ends every subscription. */
  close(): void {
    for (const { subscription } of this.#subscribers) subscription.close();
  }

  #publishTask(change: TaskChange): void {
    const { event, revived } = change;
    if (revived !== undefined) {
      const timestampMs = event.timestamp * 1000;
      this.#send(liveWorker(revived, { type: event.type, timestampMs, wasOnline: false, restarted: false }));
    }
    this.#send(liveTask(change));
  }

  #publishWorker({ event, worker, wasOnline, restarted }: WorkerChange): void {
    const type = event?.type ?? WORKER_LOST;
    const timestampMs = event === undefined ? this.#clock.now() : event.timestamp * 1000;
    this.#send(liveWorker(worker, { type, timestampMs, wasOnline, restarted }));
  }

  #send(message: LiveMessage): void {
    for (const { accepts, subscription } of this.#subscribers) if (accepts(message)) subscription.push(message);
  }
}

/** A hub without subscribers. */
export function createLiveHub({ clock }: { readonly clock: Clock }): LiveHub {
  return new LiveHub(clock);
}
