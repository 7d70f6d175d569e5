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
import { type Cut, DEFAULT_LIMITS, type TextLimits } from './safe-values.ts';
import { DEFAULT_MEMORY, type MemoryLimits, TaskMemory } from './task-memory.ts';
import {
  copyEvents,
  encodeEvents,
  insertNew,
  newRows,
  type Plan,
  planState,
  storePlan,
  storeState,
  type WriteRows,
  type WriterState,
} from './transaction.ts';
import { Turn } from './turn.ts';

/** How long after a doubled event or another writer's step events are expected to be doubled, ms. */
const EXPECT_DOUBLES_MS = 10_000;
const ATTEMPTS = 4;
/** Writes under way at once that are of use: one is flushed to disk, one has its turn, two copy. */
const MOST_AHEAD = 4;

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
  /** The events that this call was the first to store, of all writers; decoded once more where they were let go of. */
  stored(): readonly CeleryEvent[];
}

export interface HistoryWriter {
  /**
   * Stores the batches in one transaction: events, merged tasks, workers, roll-ups and names. An event that is
   * stored already changes nothing. Calls are committed one after the other; others may be made while the first is under
   * way: their rows are then encoded and their events sent meanwhile, each over a connection of its own. Events of which
   * nothing more is needed are let go of. When a call fails, those made before that was known fail too, so that the order
   * is kept.
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

/** The events of a write, or of a part of it; asked for only where they are needed. */
type Events = () => readonly CeleryEvent[];

/** Of a write that is under way, in the order of writes. */
interface Place {
  /** What is left to send. Without one its tasks are merged in its turn, and nothing behind it can be planned. */
  plan?: Plan | undefined;
}

/** What was done for a write before its turn. */
interface Prepared {
  readonly rows: WriteRows;
  readonly place: Place;
  /** The transaction in which the events are being copied; absent where doubled ones are told apart in turn. */
  readonly turn?: Turn | undefined;
}

interface Tally {
  readonly stored: Events[];
  inserted: number;
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
  readonly #freeRows: WriteRows[] = [];
  /** The end of the queue of writes that are being encoded. */
  #encoding: Promise<unknown> = Promise.resolve();
  readonly #places = new Set<Place>();
  readonly #cut = { texts: 0, fields: 0 };
  /** The end of the queue of writes. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: HistoryWriterOptions) {
    const { pool, clock, logger } = options;
    this.#pool = pool;
    // The rest of the pool is for readers, and for the second attempt of a write.
    this.#mostAhead = Math.min(MOST_AHEAD, Math.floor(pool.options.max / 2));
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
    };
  }

  startRecall(): void {
    this.#state.recall.startLoading();
  }

  async write(batches: readonly EventBatch[]): Promise<WriteReport> {
    const startMs = this.#clock.now();
    const generation = this.#generation;
    const rows = this.#freeRows.pop() ?? newRows();
    const place: Place = {};
    const ahead = this.#prepare(batches, { rows, place });
    ahead.catch(() => undefined); // told in turn
    const { report, flushed } = await this.#inTurn(async () => {
      try {
        const prepared = await ahead.catch((error: unknown) => {
          throw asDown(error);
        });
        const { turn } = prepared;
        if (turn !== undefined) this.#aheadTurns.delete(turn);
        if (generation !== this.#generation) {
          await turn?.abandon();
          throw new HistoryDown(new Error('the write before it failed'));
        }
        return await this.#write(batches, turn?.isAbandoned === true ? { ...prepared, turn: undefined } : prepared);
      } catch (error) {
        this.#generation++;
        this.#dropHeld();
        throw error;
      } finally {
        this.#freeRows.push(rows);
        this.#places.delete(place);
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
      const place: Place = {};
      this.#places.add(place);
      const done = this.#inTurn(() => this.#settle(findings));
      const { applied, flushed } = await done.finally(() => this.#places.delete(place));
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
   * What can be done before the write has its turn, which is most of its time: encodes the events, works out what they
   * add, and copies the events. Rejects only for reasons that would fail the write too.
   */
  async #prepare(batches: readonly EventBatch[], prepared: Prepared): Promise<Prepared> {
    const encoding = this.#encoding.then(() => this.#encode(batches, prepared));
    this.#encoding = encoding.catch(() => undefined);
    const { days, isSentAhead } = await encoding;
    try {
      if (days.size > 0) await this.#partitions.ensure(days);
      if (!isSentAhead) return prepared;
      const turn = await Turn.begin(this.#pool, () => this.#ahead--);
      turn.prepare(copyEvents(turn.client, prepared.rows));
      this.#aheadTurns.add(turn);
      return { ...prepared, turn };
    } catch (error) {
      if (isSentAhead) this.#ahead--;
      throw error;
    }
  }

