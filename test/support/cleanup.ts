import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Closable } from '../../agent/src/lib/closer-stack.ts';
import { CloserStack } from '../../agent/src/lib/closer-stack.ts';

const open = new CloserStack();

/** Hands over something that was opened: it is closed when the test file ends, last opened first, also on failure. */
export function closeAtEnd<T extends Closable>(resource: T): T {
  return open.use(resource);
}

/** Closes all that was handed over. Called by test/support/after-each-file.ts, the global teardown and the bench. */
export async function closeEverything(): Promise<void> {
  await open.close();
}

/** An empty directory that is removed when the test file ends. Readable for everybody: Postgres runs as another user. */
export async function temporaryDirectory(name: string): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), `umbel-${name}-`));
  await chmod(path, 0o755);
  closeAtEnd({ close: () => rm(path, { recursive: true, force: true, maxRetries: 5 }) });
  return path;
}
