import { spawn } from 'node:child_process';
import { chown, mkdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '../lib/logger.ts';
import type { Account } from './account.ts';
import { type Binaries, majorVersion } from './binaries.ts';
import { EmbeddedPostgresError } from './errors.ts';
import { giveTo } from './place.ts';
import { childEnvironment } from './server.ts';
import { initArguments } from './settings.ts';

/**
 * Makes the data directory if there is none yet, and sees to it that the account owns it. True: it is new.
 * @throws EmbeddedPostgresError for data of another major version or owner.
 */
export async function prepareData(
  pgData: string,
  binaries: Binaries,
  account: Account | undefined,
  logger: Logger,
): Promise<boolean> {
  const version = await readFile(join(pgData, 'PG_VERSION'), 'utf8').catch(() => undefined);
  const major = await majorVersion(binaries);
  if (version === undefined) {
    logger.info({ dir: pgData }, 'creating the embedded Postgres (first start, some seconds)');
    await initialise(pgData, binaries, account, logger);
    return true;
  }
  if (version.trim() !== major) {
    throw new EmbeddedPostgresError(
      `${pgData} was made by Postgres ${version.trim()}, this release brings Postgres ${major}. Export it with a Postgres ` +
        `${version.trim()} (pg_dump) and import it into one of your own given by --database-url, or move the directory away to begin anew`,
    );
  }
  await checkOwner(pgData, account);
  return false;
}

async function checkOwner(pgData: string, account: Account | undefined): Promise<void> {
  const { uid } = await stat(pgData);
  const wanted = account?.uid ?? process.getuid?.();
  if (uid === wanted) return;
  if (account !== undefined) return giveTo(pgData, account);
  throw new EmbeddedPostgresError(
    `${pgData} belongs to user ${uid}, the agent runs as ${wanted ?? 'another'}; start it as that user, or change the owner (chown -R)`,
  );
}

/** Into a directory beside, renamed when whole: a first start that is cut off leaves nothing half-made. */
async function initialise(
  pgData: string,
  binaries: Binaries,
  account: Account | undefined,
  logger: Logger,
): Promise<void> {
  const remains = await stat(pgData).catch(() => undefined);
  if (remains !== undefined) {
    throw new EmbeddedPostgresError(`${pgData} is there but holds no Postgres data (no PG_VERSION); move it away`);
  }
  const half = `${pgData}.new`;
  await rm(half, { recursive: true, force: true });
  await mkdir(half, { mode: 0o700 });
  if (account !== undefined) await chown(half, account.uid, account.gid);
  await runInitdb(half, binaries, account, logger);
  await rename(half, pgData);
}

function runInitdb(directory: string, binaries: Binaries, account: Account | undefined, logger: Logger): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(binaries.initdb, initArguments(directory), {
      ...account,
      cwd: '/',
      env: childEnvironment(),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    const take = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-4000);
      logger.debug({ from: 'initdb' }, chunk.toString().trimEnd());
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.once('error', (error) => reject(new EmbeddedPostgresError(`initdb does not run: ${error.message}`)));
    child.once('close', (code) => {
      if (code === 0) resolve();
      else reject(new EmbeddedPostgresError(`initdb failed (exit code ${code ?? 'none'}):\n${output.trim()}`));
    });
  });
}