  /** One write after the other: a plan starts from the tasks as the write before will leave them. */
  async #encode(
    batches: readonly EventBatch[],
    { rows, place }: Prepared,
  ): Promise<{ readonly days: ReadonlySet<number>; readonly isSentAhead: boolean }> {
    const events = batches.flatMap((batch) => batch.events);
    await encodeEvents(rows, events, this.#state.limits);
    const areNew = events.length > 0 && this.#clock.now() >= this.#expectDoublesUntilMs;
    const isSentAhead = areNew && this.#ahead < this.#mostAhead;
    if (isSentAhead) this.#ahead++;
    const isPlannable = isSentAhead && [...this.#places].every(({ plan }) => plan !== undefined);
    if (isPlannable) place.plan = planState(this.#state, rows.tasks, events);
    if (place.plan !== undefined) for (const batch of batches) batch.release();
    this.#places.add(place);
    return { days: daysOf(events), isSentAhead };
  }

  async #write(
    batches: readonly EventBatch[],
    prepared: Prepared,
  ): Promise<{ readonly report: Omit<WriteReport, 'ms'>; readonly flushed: readonly Promise<void>[] }> {
    const tally: Tally = { stored: [], inserted: 0, tasks: 0, poisoned: 0, dropped: 0, flushed: [] };
    const events = batches.reduce((sum, { size }) => sum + size, 0);
    if (events > 0) await this.#storeAll(() => batches.flatMap((batch) => batch.events), events, tally, prepared);
    const { inserted, tasks, poisoned, dropped, flushed } = tally;
    const doubled = events - inserted - dropped;
    const stored: Events = () => tally.stored.flatMap((some) => some());
    return { report: { events, inserted, doubled, tasks, poisoned, stored }, flushed };
  }

  async #settle(
    findings: readonly Finding[],
  ): Promise<{ readonly applied: readonly Settled[]; readonly flushed: Promise<void> }> {
    const store = (client: pg.ClientBase) => storeFindings(client, this.#state, findings);
    const { result, flushed } = await this.#transaction(undefined, store);
    result.remember();
    this.#cut.texts += result.cutTexts;
    flushed.catch(() => this.#doubtWhatIsHeld());
    return { applied: result.applied, flushed };
  }

  /** Halves what Postgres refuses until the event is found that it refuses. */
  async #storeAll(events: Events, size: number, tally: Tally, prepared?: Prepared): Promise<void> {
    try {
      await this.#store(events, size, tally, prepared);
      return;
    } catch (error) {
      if (!isDataError(error)) throw asDown(error);
      const [first] = events();
      if (size === 1 && first !== undefined) return this.#storePoison(first, error, tally);
    }
    const all = events();
    const middle = size >> 1;
    await this.#storeAll(() => all.slice(0, middle), middle, tally);
    await this.#storeAll(() => all.slice(middle), size - middle, tally);
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
      await this.#store(() => [{ ...event, fields }], 1, tally);
      this.#logger.warn(about, 'an event was refused by Postgres and stored without its fields');
    } catch (again) {
      if (!isDataError(again)) throw asDown(again);
      tally.dropped++;
      this.#logger.error({ ...about, err: again }, 'an event was refused by Postgres and is left out');
    }
  }

  /** One transaction, tried again where that can help. */
  async #store(events: Events, size: number, tally: Tally, prepared?: Prepared): Promise<void> {
    let done = prepared;
    for (let attempt = 1; ; attempt++) {
      const { rows, turn, place } = (done ??= await this.#encodeAgain(events()));
      try {
        const { result: stored, flushed } = await this.#transaction(turn, async (client) => {
          if (place.plan !== undefined && turn !== undefined)
            return storePlan(client, this.#state, place.plan, size, events);
          const all = events();
          const fresh = turn === undefined ? await insertNew(client, rows, all) : all;
          return storeState(client, this.#state, rows.tasks, fresh);
        });
        tally.flushed.push(flushed);
        stored.remember();
        this.#cut.texts += rows.tasks.cut;
        this.#cut.fields += rows.taskEvents.cut + rows.workerEvents.cut;
        tally.stored.push(() => stored.events());
        tally.inserted += stored.inserted;
        tally.tasks += stored.tasks;
        return;
      } catch (error) {
        for (const buffer of [rows.taskEvents, rows.workerEvents, rows.tasks]) buffer.abandon();
        done = undefined;
        this.#dropHeld();
        const isDouble = errorCode(error) === UNIQUE_VIOLATION;
        const isContended = isDouble || errorCode(error) === LOCK_TIMEOUT;
        if (attempt === ATTEMPTS || !(isContended || isTransient(error))) throw error;
        // A task row that the filter does not know can only be another writer's.
        if (isDouble && this.#clock.now() < this.#expectDoublesUntilMs) this.#forget();
        if (isContended) this.#expectDoubles();
      }
    }
  }

  async #encodeAgain(events: readonly CeleryEvent[]): Promise<Prepared> {
    const rows = newRows();
    await encodeEvents(rows, events, this.#state.limits);
    return { rows, place: {} };
  }

  /**
   * Carries out `work` under the lock, in the transaction begun `ahead` if there is one, and commits. The commit is sent
   * behind the statements of `work` without a wait for them: where one has failed, Postgres commits nothing.
   */
  async #transaction<T extends { readonly sent: Promise<unknown> }>(
    ahead: Turn | undefined,
    work: (client: pg.ClientBase) => Promise<T>,
  ): Promise<{ readonly result: T; readonly flushed: Promise<void> }> {
    const turn = ahead ?? (await Turn.begin(this.#pool, () => undefined));
    try {
      // Before the lock: whoever holds it must never wait for what another writer has copied.
      await turn.prepared;
      this.#observe(await turn.take());
      const result = await work(turn.client);
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
    this.#dropHeld();
    this.#state.recall.distrust();
  }

  /** What is held is on top of something that was not stored, and so is what was planned on it. */
  #dropHeld(): void {
    for (const place of this.#places) place.plan = undefined;
    this.#state.memory.clear();
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
