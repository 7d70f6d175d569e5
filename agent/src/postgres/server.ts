import { type ChildProcess, spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { Account } from './account.ts';
import { EmbeddedPostgresError } from './errors.ts';
import { isAlive, isPostmasterOf } from './process-info.ts';
import { serverArguments } from './settings.ts';
import { startWatchdog, SYSTEM_PATH } from './watchdog.ts';

export interface ServerPlan {
  readonly postgres: string;
  readonly pgData: string;
  readonly socketDirectory: string;
  readonly account: Account | undefined;
  readonly logger: Logger;
  readonly clock: Clock;
}

export interface Server {
  /** Resolves when the process has ended, however. */
  readonly ended: Promise<string>;
  /** Rolls back what runs and stops; resolves when it has ended. */
  close(): Promise<void>;
}

/** Replaying the log after a crash may take this long; while it does, progress is told. */
const READY_TIMEOUT_MS = 600_000;
const TELL_EVERY_MS = 5000;
const FAST_STOP_MS = 30_000;
const IMMEDIATE_STOP_MS = 10_000;

/** What a child of ours may know of the environment: no secrets. */
export function childEnvironment(): Record<string, string> {
  return { PATH: SYSTEM_PATH, LC_ALL: 'C', TZ: 'UTC' };
}

/**
 * Starts the server and waits until it takes connections.
 * @throws EmbeddedPostgresError with the server's last words.
 */
export async function startServer(plan: ServerPlan): Promise<Server> {
  const { postgres, pgData, account, clock } = plan;
  const watchdog = startWatchdog(pgData, account);
  const child = spawn(postgres, serverArguments(pgData, plan.socketDirectory), {
    ...account,
    cwd: '/',
    env: childEnvironment(),
    detached: true, // Ctrl-C is for the agent, which stops the server last
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const lastWords = forwardLog(child, plan.logger);
  if (child.pid !== undefined) watchdog.watch(child.pid);
  let isEnded = false;
  const ended = new Promise<string>((resolve) => {
    const end = (reason: string): void => {
      if (!isEnded) watchdog.close();
      isEnded = true;
      resolve(reason);
    };
    child.once('error', (error) => end(error.message));
    child.once('exit', (code, signal) => end(signal === null ? `exit code ${code ?? 0}` : `signal ${signal}`));
  });
  const gone = (withinMs: number): Promise<boolean> =>
    new Promise((resolve) => {
      const cancel = clock.after(withinMs, () => resolve(false));
      void ended.then(() => {
        cancel();
        resolve(true);
      });
    });
  const close = async (): Promise<void> => {
    if (isEnded) return;
    child.kill('SIGINT');
    if (await gone(FAST_STOP_MS)) return;
    plan.logger.warn('Postgres takes long to stop: stopping it at once, it will recover at the next start');
    child.kill('SIGQUIT');
    if (!(await gone(IMMEDIATE_STOP_MS))) child.kill('SIGKILL');
  };
  try {
    await untilReady(plan, child, () => isEnded);
  } catch (error) {
    await close();
    throw new EmbeddedPostgresError(`${(error as Error).message}${lastWords()}`, { cause: error });
  }
  return { ended, close };
}

/** What its log says of trouble; it says FATAL of every connection that a stop cuts, too. */
const TROUBLE =
  /^FATAL:(?! +terminating connection due to administrator command)|^(?:PANIC|WARNING):|corrupt|No space left/;

/** The server's messages to the log; returns the last of them as text. */
function forwardLog(child: ChildProcess, logger: Logger): () => string {
  const last: string[] = [];
  if (child.stderr === null) return () => '';
  createInterface({ input: child.stderr }).on('line', (line) => {
    if (TROUBLE.test(line)) logger.warn({ from: 'postgres' }, line);
    else logger.debug({ from: 'postgres' }, line);
    last.push(line);
    if (last.length > 10) last.shift();
  });
  return () => (last.length === 0 ? '' : `:\n${last.join('\n')}`);
}

async function untilReady(plan: ServerPlan, child: ChildProcess, isEnded: () => boolean): Promise<void> {
  const { clock, logger, pgData } = plan;
  const startMs = clock.now();
  let toldMs = startMs;
  while (!(await isReady(pgData, child.pid))) {
    if (isEnded()) throw new EmbeddedPostgresError('Postgres did not start');
    if (clock.now() - startMs > READY_TIMEOUT_MS) throw new EmbeddedPostgresError('Postgres did not get ready');
    if (clock.now() - toldMs > TELL_EVERY_MS) {
      toldMs = clock.now();
      logger.info(
        `Postgres is starting since ${Math.round((toldMs - startMs) / 1000)} s (recovering after a crash takes time)`,
      );
    }
    await clock.sleep(20);
  }
}

/** postmaster.pid tells the state in its eighth line (storage/utils: pidfile.h). */
async function isReady(pgData: string, pid: number | undefined): Promise<boolean> {
  const lines = (await readFile(join(pgData, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n');
  return lines[0] === String(pid) && lines[7]?.trim() === 'ready';
}

/** Stops a server that an agent left behind, and clears what a killed one left. */
export async function stopLeftover(plan: Pick<ServerPlan, 'pgData' | 'clock' | 'logger'>): Promise<void> {
  const { pgData, clock, logger } = plan;
  const first = (await readFile(join(pgData, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n')[0] ?? '';
  const pid = /^\d+$/.test(first) ? Number(first) : undefined;
  if (pid === undefined || !isAlive(pid)) return;
  if (!(await isPostmasterOf(pid, pgData))) return disown(join(pgData, 'postmaster.pid'));
  logger.info(`stopping the Postgres that an earlier agent left (process ${pid})`);
  for (const [signal, waitMs] of [
    ['SIGINT', FAST_STOP_MS],
    ['SIGQUIT', IMMEDIATE_STOP_MS],
  ] as const) {
    try {
      process.kill(pid, signal);
    } catch {
      return; // ended in the meantime
    }
    for (const until = clock.now() + waitMs; clock.now() < until;) {
      if (!isAlive(pid) || !(await isPostmasterOf(pid, pgData))) return;
      await clock.sleep(20);
    }
  }
  throw new EmbeddedPostgresError(
    `a Postgres that an earlier agent left (process ${pid}) does not stop; end it by hand`,
  );
}

/**
 * The id in postmaster.pid belongs to another process by now (in containers they repeat), and Postgres would refuse to
 * start. The id of its own parent it takes for no rival, and still checks that no old backend is left.
 */
async function disown(path: string): Promise<void> {
  const content = await readFile(path, 'utf8');
  await writeFile(path, content.replace(/^\d+/, String(process.pid)));
}
