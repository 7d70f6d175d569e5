import { createHash } from 'node:crypto';
import { chmod, chown, cp, lstat, mkdtemp, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Logger } from '../lib/logger.ts';
import { makeDirectory } from '../lib/make-directory.ts';
import { type Account, blockedAt } from './account.ts';
import { type Binaries, binariesIn } from './binaries.ts';

/** Where root keeps the server's files when its own directories are closed to others. */
const SYSTEM_DIR = '/var/lib/umbel';
/** sockaddr_un holds 108 bytes on Linux and 104 on macOS, with a zero at the end. */
const LONGEST_SOCKET = 103;
const SOCKET_NAME = '/.s.PGSQL.5432';

/** The directory that holds the server's data, and the binaries, both within reach of the account. */
export async function reachable(
  wanted: { readonly baseDir: string; readonly binaries: Binaries },
  account: Account | undefined,
  logger: Logger,
): Promise<{ readonly baseDir: string; readonly binaries: Binaries }> {
  if (account === undefined) return wanted;
  if ((await blockedAt(wanted.baseDir, account)) === wanted.baseDir) {
    const { mode } = await stat(wanted.baseDir);
    await chmod(wanted.baseDir, (mode & 0o7777) | 0o011); // may be passed through, not be listed
  }
  const [noData, noBinaries] = await Promise.all([
    blockedAt(wanted.baseDir, account),
    blockedAt(join(wanted.binaries.nativeDir, 'bin'), account),
  ]);
  return {
    baseDir: noData === undefined ? wanted.baseDir : systemDataDir(wanted.baseDir, noData, logger),
    binaries: noBinaries === undefined ? wanted.binaries : await copyBinaries(wanted.binaries, noBinaries, logger),
  };
}

const digestOf = (content: string | Buffer): string => createHash('sha256').update(content).digest('hex').slice(0, 12);

function systemDataDir(baseDir: string, blocked: string, logger: Logger): string {
  const elsewhere = join(SYSTEM_DIR, `data-${digestOf(baseDir)}`);
  makeDirectory(elsewhere, 0o755);
  logger.warn(
    { dir: elsewhere },
    `Postgres does not run as root and others cannot enter ${blocked}: its data is kept in ${elsewhere}`,
  );
  return elsewhere;
}

async function copyBinaries(binaries: Binaries, blocked: string, logger: Logger): Promise<Binaries> {
  const target = join(SYSTEM_DIR, `postgres-${digestOf(await readFile(binaries.postgres))}`);
  if ((await lstat(target).catch(() => undefined)) === undefined) {
    logger.info(`Postgres does not run as root and others cannot enter ${blocked}: copying its programs to ${target}`);
    makeDirectory(SYSTEM_DIR, 0o755);
    const half = await mkdtemp(`${target}.`);
    await cp(binaries.nativeDir, join(half, 'native'), { recursive: true, verbatimSymlinks: true });
    await rename(join(half, 'native'), target).catch(() => undefined); // another agent was faster
    await rm(half, { recursive: true, force: true });
  }
  return binariesIn(target);
}

/** A directory for the socket whose path is short enough: the data directory, else a private one in the system's. */
export async function socketDir(
  pgData: string,
  account: Account | undefined,
): Promise<{ readonly path: string; close(): Promise<void> }> {
  if (Buffer.byteLength(pgData + SOCKET_NAME) <= LONGEST_SOCKET)
    return { path: pgData, close: () => Promise.resolve() };
  const base = Buffer.byteLength(tmpdir()) < 60 ? tmpdir() : '/tmp';
  const path = await mkdtemp(join(base, 'umbel-pg-'));
  if (account !== undefined) await chown(path, account.uid, account.gid);
  return { path, close: () => rm(path, { recursive: true, force: true }) };
}

/** Gives a directory and all that is in it to the account. */
export async function giveTo(directory: string, account: Account): Promise<void> {
  await chown(directory, account.uid, account.gid);
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, basename(entry.name));
    if (entry.isDirectory()) await giveTo(path, account);
    else if (entry.isFile()) await chown(path, account.uid, account.gid);
  }
}
