import { spawnSync } from 'node:child_process';
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { closeAtEnd, temporaryDirectory } from './cleanup.ts';

/** A file system of its own that can be filled up. */
export interface SmallDisk {
  readonly path: string;
  /** Leaves no byte free. */
  fill(): void;
  /** Gives back what `fill` took. */
  free(): void;
}

/** A tmpfs of so many MiB; undefined, and said aloud, where this machine lets nobody mount one (it needs root). */
export async function smallDisk(mebibytes: number): Promise<SmallDisk | undefined> {
  const path = await temporaryDirectory('disk');
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m,mode=755`, 'tmpfs', path]);
  if (mounted.status !== 0) {
    process.stderr.write(`SKIPPED: no full disk can be made here: ${String(mounted.error ?? mounted.stderr)}\n`);
    return undefined;
  }
  closeAtEnd({ close: () => void spawnSync('umount', ['--lazy', path]) });
  const filler = join(path, 'filler');
  return { path, fill: () => fillUp(filler), free: () => rmSync(filler, { force: true }) };
}

function fillUp(file: string): void {
  const fd = openSync(file, 'w');
  try {
    for (let block = Buffer.alloc(1 << 20); block.length > 0; block = block.subarray(0, Math.floor(block.length / 2)))
      writeAll(fd, block);
  } finally {
    closeSync(fd);
  }
}

/** Writes the block until it does not fit any more. */
function writeAll(fd: number, block: Buffer): void {
  try {
    for (;;) writeSync(fd, block);
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ENOSPC') throw error;
  }
}
