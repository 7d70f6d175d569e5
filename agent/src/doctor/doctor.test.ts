import { createServer, type Server } from 'node:http';
import { mkdtemp, readdir, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { freshDatabase } from '../../../test/support/database.ts';
import { freeBytes } from '../app/doctor.ts';
import { systemClock } from '../lib/clock.ts';
import { migrate } from '../sinks/history/database.ts';
import { backendDifference } from './backend-url.ts';
import type { Check, Finding } from './check.ts';
import { failed, ok, skipped, warning } from './check.ts';
import { databaseCheck, type DatabaseContext, type SqlSession } from './database-check.ts';
import { agentCheck, diskCheck, grafanaCheck, settingsCheck } from './place-checks.ts';
import { resultsCheck } from './results-check.ts';
import type { Observation, Outcome } from './observation.ts';
import { runDoctor } from './run.ts';

const GiB = 1024 ** 3;
const clock = systemClock;
const shown = (findings: readonly Finding[]): string[] => findings.map(({ verdict, found }) => `${verdict}: ${found}`);

async function run(checks: readonly Check[], options: { json?: boolean; timeoutMs?: number } = {}) {
  const lines: string[] = [];
  const { json = false, timeoutMs = 1000 } = options;
  const code = await runDoctor(checks, { line: (text) => void lines.push(text), json }, { clock, timeoutMs });
  return { code, lines };
}

describe('runDoctor', () => {
  const check = (name: string, ...findings: Finding[]): Check => ({ name, run: () => Promise.resolve(findings) });

  it('prints each finding with its advice, in the order of the checks', async () => {
    const { code, lines } = await run([check('one', ok('Fine.')), check('second', warning('Hm.', 'Do it.'))]);
    expect(lines).toEqual([
      'ok       one     Fine.',
      'warning  second  Hm.',
      '                 → Do it.',
      '',
      '0 failed, 1 warning, 1 ok.',
    ]);
    expect(code).toBe(0);
  });

  it('ends with 1 when a check failed', async () => {
    const { code, lines } = await run([check('a', failed('Bad.', 'Mend it.')), check('b', skipped('None.'))]);
    expect(code).toBe(1);
    expect(lines.at(-1)).toBe('1 failed, 0 warnings, 0 ok.');
    expect((await run([check('a', ok('Fine.'))])).lines.at(-1)).toBe('All is well.');
  });

  it('takes a check that throws, and one that never ends, for failed', async () => {
    const throws: Check = { name: 'throws', run: () => Promise.reject(new Error('boom')) };
    const hangs: Check = { name: 'hangs', run: () => new Promise(() => undefined) };
    const { code, lines } = await run([throws, hangs, check('after', ok('Fine.'))], { timeoutMs: 20 });
    expect(code).toBe(1);
    expect(lines).toContain('failed   throws  The check could not be made: boom.');
    expect(lines).toContain('failed   hangs   The check could not be made: no answer within 0.02 s.');
    expect(lines).toContain('ok       after   Fine.');
  });

  it('prints JSON', async () => {
    const { code, lines } = await run([check('a', failed('Bad.', 'Mend it.'))], { json: true });
    expect(code).toBe(1);
    expect(JSON.parse(lines.join(''))).toEqual({
      ok: false,
      findings: [{ check: 'a', verdict: 'failed', found: 'Bad.', advice: 'Mend it.' }],
    });
  });
});

describe('the database check', () => {
  const DAY = 86_400_000;
  const migrations = ['0001_history'];
  const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

  async function connect(url: string): Promise<SqlSession> {
    const client = new pg.Client({ connectionString: url, options: '-c TimeZone=UTC' });
    await client.connect();
    return {
      query: async (text) => (await client.query<Record<string, unknown>>(text)).rows,
      close: () => client.end(),
    };
  }
  const look = async (url: string, context: Partial<DatabaseContext> = {}): Promise<string[]> => {
    const given = { displayUrl: 'postgres://h/db', connect: () => connect(url), migrations };
    const retention = { celery_task_events: 30, celery_tasks: 30, celery_task_rollups: 400 };
    const check = databaseCheck({ ...given, retention, nowMs: () => Date.UTC(2026, 0, 2), ...context });
    return shown(await check.run());
  };

  it('names what cannot be reached, what is missing, and says when all is well', async () => {
    expect(await look('postgres://nobody@127.0.0.1:1/none')).toEqual([
      expect.stringMatching(/^failed: postgres:\/\/h\/db cannot be reached: .*ECONNREFUSED/),
    ]);
    const { url } = await freshDatabase();
    expect(await look(url)).toEqual([
      expect.stringMatching(/^ok: postgres:\/\/h\/db is Postgres \d+.* GiB\.$/),
      'warning: The schema is not there yet.',
    ]);
    await migrate(url, quiet);
    const session = await connect(url);
    const done = (await session.query('select name from umbel_migrations order by id')).map(({ name }) => String(name));
    expect(await look(url, { migrations: done })).toContain('warning: There are no partitions yet.');
    expect(await look(url, { migrations: [...done, '9999_next'] })).toContain(
      'warning: Migrations are missing: 9999_next.',
    );
    expect(await look(url, { migrations: done.slice(1) })).toContain(
      `failed: The schema is of a newer release (${done[0] ?? ''}).`,
    );
    for (const table of ['celery_task_events', 'celery_tasks']) {
      await session.query(
        `create table ${table}_now partition of ${table} for values from ('2026-01-02') to ('2026-01-03')`,
      );
    }
    const at = (days: number): Partial<DatabaseContext> => ({
      migrations: done,
      nowMs: () => Date.UTC(2026, 0, 2) + days * DAY,
    });
    expect(await look(url, at(0.5))).toContain(
      'ok: Retention works: the oldest of 2 partitions begins 2026-01-02, 30 days are kept.',
    );
    expect(await look(url, at(2))).toContain(
      'warning: No partition of today for celery_task_events, celery_tasks: rows go to the default partition.',
    );
    expect(await look(url, at(34))).toContain(
      'warning: 2 partitions older than the retention (30 days) are still there.',
    );
    await session.close();
  });

  it('says what a user without rights lacks', async () => {
    const { url } = await freshDatabase();
    const role = `umbel_doctor_${process.pid}`;
    const admin = await connect(url);
    await admin.query(`create role ${role} login`);
    const limited = new URL(url);
    limited.username = role;
    try {
      expect(await look(limited.href)).toContain(`failed: The user ${role} may not create tables.`);
    } finally {
      await admin.query(`drop role ${role}`);
      await admin.close();
    }
  });

  it('is content with an embedded Postgres that does not run, and without a history', async () => {
    expect(await look('', { displayUrl: undefined, connect: () => Promise.resolve(undefined) })).toEqual([
      'skipped: The embedded Postgres does not run: it starts and stops with the agent.',
    ]);
    expect(shown(await databaseCheck(undefined).run())).toEqual([
      'skipped: The history is switched off (--no-history).',
    ]);
  });
});

describe('checks of places', () => {
  const servers: Server[] = [];
  afterAll(() => servers.forEach((server) => server.close()));

  /** A real server that answers each path with a status and a body. */
  async function serve(answers: Record<string, readonly [number, unknown]>, date?: string): Promise<string> {
    const server = createServer((request, response) => {
      const [status, body] = answers[request.url ?? ''] ?? [404, {}];
      response.writeHead(status, { 'content-type': 'application/json', ...(date !== undefined && { date }) });
      response.end(JSON.stringify(body));
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
    const address = server.address();
    return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  }
  const nowMs = (): number => clock.now();

  it('grafana: version, keys and clock', async () => {
    const health = [200, { database: 'ok', version: '12.4.1' }] as const;
    const good = await serve({ '/api/health': health, '/api/signing-keys/keys': [200, { keys: [{ kid: '1' }] }] });
    expect(shown(await grafanaCheck(`${good}/`, fetch, nowMs).run())).toEqual([
      `ok: ${good} is Grafana 12.4.1.`,
      'ok: Its keys can be read: its users are recognised.',
    ]);
    const bad = await serve({ '/api/health': health }, new Date(nowMs() - 120_000).toUTCString());
    expect(shown(await grafanaCheck(bad, fetch, nowMs).run())).toEqual([
      `ok: ${bad} is Grafana 12.4.1.`,
      `failed: ${bad}/api/signing-keys/keys answers 404.`,
      expect.stringMatching(/^warning: Grafana's clock is 12\d s behind\.$/),
    ]);
    expect(shown(await grafanaCheck('http://127.0.0.1:1', fetch, nowMs).run())).toEqual([
      expect.stringMatching(/^failed: http:\/\/127\.0\.0\.1:1 cannot be reached: fetch failed: .+/),
    ]);
    expect(shown(await grafanaCheck(undefined, fetch, nowMs).run())).toEqual(['skipped: Grafana is not known.']);
  });

  it('agent: what it says of itself', async () => {
    const status = (members: Record<string, unknown>): Promise<string> =>
      serve({
        '/x/api/v1/status': [
          200,
          { version: '1.2.3', broker: { connected: true }, history: {}, warnings: [], ...members },
        ],
      });
    const fine = await status({});
    expect(shown(await agentCheck(`${fine}/x`, fetch).run())).toEqual([`ok: An agent 1.2.3 runs at ${fine}/x.`]);
    const ill = await status({
      broker: { connected: false, problem: 'gone' },
      history: { enabled: true, connected: false, problem: 'full' },
      warnings: ['Mind this.'],
    });
    expect(shown(await agentCheck(`${ill}/x`, fetch).run()).slice(1)).toEqual([
      'failed: It is not connected to its broker: gone',
      'failed: It cannot write its history: full',
      'warning: It warns: Mind this.',
    ]);
    const closed = await serve({ '/api/v1/status': [401, {}] });
    expect(shown(await agentCheck(closed, fetch).run())).toEqual([`ok: An agent runs at ${closed}, behind a sign-in.`]);
    const sent: unknown[] = [];
    const noting: typeof fetch = (url, init) => {
      sent.push(init?.headers);
      return fetch(url, init);
    };
    await agentCheck(fine, noting, 'plain-token').run();
    await agentCheck(fine, noting).run();
    expect(sent).toEqual([{ authorization: 'Bearer plain-token' }, {}]);
    const other = await serve({ '/api/v1/status': [200, []] });
    expect(shown(await agentCheck(other, fetch).run())[0]).toMatch(/^warning: .* no agent of this kind/);
    expect(shown(await agentCheck('http://127.0.0.1:1', fetch).run())[0]).toMatch(/^skipped: No agent answers/);
  });

  it.each([
    [5 * GiB, 'ok: ./data has 5.0 GiB free.'],
    [3 * GiB, 'warning: ./data has 3.0 GiB free.'],
    [GiB, 'failed: ./data has 1.0 GiB free.'],
  ])('data directory: %d bytes free', async (free, expected) => {
    const context = { dataDir: './data', bufferDiskBytes: 4 * GiB, freeBytes: () => Promise.resolve(free) };
    expect(shown(await diskCheck(context).run())).toEqual([expected]);
  });

  it('data directory: no rights', async () => {
    const freeBytes = (): Promise<number> => Promise.reject(new Error('EACCES: permission denied'));
    expect(shown(await diskCheck({ dataDir: '/d', bufferDiskBytes: 0, freeBytes }).run())).toEqual([
      'failed: /d cannot be used: EACCES: permission denied.',
    ]);
  });

  it('data directory: what cannot be created', async () => {
    const dataDir = '/proc/nope';
    const check = diskCheck({ dataDir, bufferDiskBytes: 0, freeBytes: () => freeBytes(dataDir) });
    expect(shown(await check.run())).toEqual([
      expect.stringMatching(/^failed: \/proc\/nope cannot be used: it cannot be created in \/proc \(E[A-Z]+\)\.$/),
    ]);
    const parent = await mkdtemp(join(tmpdir(), 'umbel-doctor-test-'));
    expect(await freeBytes(join(parent, 'a', 'b'))).toBeGreaterThan(0);
    expect(await readdir(parent)).toEqual([]);
    await rmdir(parent);
  });

  it('settings: each sentence is a warning', async () => {
    expect(shown(await settingsCheck(['A.', 'B.']).run())).toEqual(['warning: A.', 'warning: B.']);
    expect(shown(await settingsCheck([]).run())).toEqual(['ok: Nothing to object to.']);
  });
});

describe('the result backend check', () => {
  const conf = (settings: Record<string, unknown>): Outcome => ({
    answers: new Map([['w@h', { worker: 'w@h', ok: true, reply: settings }]]),
  });
  const look = async (
    open: Parameters<typeof resultsCheck>[0],
    settings: Record<string, unknown> = { result_extended: true, result_backend: 'redis://:********@h/1' },
  ): Promise<string[]> =>
    shown(await resultsCheck(open, () => Promise.resolve({ conf: conf(settings) } as Observation)).run());
  const backend = (get: () => Promise<undefined>) => () =>
    Promise.resolve({ displayUrl: 'redis://h/1', get, close: () => Promise.resolve() });

  it('reads it, and looks whether the workers store what a retry needs', async () => {
    const fine = backend(() => Promise.resolve(undefined));
    expect(await look(fine)).toEqual(['ok: redis://h/1 can be read.']);
    expect(await look(fine, {})).toEqual([
      'ok: redis://h/1 can be read.',
      expect.stringMatching(/^warning: result_extended is off at w@h/),
      'warning: w@h stores no results.',
    ]);
    expect(await look(backend(() => Promise.reject(new Error('WRONGPASS'))))).toEqual([
      'failed: redis://h/1 cannot be read: WRONGPASS',
    ]);
    const retries = 'Reached the max retries per request limit (which is 0). Refer to "maxRetriesPerRequest" option';
    expect(await look(backend(() => Promise.reject(new Error(retries))))).toEqual([
      'failed: redis://h/1 cannot be read: nothing takes the connection there, or it is refused.',
    ]);
    expect(await look(() => Promise.reject(new Error('no such scheme')))).toEqual([
      'failed: The result backend cannot be read: no such scheme',
    ]);
    expect(await look(() => Promise.resolve(undefined))).toEqual(['skipped: None is configured.']);
  });

  it('tells when the workers write elsewhere', async () => {
    const settings = { result_extended: true, result_backend: 'redis://u:s3cret@h/8' };
    expect(
      await look(
        backend(() => Promise.resolve(undefined)),
        settings,
      ),
    ).toEqual([
      'ok: redis://h/1 can be read.',
      'failed: w@h stores results in redis://h/8, the agent reads redis://h/1.',
    ]);
    expect(
      await look(
        backend(() => Promise.resolve(undefined)),
        { ...settings, result_backend: 'redis://other/1' },
      ),
    ).toEqual([
      'ok: redis://h/1 can be read.',
      'warning: w@h stores results in redis://other/1, the agent reads redis://h/1.',
    ]);
  });

  it.each([
    ['redis://:**@h:6379/8', 'redis://:********@h/8', undefined],
    ['redis://localhost', 'redis://127.0.0.1:6379/0', undefined],
    ['redis://h/0?x=1', 'redis://h/?db=0', undefined],
    ['redis://h/8', 'redis://h/9', 'database'],
    ['redis://h/0', 'rpc://', 'kind'],
    ['redis://h/0', 'redis://h:6380/0', 'place'],
    ['redis://h/0', 'rediss://h/0', 'place'],
    ['sentinel://a:1/2;sentinel://b/2', 'sentinel://b:26379/2', undefined],
    ['db+postgresql://u:**@h/x', 'db+postgresql+psycopg2://u:********@h:5432/x?sslmode=require', undefined],
    ['db+postgresql://h/x', 'db+postgresql://h/y', 'database'],
    ['socket:///run/redis.sock', 'redis+socket:///run/redis.sock?virtual_host=1', 'database'],
    ['redis://h/0', 'sentinel://a:26379/0', 'place'],
    ['redis://h/0', 'socket:///run/redis.sock', 'place'],
    ['redis://h/0', 'app.backends:Mine', undefined],
  ])('%s and %s', (own, theirs, difference) => expect(backendDifference(own, theirs)).toBe(difference));
});
