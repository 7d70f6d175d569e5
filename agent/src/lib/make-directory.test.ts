import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { makeDirectory } from './make-directory.ts';

describe('makeDirectory', () => {
  let directory = '';
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'make-directory-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it('makes all that is missing, and leaves alone what is there', () => {
    makeDirectory(join(directory, 'a', 'b', 'c'), 0o700);
    expect(statSync(join(directory, 'a', 'b', 'c')).mode & 0o777).toBe(0o700);
    writeFileSync(join(directory, 'a', 'kept'), '');
    makeDirectory(join(directory, 'a'));
    expect(existsSync(join(directory, 'a', 'kept'))).toBe(true);
  });

  it('refuses a file in the way', () => {
    const file = join(directory, 'file');
    writeFileSync(file, '');
    expect(() => makeDirectory(file)).toThrow(/ENOTDIR/);
    expect(() => makeDirectory(join(file, 'below', 'it'))).toThrow(/ENOTDIR/);
  });

  (existsSync('/proc/self') ? it : it.skip)('comes back at once where no directory can be made', () => {
    expect(() => makeDirectory('/proc/nowhere/data/spill')).toThrow(/ENOENT.*\/proc\/nowhere/);
  });
});
