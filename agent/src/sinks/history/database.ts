import { fileURLToPath } from 'node:url';
import { runner } from 'node-pg-migrate';
import pg from 'pg';
import type { Logger } from '../../lib/logger.ts';
import { HistoryDown, UnsupportedPostgres } from './errors.ts';
import { setUpPartitioning } from './partitioning/set-up.ts';

/** The writer's statements may take this long, its wait for other writers included. */
export const LONGEST_STATEMENT_MS = 60_000;
/** Oldest server whose SQL the history is written in, as `server_version_num`. */
const MINIMUM_VERSION = 140000;
/** Of databases that hold every text: SQL_ASCII keeps the bytes as they come. */
const ENCODINGS = new Set(['UTF8', 'SQL_ASCII']);
const MIGRATIONS = fileURLToPath(new URL('migrations/', import.meta.url));

export interface PoolOptions {
  readonly databaseUrl: string;
  /** Shown in `pg_stat_activity`; default `umbel-agent`. */
  readonly applicationName?: string;
  /** Default 8: four to write, the others to read and to keep partitions. */
  readonly maxConnections?: number;
  /** Server-side limit of one statement, ms; default 60,000. */
  readonly statementTimeoutMs?: number;
  readonly logger: Logger;
}

/** A pool whose idle connections may break at any time without harm. Does not connect yet; let go of it with `end()`. */
export function openPool(options: PoolOptions): pg.Pool {
  const statementTimeoutMs = options.statementTimeoutMs ?? 60_000;
  const pool = new pg.Pool({
    connectionString: options.databaseUrl,
    application_name: options.applicationName ?? 'umbel-agent',
    max: options.maxConnections ?? 8,
    // What is asked for before an answer has come is sent at once, as the writer does with a transaction's statements.
    pipeline: true,
    keepAlive: true,
    connectionTimeoutMillis: 10_000,
    idleTimeoutMillis: 60_000,
    statement_timeout: statementTimeoutMs,
    // The server's own limit does not help when the server, or the way to it, is frozen.
    query_timeout: Math.max(statementTimeoutMs, LONGEST_STATEMENT_MS) + 5000,
    // A frozen agent must not keep the writers' lock from its replicas.
    idle_in_transaction_session_timeout: statementTimeoutMs,
  });
  pool.on('error', (error) => {
    // A pool that ends does not wait for its last connections, and the embedded server may be faster.
    if (!pool.ending) options.logger.warn({ err: error }, 'an idle connection to Postgres broke');
  });
  // A connection in use tells its query, and emits `error` besides: unheard, that would end the process.
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}

/**
 * Brings the schema to this release's, and to the extension that the database has. Safe to run by several agents at once:
 * one migrates, the others wait.
 *
 * @throws UnsupportedPostgres below version 14, where texts are encoded in anything but UTF-8, and without the right to
 *   create tables; HistoryDown when the server cannot be reached or refuses
 */
export async function migrate(databaseUrl: string, logger: Logger): Promise<void> {
  await checkDatabase(databaseUrl);
  try {
    const done = await runner({
      databaseUrl,
      dir: MIGRATIONS,
      direction: 'up',
      migrationsTable: 'umbel_migrations',
      advisoryLockMode: 'wait',
      lockValue: 5_549_012_001,
      logger: {
        debug: () => undefined,
        info: () => undefined,
        warn: (message) => logger.warn(message.slice(0, 1000)),
        error: () => undefined, // what fails is thrown, too
      },
    });
    if (done.length > 0)
      logger.info({ migrations: done.map(({ name }) => name) }, 'database schema brought up to date');
    const pool = openPool({ databaseUrl, maxConnections: 1, logger });
    await setUpPartitioning(pool, logger).finally(() => pool.end());
  } catch (error) {
    throw new HistoryDown(error);
  }
}

interface Facts {
  readonly number: number;
  readonly version: string;
  readonly encoding: string;
  readonly database: string;
  readonly user: string;
  /** null where no schema of the search path exists. */
  readonly schema: string | null;
  readonly may_create: boolean | null;
}

const FACTS = `
select current_setting('server_version_num')::int as number, current_setting('server_version') as version,
  current_setting('server_encoding') as encoding, current_database() as database, current_user as user,
  current_schema() as schema, has_schema_privilege(current_schema(), 'create') as may_create`;

async function checkDatabase(databaseUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl, connectionTimeoutMillis: 10_000 });
  // A connection that breaks later emits `error` too; without a listener that would end the process.
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<Facts>(FACTS);
    const fault = rows[0] && faultOf(rows[0]);
    if (fault !== undefined) throw new UnsupportedPostgres(fault);
  } catch (error) {
    throw error instanceof UnsupportedPostgres ? error : new HistoryDown(error);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Why the history cannot be kept there, and what to do. */
function faultOf({ number, version, encoding, database, user, schema, may_create }: Facts): string | undefined {
  if (number < MINIMUM_VERSION) return `Postgres ${version} is too old: version 14 or newer is needed`;
  if (!ENCODINGS.has(encoding)) {
    return (
      `the database "${database}" is encoded in ${encoding}, which cannot hold every text that tasks have: give one made by ` +
      `create database umbel encoding 'UTF8' template template0`
    );
  }
  if (schema === null) return `no schema of the search path of "${user}" exists in the database "${database}"`;
  if (may_create === true) return undefined;
  return (
    `the user "${user}" may not create tables in the schema "${schema}" of the database "${database}": ` +
    `grant create on schema "${schema}" to "${user}"`
  );
}
