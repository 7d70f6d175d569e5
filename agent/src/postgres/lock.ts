import { link, readFile, rename, unlink, writeFile } from 'node:fs/promises';
import { EmbeddedPostgresError, errorCode } from './errors.ts';
import { startMark } from './process-info.ts';

/** Held by the one agent that may run a server on a data directory. */
export interface DirectoryLock {
  close(): Promise<void>;
}

const TAKEN = (path: string, pid: string): string =>
  `the data directory is in use by another agent (process ${pid}, lock ${path}); ` +
  'stop that one, or give this one a --data-dir of its own';

/**
 * Takes the lock; one left by a process that is gone counts for nothing.
 * @throws EmbeddedPostgresError while another process, or this one, holds it.
 */
export async function takeLock(path: string): Promise<DirectoryLock> {
  const mine = `${process.pid} ${(await startMark(process.pid)) ?? ''}\n`;
  for (let attempt = 0; attempt < 10; attempt += 1) {
    try {
      await writeFile(path, mine, { flag: 'wx' });
      return { close: () => unlink(path).catch(() => undefined) };
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw error;
    }
    await clearStale(path);
  }
  throw new EmbeddedPostgresError(TAKEN(path, 'unknown'));
}

async function clearStale(path: string): Promise<void> {
  const seen = await readFile(path, 'utf8').catch(() => undefined);
  if (seen === undefined) return;
  const [pid = '', mark = ''] = seen.trim().split(/ (.*)/);
  if (/^\d+$/.test(pid) && (await startMark(Number(pid))) === mark) throw new EmbeddedPostgresError(TAKEN(path, pid));
  // Two agents may judge the same stale lock: the slower one must not throw away the lock of the faster one.
  const aside = `${path}.${process.pid}`;
  await rename(path, aside).catch(() => undefined);
  const moved = await readFile(aside, 'utf8').catch(() => seen);
  if (moved !== seen) await link(aside, path).catch(() => undefined);
  await unlink(aside).catch(() => undefined);
}
