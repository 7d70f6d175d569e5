import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { SpillQueue } from '../lib/spill/spill-queue.ts';
import type { EventBatch } from '../sinks/port.ts';

/**
 * Events that one transaction takes, at most. What is decoded and not yet stored is memory; with several writes under way,
 * 1,500, 2,500 and 4,000 were stored at the same speed (48,000 to 50,000 events a second on two busy cores).
 */
export const EVENTS_PER_WRITE = 2500;
/**
 * Events that are taken from the intake ahead of the database: those being written, those of the next write, and some of one
 * more. Those being written are let go of as a rule, and their messages are a quarter of their size.
 */
export const EVENTS_AHEAD = 5 * EVENTS_PER_WRITE;
/** One is flushed to disk, one has its turn, and two are sent ahead. */
const WRITES_UNDER_WAY = 4;
/** A write waits this long for company while little is happening: half of the freshness that the API promises. */
const GATHER_MS = 100;
const IDLE_MS = 60_000;
const RETRY_MS = [250, 500, 1000, 2000, 5000] as const;

export interface HistoryFeedDeps {
  readonly queue: SpillQueue<EventBatch>;
  /** Stores the batches in one transaction. Rejects while the database cannot be had: the batches are offered again. */
  readonly write: (batches: readonly EventBatch[]) => Promise<void>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** These are stored; called in order. */
  onStored?(batches: readonly EventBatch[]): void;
  /** There is room again. */
  onRoom(): void;
  /** A batch that neither memory nor disk had room for. */
  onOverflow(batch: EventBatch): void;
}

export interface HistoryFeed {
  push(batch: EventBatch): void;
  hasRoom(): boolean;
  /** Undefined while writes succeed. */
  problem(): string | undefined;
  /** Epoch ms of receipt of the oldest event that is not stored; undefined when all are. */
  oldestMs(): number | undefined;
  /** Events that wait, as far as they were pushed by this run. */
  waitingEvents(): number;
  /** Writes what waits until the deadline, puts the rest into files. */
  close(deadlineMs: number): Promise<void>;
}

/**
 * Writes events to the history in order, one transaction at a time.
 *
 * idle ──push──► gathering (≤ GATHER_MS, or EVENTS_PER_WRITE) ──► writing ──ok──► idle
 *                                                                   └─fails──► down: all goes to files, retried with
 *                                                                              back-off, read back in order on return
 */
export function startHistoryFeed(deps: HistoryFeedDeps): HistoryFeed {
  const feed = new Feed(deps);
  feed.start();
  return feed;
}

class Feed implements HistoryFeed {
  readonly #deps: HistoryFeedDeps;
  #waiting = 0;
  #failure: string | undefined;
  #closing = false;
  #wakeUp: () => void = () => undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(deps: HistoryFeedDeps) {
    this.#deps = deps;
  }

  start(): void {
    this.#running = this.#run();
  }

  push(batch: EventBatch): void {
    const { queue } = this.#deps;
    const idle = queue.empty;
    if (!queue.push(batch)) {
      this.#deps.onOverflow(batch);
      return;
    }
    this.#waiting += batch.size;
    if (this.#failure === undefined && (idle || this.#waiting >= EVENTS_PER_WRITE)) this.#wakeUp();
  }

  hasRoom(): boolean {
    const { queue } = this.#deps;
    return this.#failure !== undefined || queue.diskBytes > 0 || (this.#waiting < EVENTS_AHEAD && queue.isRoomy);
  }

  problem(): string | undefined {
    return this.#failure ?? this.#deps.queue.problem?.message;
  }

  oldestMs(): number | undefined {
    return this.#deps.queue.peek(1)[0]?.message.receivedMs;
  }

  waitingEvents(): number {
    return this.#waiting;
  }

  async close(deadlineMs: number): Promise<void> {
    const { queue, clock } = this.#deps;
    this.#closing = true;
    this.#wakeUp();
    await this.#running;
    while (this.#failure === undefined && !queue.empty && clock.now() < deadlineMs) await this.#drain(0);
    queue.close();
  }

  async #run(): Promise<void> {
    const { queue } = this.#deps;
    let attempt = 0;
    while (!this.#closing) {
      if (queue.empty) {
        await this.#pause(IDLE_MS);
        continue;
      }
      const isQuiet = attempt === 0 && this.#waiting < EVENTS_PER_WRITE && queue.diskBytes === 0;
      if (isQuiet) await this.#pause(GATHER_MS);
      attempt = await this.#drain(attempt);
    }
  }

  /**
   * Writes until less than a whole transaction waits: the next one is prepared while Postgres works on the one before.
   * Resolves with the number of attempts that have failed since the last success.
   */
  async #drain(attempt: number): Promise<number> {
    const underWay: { readonly batches: readonly EventBatch[]; readonly error: Promise<unknown> }[] = [];
    let taken = 0;
    for (;;) {
      const batches = underWay.length < WRITES_UNDER_WAY ? this.#nextBatches(taken, underWay.length > 0) : [];
      if (batches.length > 0) {
        const error = this.#deps.write(batches).then(() => undefined, asError);
        underWay.push({ batches, error });
        taken += batches.length;
        continue;
      }
      const oldest = underWay.shift();
      if (oldest === undefined) return 0;
      const error = await oldest.error;
      if (error !== undefined) {
        await Promise.all(underWay.map((write) => write.error));
        this.#goDown(error);
        if (!this.#closing) await this.#pause(RETRY_MS[Math.min(attempt, RETRY_MS.length - 1)] ?? 5000);
        return attempt + 1;
      }
      this.#written(oldest.batches);
      taken -= oldest.batches.length;
    }
  }

  #written(batches: readonly EventBatch[]): void {
    if (this.#failure !== undefined) this.#deps.logger.info('the history is written again');
    this.#failure = undefined;
    this.#deps.queue.commit(batches.length);
    this.#waiting = Math.max(0, this.#waiting - countEvents(batches));
    this.#deps.onStored?.(batches);
    this.#deps.onRoom();
  }

  /** What the next transaction takes, behind the `skip` batches that are being written; none while closing. */
  #nextBatches(skip: number, wholeOnly: boolean): EventBatch[] {
    if (this.#closing && wholeOnly) return [];
    const batches: EventBatch[] = [];
    let events = 0;
    for (const batch of this.#deps.queue.peek(skip + EVENTS_PER_WRITE).slice(skip)) {
      if (events > 0 && events + batch.size > EVENTS_PER_WRITE) return batches;
      batches.push(batch);
      events += batch.size;
    }
    return wholeOnly && events < EVENTS_PER_WRITE ? [] : batches;
  }

  #goDown(error: unknown): void {
    const { logger, queue } = this.#deps;
    if (this.#failure === undefined) {
      logger.error({ err: error }, 'the history cannot be written: events go to files until it can');
    }
    this.#failure = asError(error).message;
    try {
      queue.spill();
    } catch (spillError) {
      logger.error({ err: spillError }, 'events cannot be put into files: they stay in memory');
    }
    this.#deps.onRoom();
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#deps.clock.after(delayMs, resolve);
      this.#wakeUp = () => {
        cancel();
        resolve();
      };
    });
  }
}

function countEvents(batches: readonly EventBatch[]): number {
  return batches.reduce((sum, { size }) => sum + size, 0);
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
