import { once } from 'node:events';
import { chmod, chown, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { systemClock } from '../lib/clock.ts';
import { type EmbeddedPostgres, openEmbeddedPostgres } from './embedded.ts';
import { compileForChildren, openInChild } from './embedded.testkit.ts';
import { isPostmasterOf } from './process-info.ts';

const lines: string[] = [];
const write = (_: unknown, text?: string): void => void lines.push(text ?? '');
const logger = { debug: write, info: write, warn: write, error: write };

let dir = '';
const opened: EmbeddedPostgres[] = [];

async function open(dataDir = dir): Promise<EmbeddedPostgres> {
  const postgres = await openEmbeddedPostgres({ dataDir, logger, clock: systemClock });
  opened.push(postgres);
  return postgres;
}

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows.map((row) => Object.values(row)[0]);
  } finally {
    await client.end();
  }
}

async function postmasterPid(): Promise<number> {
  return Number((await readFile(join(dir, 'postgres', 'postmaster.pid'), 'utf8')).split('\n')[0]);
}

async function until(condition: () => Promise<boolean>, timeoutMs: number): Promise<void> {
  const endMs = systemClock.now() + timeoutMs;
  while (!(await condition())) {
    if (systemClock.now() > endMs) throw new Error('the condition did not come true in time');
    await systemClock.sleep(50);
  }
}

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'umbel-embedded-'));
  await chmod(dir, 0o755);
});

afterEach(async () => {
  for (const postgres of opened.splice(0)) await postgres.close();
  await rm(dir, { recursive: true, force: true });
});

describe('openEmbeddedPostgres', () => {
  let script = '';
  let cleanUp = (): Promise<void> => Promise.resolve();

  beforeAll(async () => {
    const compiled = await compileForChildren();
    script = compiled.script;
    cleanUp = () => compiled.close();
  });
  afterAll(() => cleanUp());

  it('keeps data over a restart, sorts and lower-cases Unicode, listens on no port', async () => {
    const first = await open();
    expect(await query(first.url, 'show listen_addresses')).toEqual(['']);
    expect(await query(first.url, "select lower('ÄÖ') || current_database()")).toEqual(['äöumbel']);
    await query(first.url, 'create table kept as select 7 as n');
    await first.close();
    expect(await readFile(join(dir, 'postgres', 'postmaster.pid'), 'utf8').catch(() => 'gone')).toBe('gone');

    const startMs = systemClock.now();
    const second = await open();
    expect(systemClock.now() - startMs).toBeLessThan(10_000);
    expect(await query(second.url, 'select n from kept')).toEqual([7]);
  }, 60_000);

  it('refuses a second open of the same directory, from this process and from another', async () => {
    const first = await open();
    await expect(open()).rejects.toThrow(/in use by another agent.*--data-dir/);
    const { said } = await openInChild(script, dir);
    expect(said).toMatch(/^FAILED .*in use by another agent/);
    expect(await query(first.url, 'select 1 as one')).toEqual([1]);
  }, 60_000);

  it('stops by itself when the agent is killed, and opens again', async () => {
    const { child, said: url } = await openInChild(script, dir);
    await query(url, 'create table kept as select 8 as n');
    const pid = await postmasterPid();
    expect(await isPostmasterOf(pid, join(dir, 'postgres'))).toBe(true);
    child.kill('SIGKILL');
    await until(async () => !(await isPostmasterOf(pid, join(dir, 'postgres'))), 15_000);
    const again = await open();
    expect(await query(again.url, 'select n from kept')).toEqual([8]);
  }, 60_000);

  it('takes over at once from an agent that was just killed', async () => {
    const { child } = await openInChild(script, dir);
    child.kill('SIGKILL');
    await once(child, 'exit');
    const again = await open();
    expect(await query(again.url, 'select 1 as one')).toEqual([1]);
  }, 60_000);

  it('starts where another process has got the id that postmaster.pid names', async () => {
    await (await open()).close();
    // As after a crash in a container: the id is that of a living process that is no Postgres.
    const owner = process.ppid;
    await writeFile(join(dir, 'postgres', 'postmaster.pid'), `${owner}\n${join(dir, 'postgres')}\n`, { mode: 0o666 });
    const again = await open();
    expect(await query(again.url, 'select 1 as one')).toEqual([1]);
  }, 60_000);

  it('starts the server again when it ends by itself', async () => {
    const { url } = await open();
    const before = await postmasterPid();
    process.kill(before, 'SIGQUIT');
    await until(
      () =>
        query(url, 'select 1 as one').then(
          () => true,
          () => false,
        ),
      20_000,
    );
    expect(await postmasterPid()).not.toBe(before);
    expect(lines).toContain('the embedded Postgres ended by itself: starting it again');
  }, 60_000);

  it('says what to do about data of another major version', async () => {
    await (await open()).close();
    await writeFile(join(dir, 'postgres', 'PG_VERSION'), '15\n');
    await expect(open()).rejects.toThrow(/made by Postgres 15, .*pg_dump/);
  }, 60_000);

  it('works in a directory whose path is too long for a socket', async () => {
    const deep = join(dir, 'x'.repeat(120));
    const { url } = await open(deep);
    expect(await query(url, 'select 1 as one')).toEqual([1]);
  }, 60_000);

  const asRoot = process.getuid?.() === 0 ? it : it.skip;

  asRoot(
    'runs as an ordinary user too',
    async () => {
      await chown(dir, 65_534, 65_534);
      const { child, said: url } = await openInChild(script, dir, 65_534);
      expect(await query(url, 'select 1 as one')).toEqual([1]);
      child.kill('SIGKILL');
      await until(
        () =>
          postmasterPid().then(
            () => false,
            () => true,
          ),
        15_000,
      );
    },
    60_000,
  );

  asRoot(
    'finds another place where root keeps others out',
    async () => {
      await chmod(dir, 0o700);
      const postgres = await open(join(dir, 'closed', 'data'));
      const { url, directory } = postgres;
      expect(directory).toMatch(/^\/var\/lib\/umbel\/data-/);
      expect(await query(url, 'select 1 as one')).toEqual([1]);
      await postgres.close();
      await rm(join(directory, '..'), { recursive: true, force: true });
    },
    60_000,
  );
});
