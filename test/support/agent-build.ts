import { execFile } from 'node:child_process';
import { mkdir, readdir, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from './paths.ts';
import { waitFor } from './wait.ts';

const run = promisify(execFile);
const MAIN = join(ROOT, 'agent', 'dist', 'main.js');
const LOCK = join(ROOT, 'node_modules', '.cache', 'umbel', 'build.lock');

async function newestSource(): Promise<number> {
  const source = join(ROOT, 'agent', 'src');
  let newest = 0;
  for (const entry of await readdir(source, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || entry.name.endsWith('.test.ts')) continue;
    newest = Math.max(newest, (await stat(join(entry.parentPath, entry.name))).mtimeMs);
  }
  return newest;
}

async function isFresh(): Promise<boolean> {
  const built = await stat(MAIN).catch(() => undefined);
  return built !== undefined && built.mtimeMs >= (await newestSource());
}

/** Builds agent/dist when a source is newer than it; one build at a time, whichever test process asks. Returns its main.js. */
export async function builtAgent(): Promise<string> {
  if (await isFresh()) return MAIN;
  await mkdir(join(LOCK, '..'), { recursive: true });
  await waitFor(
    async () => {
      const age = Date.now() - ((await stat(LOCK).catch(() => undefined))?.mtimeMs ?? Date.now());
      if (age > 120_000) await rm(LOCK, { recursive: true, force: true }); // left by a killed build
      await mkdir(LOCK);
      return true;
    },
    180_000,
    'the lock of the build',
  );
  try {
    if (await isFresh()) return MAIN;
    await run('npm', ['run', 'build', '--silent', '-w', 'agent'], { cwd: ROOT }).catch((error: unknown) => {
      const { stdout, stderr } = error as { stdout?: string; stderr?: string };
      throw new Error(`the agent does not build:\n${stdout ?? ''}${stderr ?? ''}`, { cause: error });
    });
    const now = new Date();
    await utimes(MAIN, now, now); // tsc leaves files that did not change alone
    return MAIN;
  } finally {
    await rm(LOCK, { recursive: true, force: true });
  }
}
