import type pg from 'pg';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import { dayOf, isoDay, monthStart } from './days.ts';
import type { Partitioning } from './partitioning/port.ts';
import { openPartitioning } from './partitioning/set-up.ts';
import { type Kept, type PartitionedTable, TABLES } from './partitioning/tables.ts';

/** Days ahead of now for which partitions are made: nobody waits for one at midnight, and workers' clocks run ahead. */
const AHEAD_DAYS = 7;
/** Rows deleted at once: a transaction that holds nobody up. */
const CHUNK = 5_000;
const DAY_MS = 86_400_000;
/** After a failure (a long query holds the table) the default partition takes the rows until the next try. */
const RETRY_MS = 60_000;
/** Events whose time is no time are stored under epoch 0. */
const NO_DAY = '1970-01-01';

export interface RetentionOptions {
  /** Default of events and tasks, days; default 30. */
  readonly retentionDays?: number;
  /** Events of tasks and workers. */
  readonly eventDays?: number;
  /** Tasks. Workers and names are kept as long as events or tasks, whichever is longer. */
  readonly taskDays?: number;
  /** Roll-ups and gaps; default 400. */
  readonly rollupDays?: number;
}

export interface RetentionReport {
  /** Names of the partitions that were dropped. */
  readonly dropped: readonly string[];
  /** Rows deleted one by one: those without a partition of their day, workers, names, gaps. */
  readonly deleted: number;
}

export interface HistorySize {
  /** Of the whole database. */
  readonly bytes: number;
  /** Begin of the oldest day that has a partition; absent while there is none. */
  readonly oldestMs?: number;
  /** Of events. */
  readonly retentionMs: number;
}

export interface PartitionsOptions extends RetentionOptions {
  readonly pool: pg.Pool;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Makes and drops the partitions of the history. Safe to use by several agents at once. */
export class Partitions {
  readonly #options: PartitionsOptions;
  /** Days kept. */
  readonly #days: Readonly<Record<Kept, number>>;
  /** First days of the units whose partitions are known to exist, by table. */
  readonly #known = new Map(TABLES.map(({ table }) => [table, new Set<number>()]));
  #retryAtMs = 0;
  #partitioning: Promise<Partitioning> | undefined;

  constructor(options: PartitionsOptions) {
    const { retentionDays = 30, eventDays = retentionDays, taskDays = retentionDays, rollupDays = 400 } = options;
    this.#options = options;
    this.#days = { events: eventDays, tasks: taskDays, rollups: rollupDays };
  }

  /** Makes the partitions of today and tomorrow: enough to begin with. */
  async prepare(): Promise<void> {
    await this.#prepare(1);
  }

  /** Makes the partitions of the days to come, a week of them. */
  async prepareAhead(): Promise<void> {
    await this.#prepare(AHEAD_DAYS);
  }

  async #prepare(ahead: number): Promise<void> {
    const today = this.#today();
    await this.ensure(Array.from({ length: ahead + 1 }, (_, n) => today + n));
  }

