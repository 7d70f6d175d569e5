import type pg from 'pg';
import type { CeleryEvent } from '../../core/events/event.ts';
import type { Finding } from '../../core/heal/finding.ts';
import type { Settled } from '../../core/heal/store.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import type { EventBatch } from '../port.ts';
import { dayOf, saneSeconds } from './days.ts';
import { asDown, errorCode, HistoryDown, isDataError, isTransient, LOCK_TIMEOUT, UNIQUE_VIOLATION } from './errors.ts';
import { dayOfFinding, storeFindings } from './findings.ts';
import { Partitions } from './partitions.ts';
import { Recall } from './recall.ts';
import { RowBuffer } from './row-buffer.ts';
import { type Cut, DEFAULT_LIMITS, type TextLimits } from './safe-values.ts';
import { DEFAULT_MEMORY, type MemoryLimits, TaskMemory } from './task-memory.ts';
import { copyEvents, encodeEvents, type EventRows, insertNew, storeState, type WriterState } from './transaction.ts';
import { Turn } from './turn.ts';

/** How long after a doubled event or another writer's step events are expected to be doubled, ms. */
const EXPECT_DOUBLES_MS = 10_000;
const ATTEMPTS = 4;
/** Writes under way at once that are of use: one is flushed to disk, one has its turn, one copies. */
const MOST_AHEAD = 3;

export interface HistoryWriterOptions {
  readonly pool: pg.Pool;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Default 30. */
  readonly retentionDays?: number;
  /** Share one with the retention job; default: one of its own. */
  readonly partitions?: Partitions;
  readonly limits?: Partial<TextLimits>;
  readonly memory?: Partial<MemoryLimits>;
  /** False leaves out the filter of stored task ids (8 MiB): every task not held is then looked up. Default true. */
  readonly recall?: boolean;
}

export interface WriteReport {
  readonly events: number;
  /** Stored by this call. */
  readonly inserted: number;
  /** Were stored before, or stood twice in the call. */
  readonly doubled: number;
  /** Task rows written. */
  readonly tasks: number;
  /** Events that Postgres refused: stored with a marker instead of their fields, or, if refused again, left out. */
  readonly poisoned: number;
  readonly ms: number;
  /** The events that this call was the first to store, of all writers. */
  readonly stored: readonly CeleryEvent[];
}

export interface HistoryWriter {
  /**
   * Stores the batches in one transaction: events, merged tasks, workers, roll-ups and names. An event that is
   * stored already changes nothing. Calls are committed one after the other; others may be made while the first is under
   * way: their rows are then encoded and their events sent meanwhile, each over a connection of its own. When a call
   * fails, those made before that was known fail too, so that the order is kept.
   * @throws HistoryDown when Postgres cannot take it now: nothing is lost if the caller writes the same again.
   */
  write(batches: readonly EventBatch[]): Promise<WriteReport>;
  /**
   * Puts findings into their tasks, in one transaction, and into the timelines. Those whose task has changed since they
   * were made are left out. Resolves with the others. @throws HistoryDown
   */
  settle(findings: readonly Finding[]): Promise<readonly Settled[]>;
  /** Tasks held in memory, whether new ones are known without asking Postgres, and what was stored in part only. */
  stats(): { readonly heldTasks: number; readonly recallLoaded: boolean; readonly cut: Cut };
  /** Waits for the writes under way; leaves the pool open. */
  close(): Promise<void>;
}

/**
 * Opens the one writer of this process. It does not connect before the first write or, for the recall filter, in the
 * background.
 *
 * Several agents may write at once. They take turns under an advisory lock, and each step of a sequence tells a writer
 * whether another one wrote since its own last turn; only then what it holds in memory is old, and is dropped.
 */
export function openHistoryWriter(options: HistoryWriterOptions): HistoryWriter {
  const writer = new PostgresWriter(options);
  if (options.recall !== false) writer.startRecall();
  return writer;
}

