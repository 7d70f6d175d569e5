import type pg from 'pg';
import type { CeleryEvent } from '../../core/events/event.ts';
import type { Finding } from '../../core/heal/finding.ts';
import type { Settled } from '../../core/heal/store.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import type { EventBatch } from '../port.ts';
import { dayOf } from './days.ts';
import { asDown, errorCode, HistoryDown, isDataError, isTransient, LOCK_TIMEOUT, UNIQUE_VIOLATION } from './errors.ts';
import { dayOfFinding, storeFindings } from './findings.ts';
import { correctReceived } from './late-events.ts';
import { Partitions } from './partitions.ts';
import { Preparations, type Prepared } from './preparations.ts';
import { Recall } from './recall.ts';
import { type Cut, DEFAULT_LIMITS, type TextLimits } from './safe-values.ts';
import { DEFAULT_MEMORY, type MemoryLimits, TaskMemory } from './task-memory.ts';
import { encodeEvents, insertNew, newRows, storePlan, storeState, type WriterState } from './transaction.ts';
import { Turn } from './turn.ts';

const ATTEMPTS = 4;

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
  readonly #preparations: Preparations;
  readonly #state: WriterState;
  #lastTick: number | undefined;
  /** Rises when a write fails: what was asked for before must not overtake it. */
  #generation = 0;
  readonly #cut = { texts: 0, fields: 0 };
  /** Identities of events that were committed by writes that failed because nobody told whether that came to the disk. */
  readonly #doubted = new Set<number>();
  /** The end of the queue of writes. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: HistoryWriterOptions) {
    const { pool, clock, logger } = options;
    this.#pool = pool;
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
    this.#preparations = new Preparations({ pool, clock, partitions: this.#partitions, state: this.#state });
  }

  startRecall(): void {
    this.#state.recall.startLoading();
  }

  async write(batches: readonly EventBatch[]): Promise<WriteReport> {
    const startMs = this.#clock.now();
    const generation = this.#generation;
    const { ahead, leave } = this.#preparations.begin(batches);
    ahead.catch(() => undefined); // told in turn
    const { report, flushed } = await this.#inTurn(async () => {
      try {
        const prepared = await ahead.catch((error: unknown) => this.#withoutPreparation(error));
        const turn = prepared && this.#preparations.takeTurn(prepared);
        if (generation !== this.#generation) {
          await turn?.abandon();
          throw new HistoryDown(new Error('the write before it failed'));
        }
        return await this.#write(batches, prepared && { ...prepared, turn });
      } catch (error) {
        this.#generation++;
        this.#dropHeld();
        throw error;
      } finally {
        leave();
      }
    });
    try {
      await Promise.all(flushed);
    } catch (error) {
      this.#doubtWhatIsHeld();
      for (const { identity } of report.stored()) this.#doubted.add(identity);
      throw asDown(error);
    }
    return { ...report, ms: this.#clock.now() - startMs };
  }

  async settle(findings: readonly Finding[]): Promise<readonly Settled[]> {
    if (findings.length === 0) return [];
    try {
      await this.#partitions.ensure(new Set(findings.flatMap((one) => [dayOfFinding(one), dayOf(one.foundAt)])));
      const leave = this.#preparations.holdUp();
      const { applied, flushed } = await this.#inTurn(() => this.#settle(findings)).finally(leave);
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

  /** An event that cannot be encoded, or has no day, is looked for in turn. @throws HistoryDown for any other reason */
  #withoutPreparation(error: unknown): undefined {
    if (!isDataError(error)) throw asDown(error);
    this.#dropHeld(); // what was planned behind it lacks it
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

  async #write(
    batches: readonly EventBatch[],
    prepared: Prepared | undefined,
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
      let own: readonly CeleryEvent[] = [];
      try {
        const { result: stored, flushed } = await this.#transaction(turn, async (client) => {
          if (place.plan !== undefined && turn !== undefined)
            return storePlan(client, this.#state, place.plan, size, events);
          const all = events();
          const isCopied = turn !== undefined;
          const { fresh, doubled } = isCopied ? { fresh: all, doubled: [] } : await insertNew(client, rows, all);
          // `delete` tells true once: an event may stand twice in the write.
          const doubted = new Set(this.#doubted);
          own = doubled.filter(({ identity }) => doubted.delete(identity));
          const reordered = await correctReceived(client, doubled, this.#clock.now());
          return storeState(client, this.#state, rows.tasks, fresh, reordered);
        });
        tally.flushed.push(flushed);
        stored.remember();
        this.#cut.texts += rows.tasks.cut;
        this.#cut.fields += rows.taskEvents.cut + rows.workerEvents.cut;
        tally.stored.push(() => [...stored.events(), ...own]);
        tally.inserted += stored.inserted + own.length;
        tally.tasks += stored.tasks;
        if (this.#doubted.size > 0) for (const { identity } of events()) this.#doubted.delete(identity);
        return;
      } catch (error) {
        for (const buffer of [rows.taskEvents, rows.workerEvents, rows.tasks]) buffer.abandon();
        done = undefined;
        this.#dropHeld();
        const isDouble = errorCode(error) === UNIQUE_VIOLATION;
        const isContended = isDouble || errorCode(error) === LOCK_TIMEOUT;
        if (attempt === ATTEMPTS || !(isContended || isTransient(error))) throw error;
        // A task row that the filter does not know can only be another writer's.
        if (isDouble && this.#preparations.expectsDoubles) this.#forget();
        if (isContended) this.#preparations.expectDoubles();
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
      this.#preparations.expectDoubles();
    }
    this.#lastTick = tick;
  }

  /** What was committed may be lost: nothing that is remembered of it holds. */
  #doubtWhatIsHeld(): void {
    this.#generation++;
    this.#forget();
    this.#state.namesSeen.clear();
    this.#state.workersSeen.clear();
  }

  #forget(): void {
    this.#dropHeld();
    this.#state.recall.distrust();
  }

  /** What is held is on top of something that was not stored, and so is what was planned on it. */
  #dropHeld(): void {
    this.#preparations.voidPlans();
    this.#state.memory.clear();
  }
}
