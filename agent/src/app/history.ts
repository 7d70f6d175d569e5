import type pg from 'pg';
import type { CeleryEvent, Decoded } from '../core/events/event.ts';
import { sliceText } from '../core/events/slice.ts';
import type { HealStore } from '../core/heal/store.ts';
import type { HistoryReader } from '../core/query/reader.ts';
import type { RawMessage } from '../core/wire/message.ts';
import { batchCodec } from '../ingest/codecs.ts';
import { startHistoryFeed, type HistoryFeed } from '../ingest/history-feed.ts';
import type { Clock } from '../lib/clock.ts';
import { Gate, type GateStats } from '../lib/gate.ts';
import type { Logger } from '../lib/logger.ts';
import { SpillQueue } from '../lib/spill/spill-queue.ts';
import { AgentLog, type LastRun } from '../sinks/history/agent-log.ts';
import { migrate, openPool } from '../sinks/history/database.ts';
import { type HistorySize, Partitions } from '../sinks/history/partitions.ts';
import { openHistoryReader } from '../sinks/history/read/reader.ts';
import type { SessionOptions } from '../sinks/history/read/session.ts';
import type { Cut, TextLimits } from '../sinks/history/safe-values.ts';
import { openHistoryWriter, type HistoryWriter, type WriteReport } from '../sinks/history/writer.ts';
import type { EventBatch } from '../sinks/port.ts';
import { healStoreOf } from './heal-store.ts';
import { lazyReader } from './lazy-reader.ts';
import { type Hearing, type Leadership, startLeadership } from './leadership.ts';
import { startListeningLog, type ListeningLog } from './listening.ts';

const RETRY_OPEN_MS = 2000;
const RETENTION_MS = 3_600_000;
const MEASURE_MS = 60_000;
/** Connections that the writer needs: readers never take them. */
const WRITERS = 4;
/** Reads that wait for a connection at most, and for how long. */
const READS_WAITING = 100;
const READS_PATIENCE_MS = 10_000;

export interface HistoryOptions {
  readonly databaseUrl: string;
  readonly agentName: string;
  /** Directory of the segment files in which events wait for the database. */
  readonly spillDirectory: string;
  readonly memoryBytes: number;
  readonly diskBytes: number;
  readonly eventDays: number;
  readonly taskDays: number;
  readonly rollupDays: number;
  readonly statementTimeoutMs: number;
  readonly maxConnections: number;
  /** What is kept of long texts. */
  readonly limits: Partial<TextLimits>;
}

export interface HistoryDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly decode: (message: RawMessage) => Decoded;
  /** As in `eventBatch`. */
  readonly decodeAgain: ((message: RawMessage) => readonly CeleryEvent[]) | undefined;
  readonly hearing: Hearing;
  onWrite(report: WriteReport): void;
  onWriteError(): void;
  /** When the oldest message that has not come here yet was received, epoch ms. */
  readonly oldestUndecodedMs: () => number | undefined;
  /** Since when events are lost of which no gap tells yet, epoch ms. */
  readonly untoldLossMs: () => number | undefined;
  onRoom(): void;
  onOverflow(batch: EventBatch): void;
  /** As in `SpillQueueOptions`. */
  onUnreadable(path: string, bytes: number): void;
  onStored(batches: readonly EventBatch[]): void;
  /** Searches are left out now, because events matter more; asked for each. */
  readonly shedsSearches: () => boolean;
  /** The database was reached: what it holds can be put into the live model. */
  onOpen(reader: HistoryReader): Promise<void>;
}

