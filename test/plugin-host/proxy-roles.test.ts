import { beforeAll, describe, expect, it } from '@jest/globals';
import { type CeleryWorker, startCelery } from '../support/celery.ts';
import { type RunningAgent, startAgent } from '../support/agent.ts';
import { startRedis } from '../support/redis.ts';
import { waitFor } from '../support/wait.ts';
import { type GrafanaStandIn, SOURCE_UID, startGrafanaStandIn, USERS } from './grafana.ts';

const TOKEN = 'a-token-of-grafana-with-more-than-32-characters';
let grafana: GrafanaStandIn;
let agent: RunningAgent;
let worker: CeleryWorker;

beforeAll(async () => {
  const redis = await startRedis();
  const brokerUrl = `${redis.url}/0`;
  grafana = await startGrafanaStandIn('');
  agent = await startAgent({
    brokerUrl,
    args: ['--grafana-url', grafana.url, '--anonymous', 'none'],
    env: { UMBEL_TOKENS: `grafana:admin:${TOKEN}` },
  });
  grafana.target = { url: agent.url, token: TOKEN };
  worker = await startCelery({ brokerUrl, name: 'guarded', pool: 'solo' });
  await waitFor(
    async () => (await ask('vera', 'GET', 'api/v1/workers')).text.includes('guarded@'),
    30_000,
    'the worker',
  );
}, 300_000);

interface Answer {
  readonly status: number;
  readonly text: string;
}

/** Through the data source proxy; `path` goes out as it stands. */
async function ask(
  user: string,
  method: string,
  path: string,
  body?: object,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const response = await fetch(`${grafana.url}/api/datasources/proxy/uid/${SOURCE_UID}/${path}`, {
    method,
    headers: { cookie: `user=${user}`, 'content-type': 'application/json', ...headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return { status: response.status, text: await response.text() };
}

const NOBODY = { target: { workers: ['nobody@nowhere'] } };
const SHUTDOWN = { target: { all: true } };

describe('what a role may', () => {
  it.each(Object.keys(USERS))('%s reads', async (user) => {
    const { status, text } = await ask(user, 'GET', 'api/v1/me');
    expect(status).toBe(200);
    expect(text).toContain(`"${USERS[user]?.role.toLowerCase() ?? ''}"`);
  });

  it.each([
    ['vera', 403],
    ['edgar', 200],
    ['ada', 200],
  ])('%s revokes: %d', async (user, status) => {
    expect((await ask(user, 'POST', 'api/v1/tasks/no-such-task/revoke', {})).status).toBe(status);
  });

  it.each([
    ['vera', 403],
    ['edgar', 403],
    ['ada', 200],
  ])('%s grows a pool: %d', async (user, status) => {
    const order = { ...NOBODY, arguments: { n: 1 }, dryRun: true };
    expect((await ask(user, 'POST', 'api/v1/workers/actions/pool_grow', order)).status).toBe(status);
  });

  it.each([
    ['vera', 403],
    ['edgar', 403],
    ['ada', 200],
  ])('%s reads the audit: %d', async (user, status) => {
    expect((await ask(user, 'GET', 'api/v1/audit')).status).toBe(status);
  });
});

/** Spellings that match no route, or another one, in Grafana's proxy: the agent alone stands in their way. */
const CRAFTED = [
  'api/v1/workers/%61ctions/shutdown',
  'api/v1/%77orkers/actions/shutdown',
  'api%2Fv1/workers/actions/shutdown',
  '%61pi/v1/workers/actions/shutdown',
  'API/v1/workers/actions/shutdown',
  '/api/v1//workers/actions/shutdown',
  'x/../api/v1/workers/actions/shutdown',
  'api/v1/tasks/../workers/actions/shutdown',
  'api/v1/tasks/%2e%2e/workers/actions/shutdown',
  'api/v1/workers/actions/rate_limit/../shutdown',
  'api/v1/workers/actions/rate_limit%2F..%2Fshutdown',
  'api/worker/shutdown/all',
  'flower/api/worker/shutdown/all',
];
const OWN_HEADERS = { 'x-umbel-role': 'admin', 'x-ds-authorization': 'Bearer guessed', 'x-grafana-id': 'forged' };

describe.each(['vera', 'edgar'])('%s shuts no worker down', (user) => {
  it.each(CRAFTED)('POST %s', async (path) => {
    for (const headers of [{}, OWN_HEADERS]) {
      const { status } = await ask(user, 'POST', path, SHUTDOWN, headers);
      expect([400, 401, 403, 404, 405]).toContain(status);
    }
  });

  it.each(['PUT', 'PATCH', 'DELETE', 'GET'])('by the verb %s', async (method) => {
    const body = method === 'GET' ? undefined : SHUTDOWN;
    const { status } = await ask(user, method, 'api/v1/workers/actions/shutdown', body, OWN_HEADERS);
    expect([400, 401, 403, 404, 405]).toContain(status);
  });
});

it('a stranger gets nothing', async () => {
  expect((await ask('nobody', 'GET', 'api/v1/me')).status).toBe(401);
});

it('after all that the worker is there, and the audit tells whom it refused', async () => {
  expect(worker.running()).toBe(true);
  const { text } = await ask('ada', 'GET', 'api/v1/audit?limit=500');
  const { entries } = JSON.parse(text) as { entries: { action: string; outcome: string; principal: object }[] };
  expect(entries.filter(({ action, outcome }) => action.includes('shutdown') && outcome === 'ok')).toEqual([]);
  expect(entries.some(({ outcome }) => outcome === 'ok')).toBe(true);
  expect(JSON.stringify(entries)).toContain('"login":"edgar"');
});

it('an admin who asks gets it', async () => {
  const { status } = await ask('ada', 'POST', 'api/v1/workers/actions/shutdown', SHUTDOWN);
  expect(status).toBe(200);
  await waitFor(() => !worker.running(), 30_000, 'the worker having ended');
}, 60_000);
