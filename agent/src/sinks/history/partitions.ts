import type pg from 'pg';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import { dayOf, isoDay, monthStart } from './days.ts';

/** Days ahead of now for which partitions may exist: clocks of workers run ahead. */
const AHEAD_DAYS = 2;
/** Advisory lock under which partitions come and go. */
const PARTITIONS_LOCK = 5_549_012_002;
const CHUNK = 5_000;
const DAY_MS = 86_400_000;
/** After a failure (a long query holds the table) the default partition takes the rows until the next try. */
const RETRY_MS = 60_000;

interface Partitioned {
  readonly table: string;
  readonly column: string;
  readonly by: 'day' | 'month';
  /** Storage parameters of each partition. */
  readonly storage?: string;
}

/** Roll-ups of the current minutes are written again and again: room in the page keeps those updates off the index. */
const TABLES: readonly Partitioned[] = [
  { table: 'celery_task_events', column: 'occurred_at', by: 'day' },
  { table: 'celery_worker_events', column: 'occurred_at', by: 'day' },
  { table: 'celery_tasks', column: 'seen_on', by: 'day' },
  { table: 'celery_task_rollups', column: 'minute', by: 'month', storage: 'fillfactor = 60' },
];

export interface RetentionOptions {
  /** Events, tasks, workers and names; default 30. */
  readonly retentionDays?: number;
  /** Roll-ups and gaps; default 400. */
  readonly rollupDays?: number;
}

export interface RetentionReport {
  /** Names of the partitions that were dropped. */
  readonly dropped: readonly string[];
  /** Rows deleted one by one: from the default partitions, workers, names, gaps. */
  readonly deleted: number;
}

export interface HistorySize {
  /** Of the whole database. */
  readonly bytes: number;
  /** Begin of the oldest day that has a partition; absent while there is none. */
  readonly oldestMs?: number;
  readonly retentionMs: number;
}

export interface PartitionsOptions extends RetentionOptions {
  readonly pool: pg.Pool;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Makes and drops the partitions of the history. Safe to use by several agents at once. */
export class Partitions {
  readonly #pool: pg.Pool;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #retentionDays: number;
  readonly #rollupDays: number;
  /** First days of the units whose partitions are known to exist, by table unit. */
  readonly #known = { day: new Set<number>(), month: new Set<number>() };
  #retryAtMs = 0;

  constructor(options: PartitionsOptions) {
    this.#pool = options.pool;
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#retentionDays = options.retentionDays ?? 30;
    this.#rollupDays = options.rollupDays ?? 400;
  }

  /** Makes the partitions of today and tomorrow. */
  async prepareAhead(): Promise<void> {
    const today = dayOf(this.#clock.now() / 1000);
    await this.ensure([today, today + 1]);
  }

  /**
   * Makes what is missing for these days (since 1970-01-01) within [now − retention, now + 2 days]; rows of other
   * days belong in the default partition. A failure is logged: the default partition takes those rows for the time being.
   */
  async ensure(days: Iterable<number>): Promise<void> {
    const nowMs = this.#clock.now();
    const today = dayOf(nowMs / 1000);
    for (const day of days) {
      const isRecent = day >= today - this.#retentionDays && day <= today + AHEAD_DAYS;
      if (isRecent && !this.#known.day.has(day)) await this.#ensureUnit('day', day, nowMs);
      const month = monthStart(day);
      const isCounted = day >= today - this.#rollupDays && day <= today + AHEAD_DAYS;
      if (isCounted && !this.#known.month.has(month)) await this.#ensureUnit('month', month, nowMs);
    }
  }

  async #ensureUnit(unit: 'day' | 'month', day: number, nowMs: number): Promise<void> {
    if (nowMs < this.#retryAtMs) return;
    try {
      for (const spec of TABLES) {
        if (spec.by === unit) await this.#create(spec, day);
      }
      this.#known[unit].add(day);
    } catch (error) {
      this.#retryAtMs = nowMs + RETRY_MS;
      this.#logger.warn(
        { err: error, day: isoDay(day) },
        'partition could not be made; the default one takes the rows',
      );
    }
  }

  async #create(spec: Partitioned, day: number): Promise<void> {
    const { table, column } = spec;
    const name = partitionName(spec, day);
    const from = bound(spec, day);
    const to = bound(spec, spec.by === 'day' ? day + 1 : monthStart(day, 1));
    await this.#locked(async (client) => {
      const { rows } = await client.query<{ exists: boolean }>('select to_regclass($1) is not null as exists', [name]);
      if (rows[0]?.exists === true) return;
      // Attached rather than made in place: attaching leaves readers and writers of the other partitions alone.
      // No row may slip into the default partition between the move and the attachment.
      await client.query(`lock table ${table}_default in share row exclusive mode`);
      await client.query(
        `create table ${name} (like ${table} including all) ${spec.storage ? `with (${spec.storage})` : ''}`,
      );
      await client.query(`with moved as (
        delete from ${table}_default where ${column} >= ${from} and ${column} < ${to} returning *
      ) insert into ${name} select * from moved`);
      await client.query(`alter table ${table} attach partition ${name} for values from (${from}) to (${to})`);
    });
  }