export interface History {
  readonly reader: HistoryReader;
  /** For the audit; ended by `close`. */
  readonly pool: pg.Pool;
  readonly feed: HistoryFeed;
  readonly queue: SpillQueue<EventBatch>;
  readonly listening: ListeningLog;
  readonly leadership: Leadership;
  /** For healing; rejects while the database was not reached. */
  readonly healStore: HealStore;
  /** Resolves when the database was reached, or could not be at the first try. */
  readonly firstTry: Promise<void>;
  /** Transactions that read. */
  reads(): GateStats & { readonly timedOut: number };
  /** What was stored in part only. */
  cut(): Cut;
  /** As last asked; undefined before the first answer. */
  size(): HistorySize | undefined;
  /** Why the history cannot be written or read; undefined when it can. */
  problem(): string | undefined;
  /** Writes what waits until the deadline, the rest goes to files. */
  close(deadlineMs: number): Promise<void>;
}

interface OpenParts {
  readonly writer: HistoryWriter;
  readonly reader: HistoryReader;
  readonly log: AgentLog;
  readonly partitions: Partitions;
}

/**
 * The history as the agent uses it: there from the first moment, whether Postgres is or not. Until the database is
 * reached events wait in the feed, and queries reject with `HistoryUnavailable`.
 */
export function startHistory(options: HistoryOptions, deps: HistoryDeps): History {
  const { clock, logger } = deps;
  const seats = Math.max(1, options.maxConnections - WRITERS);
  const gate = new Gate({ seats, waiting: READS_WAITING, patienceMs: READS_PATIENCE_MS, clock });
  let timedOut = 0;
  const reading = { gate, onTimeout: () => void (timedOut += 1) };
  const opening = keepOpening({ ...options, ...reading }, deps, (last) => listening.previousRun(last));
  const parts = (): OpenParts | undefined => opening.parts;
  const listening = startListeningLog({
    ...{ ...options, clock, logger },
    log: () => parts()?.log,
    oldestUnstoredMs: () => earliest(feed.oldestMs() ?? deps.oldestUndecodedMs(), deps.untoldLossMs()),
  });

  const queue = SpillQueue.open({
    directory: options.spillDirectory,
    codec: batchCodec(deps.decode, deps.decodeAgain),
    memoryBytes: options.memoryBytes,
    diskBytes: options.diskBytes,
    onUnreadable: (path, bytes) => deps.onUnreadable(path, bytes),
  });
  let writtenMs = 0;
  const feed = startHistoryFeed({
    queue,
    clock,
    logger,
    onRoom: () => deps.onRoom(),
    onOverflow: (batch) => deps.onOverflow(batch),
    onStored: (batches) => deps.onStored(batches),
    write: async (batches) => {
      await write(opening, deps, batches);
      writtenMs = clock.now();
    },
  });
  const leadership = startLeadership({ databaseUrl: options.databaseUrl, hearing: deps.hearing, clock, logger });
  const retain = async () => leadership.leads() && applyRetention(parts()?.partitions, opening.pool, logger);
  const stopRetention = clock.every(RETENTION_MS, () => void retain());
  // Not only every hour: agents that are restarted more often would never drop anything.
  leadership.onChange(() => void opening.finished.then(retain));

  // Where no events come no write tells that Postgres is gone; the agent asks it for its locks all the same.
  const unheardProblem = (): string | undefined => {
    const away = leadership.unreachable();
    return away === undefined || writtenMs > away.sinceMs ? undefined : `Postgres cannot be reached: ${away.problem}`;
  };

  const measuring = startMeasuring(() => parts()?.partitions, opening.firstTry, clock);

  return {
    size: () => measuring.size,
    reads: () => ({ ...gate.stats(), timedOut }),
    cut: () => parts()?.writer.stats().cut ?? { texts: 0, fields: 0 },
    reader: lazyReader(
      () => parts()?.reader,
      () => opening.problem,
      deps.shedsSearches,
    ),
    pool: opening.pool,
    feed,
    queue,
    listening,
    leadership,
    healStore: healStoreOf(opening.pool, () => parts()?.writer),
    firstTry: Promise.all([opening.firstTry, leadership.firstTry]).then(() => undefined),
    problem: () => (parts() === undefined ? opening.problem : (feed.problem() ?? unheardProblem())),
    async close(deadlineMs) {
      stopRetention();
      measuring.stop();
      await leadership.close();
      await opening.stop();
      try {
        await feed.close(deadlineMs);
      } finally {
        await listening.close();
        await parts()?.writer.close();
        await opening.pool.end();
      }
    },
  };
}

