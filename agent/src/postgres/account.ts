import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { EmbeddedPostgresError } from './errors.ts';

/** Whom the server runs as. Postgres refuses to run as root. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

const run = promisify(execFile);

/** The agent's own account; for root an unprivileged one: the owner of the data, else `postgres`, else `nobody`. */
export async function chooseAccount(pgData: string): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const owner = await stat(pgData).catch(() => undefined);
  const names = owner === undefined || owner.uid === 0 ? [] : [String(owner.uid)];
  for (const name of [...names, 'postgres', '_postgres', 'nobody']) {
    const account = await lookUp(name);
    if (account !== undefined && account.uid !== 0) return account;
  }
  throw new EmbeddedPostgresError(
    'Postgres does not run as root, and this system has no user postgres or nobody to run it as; ' +
      'start the agent as another user, or give a Postgres of your own by --database-url',
  );
}

async function lookUp(name: string): Promise<Account | undefined> {
  try {
    const [uid, gid] = await Promise.all([run('id', ['-u', name]), run('id', ['-g', name])]);
    return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
  } catch {
    return undefined;
  }
}

/** The first directory on the way to `path`, itself included, that the account may not enter; undefined: it may. */
export async function blockedAt(path: string, account: Account): Promise<string | undefined> {
  const way: string[] = [];
  for (let at = path; ; at = dirname(at)) {
    way.unshift(at);
    if (dirname(at) === at) break;
  }
  for (const directory of way) {
    const found = await stat(directory).catch(() => undefined);
    if (found === undefined) return undefined;
    const shift = found.uid === account.uid ? 6 : found.gid === account.gid ? 3 : 0;
    if (((found.mode >> shift) & 1) === 0) return directory;
  }
  return undefined;
}
