import { describe, expect, it } from '@jest/globals';
import type { AuditEntry } from '../core/identity/audit.ts';
import { parseTokens, parseUsers } from '../core/identity/credentials.ts';
import { openIdentity } from '../identity/open.ts';
import { logAudit } from '../app/log-audit.ts';
import { buildServer } from './server.ts';
import { memoryControl } from './testing/control.testkit.ts';
import { testDeps } from './testing/deps.testkit.ts';
import { everybodyIs } from './testing/identity.testkit.ts';

const tokens = parseTokens(['reader:viewer:token-of-the-viewer', 'writer:editor:token-of-the-editor']);
const users = parseUsers(['ada-lovelace-0123456789abcdef01:a-good-password']);
const SHUTDOWN = '/api/v1/workers/celery@w1/actions/shutdown';

/** One clock that stands still and one address for everybody, as behind Grafana. */
async function serve() {
  const entries: AuditEntry[] = [];
  const deps = testDeps();
  const identity = openIdentity({ tokens, users }, deps);
  const onRefused = (entry: AuditEntry): void => void entries.push(entry);
  const app = await buildServer({ ...deps, control: memoryControl(), identity, onRefused });
  const ask = async (method: 'GET' | 'POST', url: string, authorization: string): Promise<number> =>
    (await app.inject({ method, url, headers: { authorization } })).statusCode;
  return { ask, entries, names: () => entries.map(({ principal }) => principal.name) };
}

const VIEWER = 'Bearer token-of-the-viewer';
const EDITOR = 'Bearer token-of-the-editor';
const basic = (pair: string): string => `Basic ${Buffer.from(pair).toString('base64')}`;

describe('what the audit is told of refusals', () => {
  it('of one who acts is not pushed out by the reads of another, nor by strangers', async () => {
    const { ask, entries } = await serve();
    for (let n = 0; n < 20; n += 1) {
      await ask('GET', '/api/v1/audit', VIEWER);
      await ask('GET', '/api/v1/audit', EDITOR);
      await ask('GET', '/api/v1/audit', `Bearer wrong-${n}`);
    }
    expect(await ask('POST', SHUTDOWN, EDITOR)).toBe(403);
    expect(entries).toHaveLength(31);
    expect(entries.at(-1)).toMatchObject({ action: 'worker.shutdown', principal: { name: 'writer' } });
  });

  it('has every act of somebody known, up to what only a program does', async () => {
    const { ask, entries } = await serve();
    for (let n = 0; n < 320; n += 1) expect(await ask('POST', SHUTDOWN, VIEWER)).toBe(403);
    expect(entries).toHaveLength(300);
    await ask('POST', SHUTDOWN, EDITOR);
    expect(entries.at(-1)).toMatchObject({ principal: { name: 'writer' }, arguments: { moreSinceTheLastEntry: 20 } });
  });

  it('is counted for each Grafana user behind the same token', async () => {
    const entries: AuditEntry[] = [];
    for (const login of ['ada', 'bob']) {
      const deps = testDeps();
      let who = 'ada';
      const identity = {
        ...everybodyIs('viewer'),
        identify: () =>
          everybodyIs('viewer', { grafanaUser: { login: who, verified: true } }).identify({ headers: {}, address: '' }),
      };
      const app = await buildServer({ ...deps, identity, onRefused: (entry) => entries.push(entry) });
      for (let n = 0; n < 11; n += 1) await app.inject('/api/v1/audit');
      who = login;
      await app.inject('/api/v1/audit');
    }
    expect(
      entries.map(({ principal }) => principal.grafanaUser?.login).filter((login) => login === 'bob'),
    ).toHaveLength(1);
    expect(entries).toHaveLength(21);
  });

  it('names the worker and the task, however the path is written', async () => {
    const { ask, entries } = await serve();
    await ask('POST', '/api/v1/workers/celery%40w%31/actions/shutdown?x=private', VIEWER);
    await ask('POST', '/api/task/revoke/id-$1', VIEWER);
    expect(entries.map(({ target }) => target)).toEqual([`POST ${SHUTDOWN}`, 'POST /api/task/revoke/id-$1']);
  });

  it.each([
    ['5f0c4e1d9a7b4c3e8f2a1b0c9d8e7f6a5f0c4e1d9a7b4c3e8f2a1b0c9d8e7f6a'],
    ['0123456789abcdef0123'],
    ['aVeryLongRandomTextOfLettersAlone'],
    ['kQzRtWbNxPqLmVc'],
    ['550e8400-e29b-41d4-a716-446655440000'],
    ['glsa_HOruNAb7SOiCdshU8algkrq7F6vsjfxT_55ed9b53'],
    ['correct horse; battery staple'],
    ['x'.repeat(100)],
  ])('does not hold %s, given where the name belongs', async (secret) => {
    const { ask, entries, names } = await serve();
    expect(await ask('GET', '/api/v1/tasks', basic(`${secret}:`))).toBe(401);
    expect(names()).toEqual([expect.stringMatching(/^hidden-[A-Za-z0-9]{8}$/)]);
    expect(JSON.stringify(entries)).not.toContain(secret.slice(0, 6));
  });

  it.each(['eve', 'Jean-Luc Picard', 'firstname.lastname@company.example', 'svc_reports_2024', 'Zoë', ''])(
    'holds the name %j of a failed login',
    async (name) => {
      const { ask, names } = await serve();
      await ask('GET', '/api/v1/tasks', basic(`${name}:wrong`));
      expect(names()).toEqual([name]);
    },
  );

  it('holds the name of a user whatever it looks like', async () => {
    const { ask, names } = await serve();
    await ask('GET', '/api/v1/tasks', basic('ada-lovelace-0123456789abcdef01:wrong'));
    expect(names()).toEqual(['ada-lovelace-0123456789abcdef01']);
  });
});

it('the audit of an agent without history is off, not away', async () => {
  const deps = testDeps();
  const audit = logAudit(deps.logger);
  const app = await buildServer({ ...deps, history: undefined, audit, identity: everybodyIs('admin') });
  const got = await app.inject('/api/v1/audit');
  expect([got.statusCode, got.json()]).toMatchObject([503, { error: { code: 'history-off' } }]);
});