/** Asks for the size of the history now and then. */
function startMeasuring(
  partitions: () => Partitions | undefined,
  firstTry: Promise<void>,
  clock: Clock,
): { readonly size: HistorySize | undefined; stop(): void } {
  let size: HistorySize | undefined;
  const measure = async (): Promise<void> => {
    size =
      (await partitions()
        ?.size()
        .catch(() => undefined)) ?? size;
  };
  void firstTry.then(measure);
  const stop = clock.every(MEASURE_MS, () => void measure());
  return {
    get size() {
      return size;
    },
    stop,
  };
}

async function write(opening: Opening, deps: HistoryDeps, batches: readonly EventBatch[]): Promise<void> {
  await opening.firstTry;
  if (opening.parts === undefined) throw new Error(opening.problem);
  try {
    deps.onWrite(await opening.parts.writer.write(batches));
  } catch (error) {
    deps.onWriteError();
    throw error;
  }
}

async function applyRetention(partitions: Partitions | undefined, pool: pg.Pool, logger: Logger): Promise<void> {
  try {
    await partitions?.prepareAhead();
    const report = await partitions?.dropOldPartitions();
    if (report !== undefined && report.dropped.length > 0) logger.info(report, 'old partitions dropped');
  } catch (error) {
    if (pool.ending) logger.info('retention was cut short by the stop; the next start goes on with it');
    else logger.warn({ err: error }, 'retention did not run; it is tried again in an hour');
  }
}

interface Opening {
  readonly pool: ReturnType<typeof openPool>;
  parts: OpenParts | undefined;
  problem: string;
  firstTry: Promise<void>;
  /** Resolves when it is open, or stopped. */
  finished: Promise<void>;
  stop(): Promise<void>;
}

/** Tries to open the database until it succeeds or is stopped. */
function keepOpening(
  options: HistoryOptions & Pick<SessionOptions, 'gate' | 'onTimeout'>,
  deps: HistoryDeps,
  previousRun: (last: LastRun | undefined) => void,
): Opening {
  const { clock, logger } = deps;
  const pool = openPool({ ...options, logger });
  let stopped = false;
  const opening: Opening = {
    pool,
    parts: undefined,
    problem: 'the database has not been reached yet',
    firstTry: Promise.resolve(),
    finished: Promise.resolve(),
    async stop() {
      stopped = true;
      await opening.finished;
    },
  };

  async function tryOpen(): Promise<void> {
    try {
      const parts = await openParts(pool, options, deps);
      previousRun(await parts.log.begin(options.agentName, clock.now()));
      opening.parts = parts;
      logger.info('history open');
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      if (problem !== opening.problem)
        logger.error({ err: error }, 'the history cannot be opened yet; it is tried again');
      opening.problem = problem;
    }
  }

  async function run(): Promise<void> {
    await opening.firstTry;
    while (opening.parts === undefined && !stopped) {
      await clock.sleep(RETRY_OPEN_MS);
      await tryOpen();
    }
  }

  opening.firstTry = tryOpen();
  opening.finished = run();
  return opening;
}

async function openParts(
  pool: Opening['pool'],
  options: HistoryOptions & Pick<SessionOptions, 'gate' | 'onTimeout'>,
  deps: HistoryDeps,
): Promise<OpenParts> {
  const shared = { ...options, pool, clock: deps.clock, logger: deps.logger };
  await migrate(options.databaseUrl, deps.logger);
  const partitions = new Partitions(shared);
  await partitions.prepare();
  const log = new AgentLog(pool, deps.hearing.kind === 'all' ? sliceText(deps.hearing.slice) : undefined);
  const reader = openHistoryReader(shared);
  await deps.onOpen(reader);
  return { log, partitions, reader, writer: openHistoryWriter({ ...shared, partitions }) };
}

function earliest(...times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((ms) => ms !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}
