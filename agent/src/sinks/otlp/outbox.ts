import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Exporter, Outcome, Signal } from './options.ts';

/** Why something was not sent: no room, the receiver will never take it, or the agent ended before it did. */
export type DropReason = 'overflow' | 'refused' | 'shutdown';

export interface OutboxStats {
  readonly displayUrl: string;
  readonly sent: number;
  readonly dropped: Readonly<Record<DropReason, number>>;
  /** Batches that the receiver did not take at once. */
  readonly errors: number;
  /** Waiting, the batch under way included. */
  readonly waiting: number;
  readonly waitingBytes: number;
  /** Why nothing gets through; undefined while it does. */
  readonly problem: string | undefined;
}

export interface OutboxDeps<T> {
  readonly signal: Signal;
  readonly exporter: Exporter<T>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Of what waits. */
  readonly maxBytes: number;
  /** Bytes that an item takes in memory, roughly. */
  readonly weigh: (item: T) => number;
  /** From 0 to 1; default `Math.random`. */
  readonly random?: () => number;
}

const MAX_BATCH = 512;
const MAX_BATCH_BYTES = 1024 ** 2;
/** How long the first item waits for others. */
const COLLECT_MS = 1000;
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 30_000;

/**
 * What waits to be sent, of one signal. Bounded: the oldest give way to new ones, and are counted. One batch is under way
 * at a time; while the receiver is away it is tried again and again, with growing pauses, and nobody waits for it.
 */
export class Outbox<T> {
  readonly #deps: OutboxDeps<T>;
  #items: T[] = [];
  #bytes = 0;
  #batch: readonly T[] = [];
  #batchBytes = 0;
  #sent = 0;
  #errors = 0;
  readonly #dropped: Record<DropReason, number> = { overflow: 0, refused: 0, shutdown: 0 };
  #problem: string | undefined;
  #failures = 0;
  #cancel: (() => void) | undefined;
  #sending: Promise<void> | undefined;
  #isClosing = false;

  constructor(deps: OutboxDeps<T>) {
    this.#deps = deps;
  }

  /** Takes the item, or drops older ones for it. Never waits. */
  push(item: T): void {
    this.#items.push(item);
    this.#bytes += this.#deps.weigh(item);
    if (this.#bytes + this.#batchBytes > this.#deps.maxBytes) this.#makeRoom();
    if (this.#problem !== undefined) return;
    if (this.#items.length >= MAX_BATCH) this.#wake(0);
    else if (this.#cancel === undefined) this.#wake(COLLECT_MS);
  }

  stats(): OutboxStats {
    return {
      displayUrl: this.#deps.exporter.displayUrl,
      sent: this.#sent,
      dropped: { ...this.#dropped },
      errors: this.#errors,
      waiting: this.#items.length + this.#batch.length,
      waitingBytes: this.#bytes + this.#batchBytes,
      problem: this.#problem,
    };
  }

  /** Sends what waits until the deadline (epoch ms); what is left then is dropped, counted and logged. */
  async close(deadlineMs: number): Promise<void> {
    const { clock, logger, signal, exporter } = this.#deps;
    this.#isClosing = true;
    this.#cancel?.();
    let isLate = false;
    const leftMs = Math.max(0, deadlineMs - clock.now());
    const late = new Promise<void>((resolve) => {
      clock.after(leftMs, () => {
        isLate = true;
        resolve();
      });
    });
    const flush = async (): Promise<void> => {
      await this.#sending;
      // The receiver gets one more chance, and no more than that.
      while (!isLate && (this.#batch.length > 0 || this.#items.length > 0)) {
        await this.#send();
        if (this.#problem !== undefined) break;
      }
      await exporter.close();
    };
    await Promise.race([flush(), late]);
    const lost = this.#items.length + this.#batch.length;
    if (lost === 0) return;
    this.#dropped.shutdown += lost;
    logger.warn({ signal, lost }, 'what waited for the OTLP receiver was not sent before the end');
  }

  /** An eighth at once: one by one would move all the others each time. */
  #makeRoom(): void {
    const { maxBytes, weigh } = this.#deps;
    const target = maxBytes - maxBytes / 8 - this.#batchBytes;
    let count = 0;
    for (const item of this.#items) {
      if (this.#bytes <= target) break;
      this.#bytes -= weigh(item);
      count += 1;
    }
    this.#items = this.#items.slice(count);
    this.#dropped.overflow += count;
  }

  #wake(delayMs: number): void {
    if (this.#sending !== undefined || this.#isClosing) return;
    this.#cancel?.();
    this.#cancel = this.#deps.clock.after(delayMs, () => {
      this.#cancel = undefined;
      this.#sending = this.#run().finally(() => {
        this.#sending = undefined;
        this.#goOn();
      });
    });
  }

  /** What came in meanwhile is not forgotten, and what did not get through is tried again. */
  #goOn(): void {
    if (this.#batch.length > 0) this.#wake(this.#pauseMs());
    else if (this.#items.length > 0) this.#wake(COLLECT_MS);
  }

  /** Sends full batches as long as there are any; at least one, full or not. */
  async #run(): Promise<void> {
    do await this.#send();
    while (this.#problem === undefined && this.#items.length >= MAX_BATCH && !this.#isClosing);
  }

  async #send(): Promise<void> {
    if (this.#batch.length === 0) this.#takeBatch();
    if (this.#batch.length === 0) return;
    this.#settle(await this.#deps.exporter.export(this.#batch));
  }

  #takeBatch(): void {
    let bytes = 0;
    let count = 0;
    for (const item of this.#items) {
      const weight = this.#deps.weigh(item);
      if (count === MAX_BATCH || (count > 0 && bytes + weight > MAX_BATCH_BYTES)) break;
      bytes += weight;
      count += 1;
    }
    this.#batch = this.#items.slice(0, count);
    this.#items = this.#items.slice(count);
    this.#bytes -= bytes;
    this.#batchBytes = bytes;
  }

  #settle(outcome: Outcome): void {
    const { logger, signal } = this.#deps;
    const { length } = this.#batch;
    if (outcome.kind === 'away') {
      this.#errors += 1;
      this.#failures += 1;
      if (this.#problem === undefined) {
        logger.warn({ signal, reason: outcome.reason }, 'the OTLP receiver does not take the batch; it is tried again');
      }
      this.#problem = outcome.reason;
      return;
    }
    if (this.#problem !== undefined) logger.info({ signal }, 'the OTLP receiver can be reached again');
    this.#problem = undefined;
    this.#failures = 0;
    if (outcome.kind === 'taken') this.#sent += length;
    else {
      this.#errors += 1;
      this.#dropped.refused += length;
      logger.warn({ signal, reason: outcome.reason, dropped: length }, 'the OTLP receiver refuses the batch');
    }
    this.#batch = [];
    this.#batchBytes = 0;
  }

  #pauseMs(): number {
    const { random = Math.random } = this.#deps;
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** (this.#failures - 1), LONGEST_PAUSE_MS);
    return pauseMs * (0.5 + random() / 2);
  }
}