  /** Runs in a transaction under the partitions' lock; gives up after 5 s of waiting for others. */
  async #locked(work: (client: pg.ClientBase) => Promise<void>): Promise<void> {
    const client = await this.#pool.connect();
    try {
      await client.query(`begin; set local lock_timeout = '5s'; select pg_advisory_xact_lock(${PARTITIONS_LOCK})`);
      await work(client);
      await client.query('commit');
      client.release();
    } catch (error) {
      await client.query('rollback').catch(() => undefined);
      client.release(error instanceof Error && !('code' in error));
      throw error;
    }
  }

  /**
   * Drops what is older than the retention: whole partitions, and in small chunks what lies in the default ones.
   * What cannot be dropped now (a long query reads it) is logged and left for the next run.
   */
  async dropOldPartitions(nowMs = this.#clock.now()): Promise<RetentionReport> {
    const today = dayOf(nowMs / 1000);
    const dropped: string[] = [];
    for (const spec of TABLES) {
      const cutoff = today - (spec.by === 'day' ? this.#retentionDays : this.#rollupDays);
      const { rows } = await this.#pool.query<{ name: string }>(
        `select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
         where i.inhparent = to_regclass($1) order by 1`,
        [spec.table],
      );
      for (const { name } of rows) {
        const end = partitionEnd(spec, name);
        if (end === undefined || end > cutoff) continue;
        if (await this.#drop(name)) dropped.push(name);
      }
    }
    this.#known.day.clear();
    this.#known.month.clear();
    return { dropped, deleted: await this.#deleteOutliers(today) };
  }

  /** What the database takes, and how far back the events go. */
  async size(): Promise<HistorySize> {
    const { rows } = await this.#pool.query<{ bytes: string; name: string | null }>(
      `select pg_database_size(current_database()) as bytes,
         (select min(c.relname) from pg_inherits i join pg_class c on c.oid = i.inhrelid
          where i.inhparent = to_regclass('celery_task_events') and c.relname ~ '_p[0-9]{8}$') as name`,
    );
    const end = partitionEnd({ by: 'day' }, rows[0]?.name ?? '');
    return {
      bytes: Number(rows[0]?.bytes ?? 0),
      retentionMs: this.#retentionDays * DAY_MS,
      ...(end !== undefined && { oldestMs: (end - 1) * DAY_MS }),
    };
  }

  async #drop(name: string): Promise<boolean> {
    try {
      await this.#locked(async (client) => {
        await client.query(`drop table if exists ${name}`);
      });
      return true;
    } catch (error) {
      this.#logger.warn({ err: error, partition: name }, 'old partition could not be dropped yet');
      return false;
    }
  }

  /** Rows without a partition of their own go by when they were received, or with the last event of their task. */
  async #deleteOutliers(today: number): Promise<number> {
    const cutoff = `date '${isoDay(today - this.#retentionDays)}'`;
    const counted = `date '${isoDay(today - this.#rollupDays)}'`;
    const ahead = `date '${isoDay(today + AHEAD_DAYS)}'`;
    const eventless = `not exists (select from celery_task_events e where e.task_id = old.task_id)`;
    const stale: readonly (readonly [string, string])[] = [
      ['celery_task_events_default', `received_at < ${cutoff}`],
      ['celery_worker_events_default', `received_at < ${cutoff}`],
      [
        'celery_tasks_default',
        `seen_on < ${cutoff} and seen_on > date '1970-01-01'
         or (seen_on = date '1970-01-01' or seen_on > ${ahead}) and ${eventless}`,
      ],
      ['celery_task_rollups_default', `minute < ${counted} and minute > date '1970-01-02'`],
      ['celery_workers', `coalesce(last_heartbeat_at, first_seen_at) < ${cutoff}`],
      ['celery_task_names', `last_seen_at < ${cutoff}`],
      ['umbel_gaps', `to_at < ${counted}`],
      ['umbel_agents', `alive_at < ${counted}`],
    ];
    let deleted = 0;
    for (const [table, condition] of stale) deleted += await this.#deleteInChunks(table, condition);
    return deleted;
  }

  async #deleteInChunks(table: string, condition: string): Promise<number> {
    let deleted = 0;
    for (;;) {
      const { rowCount } = await this.#pool.query(
        `delete from ${table} where ctid = any (array(select old.ctid from ${table} old where ${condition} limit ${CHUNK}))`,
      );
      deleted += rowCount ?? 0;
      if ((rowCount ?? 0) < CHUNK) return deleted;
    }
  }
}

function partitionName({ table, by }: Partitioned, day: number): string {
  const digits = isoDay(day).replaceAll('-', '');
  return `${table}_p${by === 'day' ? digits : digits.slice(0, 6)}`;
}

function partitionEnd({ by }: Pick<Partitioned, 'by'>, name: string): number | undefined {
  const digits = /_p(\d{4})(\d\d)(\d\d)?$/.exec(name);
  if (digits === null) return undefined;
  const [, year, month, day] = digits;
  const first = dayOf(Date.UTC(Number(year), Number(month) - 1, Number(day ?? 1)) / 1000);
  return by === 'day' ? first + 1 : monthStart(first, 1);
}

/** Bounds are written with their zone: the session's time zone must not move them. */
function bound({ column }: Partitioned, day: number): string {
  return column === 'seen_on' ? `'${isoDay(day)}'` : `'${isoDay(day)} 00:00:00+00'`;
}