interface Tally {
  readonly stored: (readonly CeleryEvent[])[];
  tasks: number;
  poisoned: number;
  dropped: number;
  /** Settle when what was committed is on disk. */
  readonly flushed: Promise<void>[];
}

class PostgresWriter implements HistoryWriter {
  readonly #pool: pg.Pool;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #partitions: Partitions;
  readonly #state: WriterState;
  #lastTick: number | undefined;
  #expectDoublesUntilMs = 0;
  /** Rises when a write fails: what was asked for before must not overtake it. */
  #generation = 0;
  /** Connections held by writes that copy ahead, the one whose turn it is included. */
  #ahead = 0;
  readonly #mostAhead: number;
  /** Those of writes whose turn has not come. */
  readonly #aheadTurns = new Set<Turn>();
  readonly #freeRows: EventRows[] = [];
  readonly #cut = { texts: 0, fields: 0 };
  /** The end of the queue of writes. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: HistoryWriterOptions) {
    const { pool, clock, logger } = options;
    this.#pool = pool;
    // The rest of the pool is for readers, and for the second attempt of a write.
    this.#mostAhead = Math.min(MOST_AHEAD, Math.floor((pool.options.max - 1) / 2));
    this.#clock = clock;
    this.#logger = logger;
    this.#partitions = options.partitions ?? new Partitions({ ...options });
    const synchronise = () => this.#synchronise();
    this.#state = {
      memory: new TaskMemory({ ...DEFAULT_MEMORY, ...options.memory }),
      recall: new Recall({ pool, clock, logger, synchronise }),
      limits: { ...DEFAULT_LIMITS, ...options.limits },
      workersSeen: new Map(),
      namesSeen: new Map(),
      taskRows: new RowBuffer(),
    };
  }

  startRecall(): void {
    this.#state.recall.startLoading();
  }

  async write(batches: readonly EventBatch[]): Promise<WriteReport> {
    const startMs = this.#clock.now();
    const generation = this.#generation;
    const events = batches.flatMap((batch) => batch.events);
    const rows = this.#freeRows.pop() ?? { taskEvents: new RowBuffer(), workerEvents: new RowBuffer() };
    const ahead = this.#sendAhead(events, rows);
    ahead.catch(() => undefined); // told in turn
    const { report, flushed } = await this.#inTurn(async () => {
      try {
        const sent = await ahead.catch((error: unknown) => {
          throw asDown(error);
        });
        if (sent !== undefined) this.#aheadTurns.delete(sent);
        const turn = sent?.isAbandoned === true ? undefined : sent;
        if (generation !== this.#generation) {
          await turn?.abandon();
          throw new HistoryDown(new Error('the write before it failed'));
        }
        return await this.#write(events, rows, turn);
      } catch (error) {
        this.#generation++;
        throw error;
      } finally {
        this.#freeRows.push(rows);
      }
    });
    try {
      await Promise.all(flushed);
    } catch (error) {
      this.#doubtWhatIsHeld();
      throw asDown(error);
    }
    return { ...report, ms: this.#clock.now() - startMs };
  }

  async settle(findings: readonly Finding[]): Promise<readonly Settled[]> {
    if (findings.length === 0) return [];
    try {
      await this.#partitions.ensure(new Set(findings.flatMap((one) => [dayOfFinding(one), dayOf(one.foundAt)])));
      const { applied, flushed } = await this.#inTurn(() => this.#settle(findings));
      await flushed;
      return applied;
    } catch (error) {
      throw asDown(error);
    }
  }

  stats(): { readonly heldTasks: number; readonly recallLoaded: boolean; readonly cut: Cut } {
    return { heldTasks: this.#state.memory.size, recallLoaded: this.#state.recall.isLoaded, cut: this.#cut };
  }

  async close(): Promise<void> {
    await this.#state.recall.close();
    await this.#turn;
  }

  /** Resolves when every write before it is committed. */
  async #synchronise(): Promise<void> {
    const { flushed } = await this.#inTurn(() =>
      this.#transaction(undefined, () => Promise.resolve({ sent: Promise.resolve() })),
    );
    await flushed;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }

  /**
   * Encodes the events and copies them while other writes have their turn: half of a write's time, and nothing in it
   * depends on their outcome. Resolves to undefined where doubles are expected: those are told apart in turn. Rejects
   * only for reasons that would fail the write too.
   */
  async #sendAhead(events: readonly CeleryEvent[], rows: EventRows): Promise<Turn | undefined> {
    await encodeEvents(rows, events, this.#state.limits);
    if (events.length === 0) return undefined;
    await this.#partitions.ensure(daysOf(events));
    if (this.#clock.now() < this.#expectDoublesUntilMs || this.#ahead >= this.#mostAhead) return undefined;
    this.#ahead++;
    try {
      const turn = await Turn.begin(this.#pool, () => this.#ahead--);
      turn.prepare(copyEvents(turn.client, rows));
      this.#aheadTurns.add(turn);
      return turn;
    } catch (error) {
      this.#ahead--;
      throw error;
    }
  }

  async #write(
    events: readonly CeleryEvent[],
    rows: EventRows,
    ahead: Turn | undefined,
  ): Promise<{ readonly report: Omit<WriteReport, 'ms'>; readonly flushed: readonly Promise<void>[] }> {
    const tally: Tally = { stored: [], tasks: 0, poisoned: 0, dropped: 0, flushed: [] };
    if (events.length > 0) await this.#storeAll(events, tally, rows, ahead);
    const { tasks, poisoned, dropped, flushed } = tally;
    const stored = tally.stored.flat();
    const inserted = stored.length;
    const doubled = events.length - inserted - dropped;
    return { report: { events: events.length, inserted, doubled, tasks, poisoned, stored }, flushed };
  }

  async #settle(
    findings: readonly Finding[],
  ): Promise<{ readonly applied: readonly Settled[]; readonly flushed: Promise<void> }> {
    try {
      const store = (client: pg.ClientBase) => storeFindings(client, this.#state, findings);
      const { result, flushed } = await this.#transaction(undefined, store);
      result.remember();
      this.#cut.texts += this.#state.taskRows.cut;
      flushed.catch(() => this.#doubtWhatIsHeld());
      return { applied: result.applied, flushed };
    } catch (error) {
      this.#state.taskRows.abandon();
      throw error;
    }
  }

  /** Halves what Postgres refuses until the event is found that it refuses. */
  async #storeAll(events: readonly CeleryEvent[], tally: Tally, rows?: EventRows, ahead?: Turn): Promise<void> {
    try {
      await this.#store(events, tally, rows, ahead);
      return;
    } catch (error) {
      if (!isDataError(error)) throw asDown(error);
      const [first] = events;
      if (events.length === 1 && first !== undefined) return this.#storePoison(first, error, tally);
    }
    const middle = events.length >> 1;
    await this.#storeAll(events.slice(0, middle), tally);
    await this.#storeAll(events.slice(middle), tally);
  }

  async #storePoison(event: CeleryEvent, error: unknown, tally: Tally): Promise<void> {
    tally.poisoned++;
    const about = {
      code: errorCode(error),
      type: event.type,
      task: event.uuid.slice(0, 100),
      hostname: event.hostname,
    };
    const { type, uuid, hostname, timestamp, clock } = event;
    const marker = `${errorCode(error) ?? 'error'}: ${error instanceof Error ? error.message.slice(0, 200) : ''}`;
    const fields = { type, uuid, hostname, timestamp, clock, 'umbel:refused': marker };
    try {
      await this.#store([{ ...event, fields }], tally);
      this.#logger.warn(about, 'an event was refused by Postgres and stored without its fields');
    } catch (again) {
      if (!isDataError(again)) throw asDown(again);
      tally.dropped++;
      this.#logger.error({ ...about, err: again }, 'an event was refused by Postgres and is left out');
    }
  }

  /**
   * One transaction, tried again where that can help; `rows` are those of the events, if encoded already, and `ahead`
   * the transaction in which they are being copied.
   */
  async #store(events: readonly CeleryEvent[], tally: Tally, rows?: EventRows, ahead?: Turn): Promise<void> {
    let encoded = rows;
    let turn = ahead;
    for (let attempt = 1; ; attempt++) {
      if (encoded === undefined) {
        encoded = { taskEvents: new RowBuffer(), workerEvents: new RowBuffer() };
        await encodeEvents(encoded, events, this.#state.limits);
      }
      const sent = encoded;
      try {
        const { result: stored, flushed } = await this.#transaction(turn, async (client, isCopied) =>
          storeState(client, this.#state, isCopied ? events : await insertNew(client, sent, events)),
        );
        tally.flushed.push(flushed);
        stored.remember();
        this.#cut.texts += this.#state.taskRows.cut;
        this.#cut.fields += sent.taskEvents.cut + sent.workerEvents.cut;
        tally.stored.push(stored.events);
        tally.tasks += stored.tasks;
        return;
      } catch (error) {
        for (const buffer of [sent.taskEvents, sent.workerEvents, this.#state.taskRows]) buffer.abandon();
        encoded = undefined;
        turn = undefined;
        const isDouble = errorCode(error) === UNIQUE_VIOLATION;
        const isContended = isDouble || errorCode(error) === LOCK_TIMEOUT;
        if (attempt === ATTEMPTS || !(isContended || isTransient(error))) throw error;
        // A task row that the filter does not know can only be another writer's.
        if (isDouble && this.#clock.now() < this.#expectDoublesUntilMs) this.#forget();
        if (isContended) this.#expectDoubles();
      }
    }
  }

  /**
   * Carries out `work` under the lock and commits; `isCopied`: the events were copied ahead. The commit is sent behind the
   * statements of `work` without a wait for them: where one has failed, Postgres commits nothing.
   */
  async #transaction<T extends { readonly sent: Promise<unknown> }>(
    ahead: Turn | undefined,
    work: (client: pg.ClientBase, isCopied: boolean) => Promise<T>,
  ): Promise<{ readonly result: T; readonly flushed: Promise<void> }> {
    const turn = ahead ?? (await Turn.begin(this.#pool, () => undefined));
    try {
      // Before the lock: whoever holds it must never wait for what another writer has copied.
      await turn.prepared;
      this.#observe(await turn.take());
      const result = await work(turn.client, ahead !== undefined);
      await turn.commit(result.sent);
      const flushed = turn.flush();
      flushed.catch(() => undefined); // told by the write
      return { result, flushed };
    } catch (error) {
      await turn.abandon();
      throw error;
    }
  }

  /** A missing step is another writer's: what it wrote is not in this one's memory. */
  #observe(tick: number): void {
    if (this.#lastTick !== undefined && tick !== this.#lastTick + 1) {
      this.#forget();
      this.#expectDoubles();
    }
    this.#lastTick = tick;
  }

  /** What was committed may be lost: nothing that is remembered of it holds. */
  #doubtWhatIsHeld(): void {
    this.#generation++;
    this.#forget();
  }

  #forget(): void {
    this.#state.memory.clear();
    this.#state.recall.distrust();
  }

  /** What was sent ahead is taken back: another writer may wait for it, and this one for that writer. */
  #expectDoubles(): void {
    for (const turn of this.#aheadTurns) void turn.abandon();
    this.#aheadTurns.clear();
    this.#expectDoublesUntilMs = this.#clock.now() + EXPECT_DOUBLES_MS;
  }
}

function daysOf(events: readonly CeleryEvent[]): Set<number> {
  const days = new Set<number>();
  let last = -1;
  for (const { timestamp } of events) {
    const day = dayOf(saneSeconds(timestamp));
    if (day === last) continue;
    days.add(day);
    last = day;
  }
  return days;
}
