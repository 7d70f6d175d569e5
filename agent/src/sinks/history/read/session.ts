import type { Pool, PoolClient, QueryConfig, QueryResultRow } from 'pg';
import { HistoryBusy, HistoryUnavailable, QueryError } from '../../../core/query/reader.ts';
import type { Clock } from '../../../lib/clock.ts';
import type { Gate } from '../../../lib/gate.ts';
import type { Logger } from '../../../lib/logger.ts';
import { errorCode } from '../errors.ts';
import type { Dialect } from './sql.ts';

export interface SessionOptions {
  readonly pool: Pool;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Limit of one statement, enforced by the server. */
  readonly statementTimeoutMs: number;
  /** Keeps readers from taking the connections of the writer; default: nobody is kept out. */
  readonly gate?: Gate | undefined;
  /** Told of each statement that took too long. */
  readonly onTimeout?: (() => void) | undefined;
}

/** One transaction that only reads: every statement in it sees the same state of the history. */
export interface Session {
  readonly dialect: Dialect;
  rows<T extends QueryResultRow>(text: string, values?: readonly unknown[]): Promise<T[]>;
  /** The same, under a name: in a session with kept plans it is planned once a connection. */
  prepared<T extends QueryResultRow>(name: string, text: string, values: readonly unknown[]): Promise<T[]>;
}

/**
 * How the statements of a session are planned: for their values, or once, without them. Left alone, Postgres makes five
 * plans for values before it keeps one, on each connection, which over many partitions take longer than a look-up by key.
 */
export type Plans = 'fresh' | 'kept';

/** Opens sessions on a pool, and turns what goes wrong into the errors of core/query/reader.ts. */
export class Sessions {
  readonly #options: SessionOptions;
  #dialect: Dialect | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  /** @throws HistoryUnavailable, QueryError */
  async use<T>(work: (session: Session) => Promise<T>, plans: Plans = 'fresh'): Promise<T> {
    const open = await this.open(plans);
    try {
      const result = await work(open.session);
      open.end();
      return result;
    } catch (error) {
      await open.abandon(error);
      throw this.translate(error);
    }
  }

  /** A session whose end the caller decides; exactly one of `end` and `abandon` must be called. */
  async open(plans: Plans = 'fresh'): Promise<OpenSession> {
    const leave = await this.#enter();
    const client = await this.#connect().catch((error: unknown) => {
      leave();
      throw error;
    });
    // A connection that breaks while nothing is asked of it would end the process.
    const ignore = (): void => undefined;
    client.on('error', ignore);
    const release = (broken: boolean): void => {
      client.off('error', ignore);
      client.release(broken);
      leave();
    };
    try {
      this.#dialect ??= await readDialect(client);
    } catch (error) {
      release(true);
      throw this.translate(error);
    }
    // The first statement is sent behind it at once.
    const begun = client.query(
      `begin isolation level repeatable read read only; ${this.#settings(plans, this.#dialect)}`,
    );
    begun.catch(() => undefined); // told by the first statement
    const ask = async <T extends QueryResultRow>(query: QueryConfig): Promise<T[]> => {
      const [, { rows }] = await Promise.all([begun, client.query<T>(query)]);
      return rows;
    };
    const close = (word: 'commit' | 'rollback'): Promise<void> =>
      client.query(word).then(
        () => release(false),
        () => release(true),
      );
    return {
      session: {
        dialect: this.#dialect,
        rows: (text, values = []) => ask({ text, values: [...values] }),
        prepared: (name, text, values) => ask({ name: `umbel-${name}`, text, values: [...values] }),
      },
      end: () => void close('commit'),
      abandon: () => close('rollback'),
    };
  }

  /**
   * Compiling a query (JIT) costs more than any of ours runs, once there are many partitions. With the default 4 MB
   * of work_mem, series sort on disk what they could group in memory (measured: 980 ms against 330).
   */
  #settings(plans: Plans, { isCitus }: Dialect): string {
    const timeout = Math.max(1, Math.round(this.#options.statementTimeoutMs));
    // Citus cannot distribute a plan that leaves the values open.
    const mode = plans === 'kept' && !isCitus ? 'force_generic_plan' : 'auto';
    return `set local statement_timeout = ${timeout}; set local jit = off; set local work_mem = '32MB';
      set local plan_cache_mode = ${mode}`;
  }

  async #enter(): Promise<() => void> {
    try {
      return (await this.#options.gate?.enter()) ?? (() => undefined);
    } catch (error) {
      throw new HistoryBusy('Too many ask the history at once; try again in some seconds.', { cause: error });
    }
  }

  async #connect(): Promise<PoolClient> {
    try {
      return await this.#options.pool.connect();
    } catch (error) {
      throw new HistoryUnavailable('the history database cannot be reached', { cause: error });
    }
  }

  /** The error of core/query/reader.ts that it means, or the error itself. */
  translate(error: unknown): unknown {
    if (error instanceof QueryError || error instanceof HistoryUnavailable) return error;
    const code = errorCode(error);
    if (code === '57014') {
      this.#options.onTimeout?.();
      const limit = this.#options.statementTimeoutMs / 1000;
      const advice = 'narrow the time range, or search in one field of fewer tasks';
      return new QueryError('timeout', `the query took longer than ${limit} s: ${advice}`, undefined, { cause: error });
    }
    if (!isUnavailable(code, error)) return error;
    this.#options.logger.warn({ err: error }, 'the history cannot be read');
    return new HistoryUnavailable('the history database cannot be asked now', { cause: error });
  }
}

export interface OpenSession {
  readonly session: Session;
  /** All is read: the connection is given back in the background. */
  end(): void;
  abandon(cause?: unknown): Promise<void>;
}

/**
 * Connections (08), resources (53), intervention and shutdown (57P), a schema not there yet (42P01, 3F000), a read on
 * a standby that was cancelled (40001), and whatever the socket or the pool says: those have no SQLSTATE.
 */
function isUnavailable(code: string | undefined, error: unknown): boolean {
  if (code !== undefined && /^[0-9A-Z]{5}$/.test(code)) return /^(?:08|53|57P|42P01|3D|3F|25P03|40001)/.test(code);
  return error instanceof Error && !(error instanceof TypeError || error instanceof RangeError);
}

async function readDialect(client: PoolClient): Promise<Dialect> {
  const { rows } = await client.query<{ has_casefold: boolean; is_citus: boolean }>(
    `select current_setting('server_version_num')::int >= 180000 and getdatabaseencoding() = 'UTF8' as has_casefold,
      exists (select 1 from pg_extension where extname = 'citus') as is_citus`,
  );
  return { hasCasefold: rows[0]?.has_casefold === true, isCitus: rows[0]?.is_citus === true };
}
