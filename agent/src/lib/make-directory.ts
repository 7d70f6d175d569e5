import { mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/**
 * Makes a directory and what is missing above it; one that is there already is left as it is.
 *
 * Not `mkdir` with `recursive`: where the file system allows no directories, as below /proc, it answers ENOENT although
 * the parent is there, and Node's recursive mkdir then goes up and down for ever.
 *
 * @throws the file system's error for the first directory that cannot be made
 */
export function makeDirectory(path: string, mode?: number): void {
  const missing: string[] = [];
  for (let at = resolve(path); !isThere(at); at = dirname(at)) missing.unshift(at);
  for (const directory of missing) {
    try {
      mkdirSync(directory, mode);
    } catch (error) {
      if (!isDirectory(directory)) throw error; // else another process was faster
    }
  }
  if (missing.length === 0 && !isDirectory(path)) {
    throw Object.assign(new Error(`ENOTDIR: not a directory, '${path}'`), { code: 'ENOTDIR' });
  }
}

function isThere(path: string): boolean {
  return dirname(path) === path || statSync(path, { throwIfNoEntry: false }) !== undefined;
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
