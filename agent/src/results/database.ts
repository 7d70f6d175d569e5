import pg from 'pg';
import type { Clock } from '../lib/clock.ts';
import { ANSWER_WITHIN_MS, withinDeadline } from './deadline.ts';
import { BackendUnavailable } from './port.ts';
import type { ResultBackend, StoredResult } from './port.ts';
import { PICKLED_NONE } from './state-bytes.ts';
import { storedResult } from './stored-result.ts';
import { type Columns, columnsOf, membersOf, missingFrom, type Row, selectionOf } from './task-columns.ts';

export interface DatabaseBackendOptions {
  /** `postgresql://…`, without a driver. */
  readonly connectionString: string;
  readonly displayUrl: string;
  /** Celery's `database_table_names['task']`; default `celery_taskmeta`. */
  readonly table?: string;
  /** Celery's `database_table_schemas['task']`; default the connection's search path. */
  readonly schema?: string;
  readonly clock: Clock;
}

const IDS_AT_ONCE = 200;
/** Large: each page may read the whole table, whose `date_done` has no index. */
const ENDED_AT_ONCE = 10_000;

/** The table is not there, or is another one: told as the problem, not as an outage. */
class WrongTable extends Error {}

/** Celery's SQLAlchemy result backend on Postgres. Reads; the one thing it writes is `storeState`. */
export class DatabaseResultBackend implements ResultBackend {
  readonly displayUrl: string;
  readonly #options: DatabaseBackendOptions;
  readonly #table: string;
  readonly #pool: pg.Pool;
  #columns: Columns | undefined;
  #connected = false;
  #problem: string | undefined;

  constructor(options: DatabaseBackendOptions) {
    this.#options = options;
    this.displayUrl = options.displayUrl;
    const name = pg.escapeIdentifier(options.table ?? 'celery_taskmeta');
    this.#table = options.schema === undefined ? name : `${pg.escapeIdentifier(options.schema)}.${name}`;
    this.#pool = new pg.Pool({
      connectionString: options.connectionString,
      application_name: 'umbel-results',
      max: 2,
      connectionTimeoutMillis: ANSWER_WITHIN_MS,
      statement_timeout: ANSWER_WITHIN_MS,
      idleTimeoutMillis: 60_000,
      keepAlive: true,
    });
    this.#pool.on('error', () => (this.#connected = false));
    // A connection in use tells its query, and emits `error` besides: unheard, that would end the process.
    this.#pool.on('connect', (client) => client.on('error', () => undefined));
  }

  async get(taskId: string): Promise<StoredResult | undefined> {
    return (await this.getMany([taskId])).get(taskId);
  }

  async getMany(taskIds: readonly string[]): Promise<ReadonlyMap<string, StoredResult>> {
    const found = new Map<string, StoredResult>();
    for (let at = 0; at < taskIds.length; at += IDS_AT_ONCE) {
      const ids = taskIds.slice(at, at + IDS_AT_ONCE);
      const rows = await this.#ask(async () => {
        const selection = selectionOf(await this.#knownColumns());
        const text = `select ${selection} from ${this.#table} where task_id = any($1)`;
        return (await this.#pool.query<Row>(text, [ids])).rows;
      });
      for (const row of rows) {
        const result = resultOf(row);
        if (result !== undefined) found.set(result.taskId, result);
      }
    }
    return found;
  }

  async *endedBetween(fromMs: number, toMs: number): AsyncGenerator<readonly string[]> {
    for (let after: string | undefined = ''; after !== undefined;) {
      const ids: readonly string[] = await this.#endedBetween(fromMs, toMs, after);
      if (ids.length > 0) yield ids;
      after = ids.length < ENDED_AT_ONCE ? undefined : ids.at(-1);
    }
  }

  async #endedBetween(fromMs: number, toMs: number, after: string): Promise<readonly string[]> {
    return this.#ask(async () => {
      if (!(await this.#knownColumns()).has('date_done')) return [];
      const { rows } = await this.#pool.query<{ task_id: string }>(
        `select task_id from ${this.#table}
          where date_done >= to_timestamp($1::float8 / 1000) at time zone 'UTC'
            and date_done <= to_timestamp($2::float8 / 1000) at time zone 'UTC'
            and task_id > $3
          order by task_id limit $4`,
        [fromMs, toMs, after, ENDED_AT_ONCE],
      );
      return rows.map(({ task_id: id }) => id);
    });
  }

  async storeState(taskId: string, status: string): Promise<void> {
    await this.#ask(async () => {
      await this.#knownColumns();
      const changed = await this.#pool.query(
        `update ${this.#table} set status = $2, result = $3, traceback = null, date_done = null
          where task_id = $1 and status <> 'SUCCESS'`,
        [taskId, status, PICKLED_NONE],
      );
      if (changed.rowCount !== 0) return;
      const { schema } = this.#options;
      const sequence = `${schema === undefined ? '' : `${pg.escapeIdentifier(schema)}.`}task_id_sequence`;
      await this.#pool.query(
        `insert into ${this.#table} (id, task_id, status, result) values (nextval($4::regclass), $1, $2, $3)
          on conflict (task_id) do nothing`,
        [taskId, status, PICKLED_NONE, sequence],
      );
    });
  }

  health(): { connected: boolean; problem?: string } {
    return { connected: this.#connected, ...(this.#problem !== undefined && { problem: this.#problem }) };
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }

  async #knownColumns(): Promise<Columns> {
    if (this.#columns !== undefined) return this.#columns;
    const columns = await columnsOf(this.#pool, this.#table);
    const { table = 'celery_taskmeta', schema } = this.#options;
    const name = schema === undefined ? table : `${schema}.${table}`;
    if (columns.size === 0) {
      throw new WrongTable(
        `there is no table ${name}: Celery makes it with the first result; if it has another name, give --result-backend-table and --result-backend-schema`,
      );
    }
    const missing = missingFrom(columns);
    if (missing.length > 0) {
      throw new WrongTable(`the table ${name} has no ${missing.join(', ')}: it is not Celery's (celery_taskmeta)`);
    }
    return (this.#columns = columns);
  }

  async #ask<T>(work: () => Promise<T>): Promise<T> {
    try {
      const answer = await withinDeadline(this.#options.clock, 'Postgres', work());
      this.#connected = true;
      this.#problem = undefined;
      return answer;
    } catch (error) {
      const code = error instanceof pg.DatabaseError ? error.code : undefined;
      // The table was replaced or changed (42P01, 42703): looked at anew the next time.
      if (code === '42P01' || code === '42703') this.#columns = undefined;
      this.#connected = error instanceof WrongTable || code !== undefined;
      const text = error instanceof Error ? error.message : String(error);
      this.#problem =
        error instanceof WrongTable ? text : `the result backend ${this.displayUrl} cannot be asked: ${text}`;
      throw new BackendUnavailable(this.#problem, { cause: error });
    }
  }
}

function resultOf(row: Row): StoredResult | undefined {
  const taskId = row['task_id'];
  return typeof taskId === 'string' ? storedResult(taskId, membersOf(row)) : undefined;
}
