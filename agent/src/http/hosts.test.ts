import { mkdtempSync, rmSync } from 'node:fs';
import { request, type RequestOptions } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { parseTokens } from '../core/identity/credentials.ts';
import { openIdentity } from '../identity/open.ts';
import type { IdentityOptions } from '../identity/options.ts';
import { type ListenOptions, type RunningServer, startServer } from './server.ts';
import { testDeps } from './testing/deps.testkit.ts';

const running: RunningServer[] = [];
afterEach(() => Promise.all(running.splice(0).map((server) => server.close())));

interface Answer {
  readonly status: number;
  readonly body: string;
}

function send(options: RequestOptions): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ agent: false, ...options }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (piece: string) => (body += piece));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
    sent.on('upgrade', (response, socket) => {
      socket.destroy();
      resolve({ status: response.statusCode ?? 0, body: '' });
    });
    sent.on('error', reject);
    sent.end();
  });
}

async function serve(identityOptions: IdentityOptions = {}, options: ListenOptions = {}) {
  const deps = testDeps();
  const identity = openIdentity(identityOptions, deps);
  const server = await startServer({ ...deps, identity }, { port: 0, ...options });
  running.push(server);
  const { port } = server;
  return (path: string, headers: Record<string, string> = {}) => send({ host: '127.0.0.1', port, path, headers });
}

const EVIL = { host: 'evil.example:5555' };
const UPGRADE = {
  ...{ connection: 'Upgrade', upgrade: 'websocket' },
  ...{ 'sec-websocket-version': '13', 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==' },
};

describe('an agent that anybody on the machine may read', () => {
  it.each(['/api/v1/tasks', '/api/tasks', '/', '/api/v1/status', '/no/such/path'])(
    'answers %s not to a page that gave its own name the address of this machine',
    async (path) => {
      const ask = await serve();
      for (const host of ['evil.example', 'evil.example:5555', '127.0.0.1.evil.example', 'localhost.evil.example']) {
        const got = await ask(path, { host });
        expect([host, got.status, got.body]).toEqual([host, 403, expect.stringContaining('--allowed-hosts')]);
      }
    },
  );

  it('answers by the names of this machine, and what is public by every name', async () => {
    const ask = await serve();
    for (const host of [
      'localhost',
      'LOCALHOST:5555',
      'agent.localhost:1',
      'localhost.',
      '127.0.0.1:1',
      '[::1]:5555',
    ]) {
      expect([host, (await ask('/api/v1/names', { host })).status]).toEqual([host, 200]);
    }
    for (const path of ['/metrics', '/healthcheck', '/health/live', '/health/ready']) {
      expect([path, (await ask(path, EVIL)).status]).toEqual([path, 200]);
    }
  });

  it('is not opened by what a page can say of itself', async () => {
    const ask = await serve({}, { trustProxy: true });
    const said = {
      'x-forwarded-host': 'localhost',
      authorization: 'Bearer made-up',
      origin: 'http://evil.example:5555',
    };
    expect((await ask('/api/v1/names', { ...EVIL, ...said })).status).toBe(403);
    expect((await ask('/api/v1/ws', { ...EVIL, ...UPGRADE, origin: 'http://evil.example:5555' })).status).toBe(403);
  });

  it('answers by a name that it was given', async () => {
    const ask = await serve({}, { allowedHosts: ['umbel.example'] });
    expect((await ask('/api/v1/names', { host: 'Umbel.Example:5555' })).status).toBe(200);
    expect((await ask('/api/v1/names', EVIL)).status).toBe(403);
  });

  it('with Flower’s variable acts by no other name either', async () => {
    const ask = await serve({ unauthenticatedApi: true }, { unauthenticatedApi: true });
    expect((await ask('/api/tasks', EVIL)).status).toBe(403);
    expect((await ask('/api/tasks')).status).toBe(200);
  });
});

it('names do not matter with credentials, on another address or on a Unix socket', async () => {
  const tokens = parseTokens(['reader:viewer:token-of-the-viewer']);
  const signed = await serve({ tokens, anonymous: 'viewer' });
  expect((await signed('/api/v1/names', { ...EVIL, authorization: 'Bearer token-of-the-viewer' })).status).toBe(200);
  expect((await signed('/api/v1/names', EVIL)).status).toBe(403);
  const open = await serve({ anonymous: 'viewer' }, { address: '0.0.0.0' });
  expect((await open('/api/v1/names', EVIL)).status).toBe(200);
  const narrowed = await serve({ anonymous: 'viewer' }, { address: '0.0.0.0', allowedHosts: ['umbel.example'] });
  expect((await narrowed('/api/v1/names', EVIL)).status).toBe(403);
  expect((await narrowed('/api/v1/names', { host: 'Umbel.example:80' })).status).toBe(200);
  const directory = mkdtempSync(join(tmpdir(), 'umbel-hosts-'));
  const socketPath = join(directory, 'agent.sock');
  running.push(await startServer(testDeps(), { unixSocket: socketPath }));
  expect((await send({ socketPath, path: '/api/v1/names', headers: EVIL })).status).toBe(200);
  rmSync(directory, { recursive: true });
});

describe('a WebSocket', () => {
  it('opens on its own route alone, whatever is public', async () => {
    const ask = await serve();
    expect((await ask('/api/v1/ws', UPGRADE)).status).toBe(101);
    for (const path of ['/health/live', '/metrics', '/healthcheck', '/api/v1/tasks', '/api/v1/stream']) {
      const got = await ask(path, UPGRADE);
      expect([path, got.status, got.body]).toEqual([path, 400, expect.stringContaining('no WebSocket')]);
    }
    expect((await ask('/no/such/path', UPGRADE)).status).toBe(404);
  });

  it('needs a token where there is a sign-in', async () => {
    const ask = await serve({ tokens: parseTokens(['reader:viewer:token-of-the-viewer']) });
    expect((await ask('/api/v1/ws', UPGRADE)).status).toBe(401);
  });
});
