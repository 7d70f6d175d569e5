import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { SpillQueue } from '../lib/spill/spill-queue.ts';
import type { EventBatch } from '../sinks/port.ts';

/**
 * Events that one transaction takes, at most. Larger ones save little (the fixed cost of a transaction is 3 to 5 ms)
 * and hold up the event loop longer while their rows are encoded: a scrape waits behind that.
 */
const EVENTS_PER_WRITE = 4000;
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
  /** Weight in `queue` above which the pump should wait, bytes. */
  readonly highWaterBytes: number;
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
  const { queue, clock, logger } = deps;
  let waiting = 0;
  let wakeUp: (() => void) | undefined;
  let failure: string | undefined;
  let closing = false;

  const pause = (delayMs: number): Promise<void> =>
    new Promise((resolve) => {
      const cancel = clock.after(delayMs, resolve);
      wakeUp = () => {
        cancel();
        resolve();
      };
    });

  function nextBatches(): EventBatch[] {
    const batches: EventBatch[] = [];
    let events = 0;
    for (const batch of queue.peek(EVENTS_PER_WRITE)) {
      if (events > 0 && events + batch.events.length > EVENTS_PER_WRITE) break;
      batches.push(batch);
      events += batch.events.length;
    }
    return batches;
  }

  async function writeOnce(attempt: number): Promise<number> {
    const batches = nextBatches();
    try {
      await deps.write(batches);
    } catch (error) {
      goDown(error);
      await pause(RETRY_MS[Math.min(attempt, RETRY_MS.length - 1)] ?? 5000);
      return attempt + 1;
    }
    if (failure !== undefined) logger.info('the history is written again');
    failure = undefined;
    queue.commit(batches.length);
    waiting = Math.max(0, waiting - batches.reduce((sum, batch) => sum + batch.events.length, 0));
    deps.onRoom();
    return 0;
  }

  function goDown(error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    if (failure === undefined)
      logger.error({ err: error }, 'the history cannot be written: events go to files until it can');
    failure = reason;
    try {
      queue.spill();
    } catch (spillError) {
      logger.error({ err: spillError }, 'events cannot be put into files: they stay in memory');
    }
    deps.onRoom();
  }

  async function run(): Promise<void> {
    let attempt = 0;
    while (!closing) {
      if (queue.empty) {
        await pause(IDLE_MS);
        continue;
      }
      if (attempt === 0 && waiting < EVENTS_PER_WRITE && queue.diskBytes === 0) await pause(GATHER_MS);
      attempt = await writeOnce(attempt);
    }
  }

  const running = run();

  return {
    push(batch) {
      const idle = queue.empty;
      if (!queue.push(batch)) {
        deps.onOverflow(batch);
        return;
      }
      waiting += batch.events.length;
      if (failure === undefined && (idle || waiting >= EVENTS_PER_WRITE)) wakeUp?.();
    },
    hasRoom: () => failure !== undefined || queue.memoryBytes < deps.highWaterBytes || queue.diskBytes > 0,
    problem: () => failure ?? queue.problem?.message,
    oldestMs: () => queue.peek(1)[0]?.message.receivedMs,
    async close(deadlineMs) {
      closing = true;
      wakeUp?.();
      await running;
      while (failure === undefined && !queue.empty && clock.now() < deadlineMs) await writeOnce(0);
      queue.close();
    },
  };
}