  /**
   * Makes what is missing for these days (since 1970-01-01) within [now − retention, now + 7 days]; rows of other
   * days belong in the default partition. A failure is logged: the default partition takes those rows for the time being.
   * Rejects when the pool is being closed.
   */
  async ensure(days: Iterable<number>): Promise<void> {
    const today = this.#today();
    for (const day of days) {
      for (const spec of TABLES) {
        const unit = spec.by === 'day' ? day : monthStart(day);
        if (this.#known.get(spec.table)?.has(unit) === true) continue;
        if (day >= today - this.#days[spec.kept] && day <= today + AHEAD_DAYS) await this.#create(spec, unit);
      }
    }
  }

  async #create(spec: PartitionedTable, unit: number): Promise<void> {
    const nowMs = this.#options.clock.now();
    if (nowMs < this.#retryAtMs) return;
    try {
      await (await this.#open()).create(spec, unit);
      this.#known.get(spec.table)?.add(unit);
    } catch (error) {
      if (this.#options.pool.ending) throw error;
      this.#retryAtMs = nowMs + RETRY_MS;
      this.#options.logger.warn(
        { err: error, table: spec.table, day: isoDay(unit) },
        'partition could not be made; the default one takes the rows',
      );
    }
  }

  /**
   * Drops what is older than the retention: whole partitions, and in small chunks what has no partition of its day.
   * What cannot be dropped now (a long query reads it) is logged and left for the next run. Rejects when the database
   * cannot be asked, or the pool is being closed.
   */
  async dropOldPartitions(nowMs = this.#options.clock.now()): Promise<RetentionReport> {
    const today = dayOf(nowMs / 1000);
    const partitioning = await this.#open();
    const dropped: string[] = [];
    for (const spec of TABLES) dropped.push(...(await partitioning.dropBefore(spec, today - this.#days[spec.kept])));
    for (const known of this.#known.values()) known.clear();
    return { dropped, deleted: await this.#deleteOutliers(partitioning, today) };
  }

  /** What the database takes, and how far back the events go. */
  async size(): Promise<HistorySize> {
    const { rows } = await this.#options.pool.query<{ bytes: string }>(
      'select pg_database_size(current_database()) as bytes',
    );
    const [events] = TABLES;
    const oldest = events === undefined ? undefined : await (await this.#open()).oldestDay(events);
    return {
      bytes: Number(rows[0]?.bytes ?? 0),
      retentionMs: this.#days.events * DAY_MS,
      ...(oldest !== undefined && { oldestMs: oldest * DAY_MS }),
    };
  }

  /** Looked up once it is needed: the migration decides, and an agent starts before its database. */
  #open(): Promise<Partitioning> {
    this.#partitioning ??= openPartitioning(this.#options).catch((error: unknown) => {
      this.#partitioning = undefined;
      throw error;
    });
    return this.#partitioning;
  }

  #today(): number {
    return dayOf(this.#options.clock.now() / 1000);
  }

  async #deleteOutliers(partitioning: Partitioning, today: number): Promise<number> {
    const before = (days: number): string => `date '${isoDay(today - days)}'`;
    const { events, tasks, rollups } = this.#days;
    const seen = before(Math.max(events, tasks));
    const small: readonly Stale[] = [
      ['celery_workers', 'hostname', `coalesce(last_heartbeat_at, first_seen_at) < ${seen}`],
      ['celery_task_names', 'name', `last_seen_at < ${seen}`],
      ['umbel_gaps', 'id', `coalesce(to_at, from_at) < ${before(rollups)}`],
      ['umbel_agents', 'agent', `alive_at < ${before(rollups)}`],
    ];
    const large = TABLES.flatMap((spec) => staleRows(spec, partitioning.defaultOf(spec), today, this.#days[spec.kept]));
    let deleted = 0;
    for (const stale of [...large, ...small]) deleted += await this.#deleteInChunks(...stale);
    return deleted;
  }

  async #deleteInChunks(table: string, key: string, condition: string): Promise<number> {
    let deleted = 0;
    for (;;) {
      const { rowCount } = await this.#options.pool.query(
        `delete from ${table} where (${key}) in (select ${key} from ${table} old where ${condition} limit ${CHUNK})`,
      );
      deleted += rowCount ?? 0;
      if ((rowCount ?? 0) < CHUNK) return deleted;
    }
  }
}

/** Table, columns of its key, and what is to go. */
type Stale = readonly [table: string, key: string, condition: string];

/**
 * What the drop of partitions leaves. In a default partition lie late rows, to be dropped by their own time as if they had
 * a partition. Rows of no time or of one far ahead go by when they were received, or with the last event of their task.
 */
function staleRows(spec: PartitionedTable, defaultTable: string | undefined, today: number, days: number): Stale[] {
  const { table, column, kept, key } = spec;
  const cutoff = `date '${isoDay(today - days)}'`;
  const isLate = `${column} < ${cutoff} and ${column} > date '${NO_DAY}' + 1`;
  const isOdd = `(${column} <= date '${NO_DAY}' or ${column} > date '${isoDay(today + AHEAD_DAYS)}')`;
  const late: Stale[] = defaultTable === undefined ? [] : [[defaultTable, key, isLate]];
  if (kept === 'rollups') return late;
  const isOver =
    kept === 'events'
      ? `received_at < ${cutoff}`
      : `not exists (select from celery_task_events e where e.task_id = old.task_id)`;
  return [...late, [defaultTable ?? table, key, `${isOdd} and ${isOver}`]];
}
