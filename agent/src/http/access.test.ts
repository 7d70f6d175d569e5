import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import type { AuditEntry } from '../core/identity/audit.ts';
import { parseTokens, parseUsers } from '../core/identity/credentials.ts';
import { mayAct, ROLES, type Role } from '../core/identity/principal.ts';
import { openIdentity } from '../identity/open.ts';
import type { IdentityOptions } from '../identity/options.ts';
import { type Provider, startProvider, unsigned } from '../identity/testing/provider.testkit.ts';
import { isSafe, routeAccessOf, type RouteAccess } from './access/routes.ts';
import type { HttpOptions } from './options.ts';
import { buildServer } from './server.ts';
import { NOW_MS, testDeps } from './testing/deps.testkit.ts';

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Longer than a busy machine takes for any answer. */
const NO_ANSWER_MS = 20_000;
jest.setTimeout(180_000); // thousands of requests

/** Paths of streams, whose body has no end. */
const ENDLESS = /\/stream$/;

let provider: Provider;
let requests = 0;
const open: FastifyInstance[] = [];

beforeAll(async () => {
  provider = await startProvider();
});
afterAll(async () => {
  for (const app of open) app.server.closeAllConnections();
  await Promise.all(open.map((app) => app.close()));
  await provider.close();
});

/** A server on loopback that takes the client's address from its proxy, so that no test is held off for another's failures. */
async function serve(identityOptions: IdentityOptions, options: HttpOptions = {}) {
  const refused: AuditEntry[] = [];
  const deps = testDeps();
  const clock = { ...deps.clock, now: () => NOW_MS + requests * 1000 };
  const identity = openIdentity(identityOptions, { clock, logger: deps.logger });
  const all = { ...deps, clock, identity, onRefused: (entry: AuditEntry) => void refused.push(entry) };
  const app = await buildServer(all, { trustProxy: true, ...options });
  open.push(app);
  await app.listen({ host: '127.0.0.1', port: 0 });
  return { app, refused, port: (app.server.address() as AddressInfo).port };
}

/** Resolves with the answer; `bodyless`: announces a body and does not send it, so only a gate before it can answer. */
function ask(
  port: number,
  method: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
  bodyless = false,
): Promise<Answer> {
  requests += 1;
  const hasBody = !isSafe(method);
  const all = {
    'x-forwarded-for': `10.${(requests >> 16) & 255}.${(requests >> 8) & 255}.${requests & 255}`,
    ...(hasBody ? { 'content-type': 'application/json', 'content-length': '2' } : {}),
    ...headers,
  };
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: '127.0.0.1', port, method, path, headers: all, agent: false }, (response) => {
      const done = (body: string): void => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body });
        request.destroy();
      };
      if (ENDLESS.test(path) && response.statusCode === 200) {
        done('');
        return;
      }
      let body = '';
      response.setEncoding('utf8').on('data', (piece: string) => (body += piece));
      response.on('end', () => done(body));
    });
    request.on('error', reject);
    request.setTimeout(NO_ANSWER_MS, () => {
      // No answer without the body: it was let in.
      if (bodyless) resolve({ status: 0, headers: {}, body: '' });
      request.destroy(new Error(`no answer to ${method} ${path}`));
    });
    if (hasBody && !bodyless) request.end('{}');
    else if (!hasBody) request.end();
    else request.flushHeaders();
  });
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const basic = (pair: string) => ({ authorization: `Basic ${Buffer.from(pair).toString('base64')}` });
const pathOf = ({ url }: RouteAccess): string => url.replace(/:[A-Za-z]+|\*/g, 'x');
const tokenOf = (role: Role): string => `token-of-the-${role}`;

const TOKENS = parseTokens(ROLES.map((role) => `the-${role}:${role}:${tokenOf(role)}`));

/** Who knocks, by name; `role`: what the credentials are good for. */
async function visitors(): Promise<{ name: string; headers: Record<string, string>; role: Role | undefined }[]> {
  const nowS = NOW_MS / 1000;
  const good = { iss: provider.url, aud: 'umbel', sub: 'ada', roles: ['umbel-admin'], exp: nowS + 1e6 };
  const bad = (name: string, token: string) => ({ name, headers: bearer(token), role: undefined });
  return [
    { name: 'no token', headers: {}, role: undefined },
    bad('wrong token', 'nonsense'),
    ...ROLES.map((role) => ({ name: role, headers: bearer(tokenOf(role)), role })),
    { name: 'JWT of an admin', headers: bearer(await provider.sign(good)), role: 'admin' as const },
    bad('expired JWT', await provider.sign({ ...good, exp: nowS - 60 })),
    bad('JWT for another audience', await provider.sign({ ...good, aud: 'other' })),
    bad('JWT with alg none', unsigned(good)),
    ...ROLES.map((role) => ({
      name: `admin lowered to ${role}`,
      headers: { ...bearer(tokenOf('admin')), 'x-umbel-role': role },
      role,
    })),
    {
      name: 'admin lowered by nonsense',
      headers: { ...bearer(tokenOf('admin')), 'x-umbel-role': 'god' },
      role: 'viewer',
    },
    {
      name: 'viewer who claims more',
      headers: { ...bearer(tokenOf('viewer')), 'x-umbel-role': 'admin' },
      role: 'viewer',
    },
  ];
}

/** What the gate makes of the role: the word, or the status it answers. */
function expected({ access }: RouteAccess, role: Role | undefined): 'passes' | 401 | 403 {
  if (access === 'public') return 'passes';
  if (role === undefined) return 401;
  return mayAct(role, access) ? 'passes' : 403;
}

const seen = ({ status }: Answer): 'passes' | 401 | 403 => (status === 401 || status === 403 ? status : 'passes');

describe('every route', () => {
  const oidc = () => ({ issuer: provider.url, audience: ['umbel'] });

  it('that is no read says itself who may use it', async () => {
    const { app } = await serve({});
    const routes = routeAccessOf(app);
    expect(routes.length).toBeGreaterThan(25);
    const undeclared = routes.filter(({ method, declared }) => !isSafe(method) && !declared);
    expect(undeclared.map(({ method, url }) => `${method} ${url} declares no config.access`)).toEqual([]);
    const open = routes.filter(({ access }) => access === 'public').map(({ url }) => url);
    expect(open.filter((url) => !/^(\/flower)?\/(metrics|healthcheck|health(\/live|\/ready)?)$/.test(url))).toEqual([]);
  });

  it('lets in whom it should, and nobody else, before it reads a body', async () => {
    const { app, port } = await serve({ tokens: TOKENS, oidc: oidc() });
    const wrong: string[] = [];
    const all = await visitors();
    for (const route of routeAccessOf(app)) {
      const asked = all.map(async ({ name, headers, role }) => {
        const want = expected(route, role);
        const got = await ask(port, route.method, pathOf(route), headers, want !== 'passes');
        if (seen(got) !== want) wrong.push(`${route.method} ${route.url}, ${name}: ${got.status}, not ${want}`);
      });
      await Promise.all(asked);
    }
    expect(wrong).toEqual([]);
  });

  it('only reads for everybody where nothing is set up, and acts where Flower’s variable says so', async () => {
    const closed = await serve({});
    const opened = await serve({ unauthenticatedApi: true }, { unauthenticatedApi: true });
    const wrong: string[] = [];
    for (const route of routeAccessOf(closed.app)) {
      const want = mayAct('viewer', route.access === 'public' ? 'viewer' : route.access) ? 'passes' : 401;
      const got = await ask(closed.port, route.method, pathOf(route), {}, want !== 'passes');
      if (seen(got) !== want) wrong.push(`${route.method} ${route.url}: ${got.status}, not ${want}`);
      const acts = await ask(opened.port, route.method, pathOf(route));
      if (seen(acts) !== 'passes') wrong.push(`${route.method} ${route.url}, opened: ${acts.status}`);
    }
    expect(wrong).toEqual([]);
  });

  it('acts for nobody in read-only mode', async () => {
    const { app, port } = await serve({ tokens: TOKENS }, { readOnly: true });
    for (const route of routeAccessOf(app)) {
      const acts = !isSafe(route.method) && route.access !== 'viewer' && route.access !== 'public';
      const got = await ask(port, route.method, pathOf(route), bearer(tokenOf('admin')), acts);
      expect([route, seen(got)]).toEqual([route, acts ? 403 : 'passes']);
      if (acts) expect(got.body).toMatch('Read only mode is enabled');
    }
  });
});

describe('a refusal', () => {
  const users = parseUsers(['ada:a-good-password']);

  it('of Flower’s API is Flower’s, of a page asks for a password, of /api/v1 has its one shape', async () => {
    const { port } = await serve({ users });
    const flower = await ask(port, 'GET', '/api/tasks', basic('ada:wrong'));
    expect([flower.status, flower.body, flower.headers['www-authenticate']]).toEqual([401, '', undefined]);
    expect(flower.headers['content-type']).toBe('text/html; charset=UTF-8');
    const page = await ask(port, 'GET', '/');
    expect([page.status, page.body]).toEqual([401, 'Access denied']);
    expect(page.headers['www-authenticate']).toBe('Basic realm="flower"');
    const api = await ask(port, 'GET', '/api/v1/tasks');
    expect(api.headers['www-authenticate']).toBe('Bearer realm="umbel"');
    expect(JSON.parse(api.body)).toMatchObject({ error: { code: 'unauthenticated' } });
    const docs = await ask(port, 'GET', '/api/v1/docs/', { accept: 'text/html' });
    expect(docs.headers['www-authenticate']).toBe('Basic realm="flower"');
    expect((await ask(port, 'GET', '/api/tasks', basic('ada:a-good-password'))).status).toBe(200);
    expect((await ask(port, 'GET', '/metrics')).status).toBe(200);
    expect((await ask(port, 'GET', '/no/such/path')).status).toBe(401);
    expect((await ask(port, 'OPTIONS', '/api/tasks')).status).toBe(204);
  });

  it('is the same for a path that is written in another way', async () => {
    const { port } = await serve({ users });
    for (const path of ['/%61pi/tasks', '/api/%74asks', '/api/v1/%74asks']) {
      expect([path, (await ask(port, 'GET', path)).status]).toEqual([path, 401]);
    }
  });

  it('after many failed logins says when to come again, and holds off no other address', async () => {
    const { port } = await serve({ users });
    const from = { 'x-forwarded-for': 'spoofed, 10.9.9.9' };
    let last = await ask(port, 'GET', '/api/v1/tasks', { ...from, ...basic('ada:0') });
    for (let n = 1; n <= 10; n += 1) last = await ask(port, 'GET', '/api/v1/tasks', { ...from, ...basic(`ada:${n}`) });
    expect([last.status, Number(last.headers['retry-after']) > 0]).toEqual([429, true]);
    expect((await ask(port, 'GET', '/api/v1/tasks', basic('ada:a-good-password'))).status).toBe(200);
  });

  it('is told for the audit, without the query, and not without end', async () => {
    const { port, refused } = await serve({ users, tokens: TOKENS });
    await ask(port, 'GET', '/api/v1/tasks?search=private', basic('eve:wrong'));
    expect(refused).toEqual([
      expect.objectContaining({
        ...{
          action: 'login',
          target: 'GET /api/v1/tasks',
          outcome: 'refused',
          address: expect.stringMatching(/^10\./),
        },
        principal: { name: 'eve', role: 'viewer', via: 'basic', verified: false },
      }),
    ]);
    expect(JSON.stringify(refused)).not.toMatch(/private|wrong"/);
    const from = { 'x-forwarded-for': '10.8.8.8' };
    const before = requests;
    for (let n = 0; n < 40; n += 1) await ask(port, 'GET', '/api/v1/tasks', from);
    requests = before + 100;
    await ask(port, 'GET', '/api/v1/tasks', from);
    const ofOne = refused.filter(({ address }) => address === '10.8.8.8');
    expect(ofOne.length).toBeLessThan(15);
    expect(ofOne.at(-1)?.arguments).toMatchObject({ moreSinceTheLastEntry: 30 });
  });

  it('without the option comes with Flower’s advice where Flower’s API was asked to act', async () => {
    const { app, port } = await serve({});
    const write = routeAccessOf(app).find(({ method, url }) => method === 'POST' && url.startsWith('/api/worker/'));
    if (write === undefined) return; // the server has none
    const got = await ask(port, 'POST', pathOf(write));
    expect([got.status, got.body]).toEqual([401, expect.stringMatching(/^FLOWER_UNAUTHENTICATED_API environment/)]);
  });
});

describe('a page from elsewhere', () => {
  const users = parseUsers(['ada:a-good-password']);
  const post = async (port: number, headers: Record<string, string>): Promise<[number, string]> => {
    const got = await ask(port, 'POST', '/api/tasks', { ...basic('ada:a-good-password'), ...headers });
    return [got.status, got.body];
  };

  it('cannot post with the password that the browser keeps', async () => {
    const { port } = await serve({ users });
    expect(await post(port, { 'sec-fetch-site': 'cross-site' })).toEqual([403, 'Cross-site request forbidden']);
    expect(await post(port, { 'sec-fetch-site': 'same-site' })).toEqual([403, 'Cross-site request forbidden']);
    expect(await post(port, { origin: 'https://evil.example' })).toEqual([403, 'Cross-origin request forbidden']);
    expect(await post(port, { origin: 'null' })).toEqual([403, 'Cross-origin request forbidden']);
    expect(await post(port, { 'sec-fetch-site': 'same-origin', origin: 'https://proxied.example' })).toEqual([405, '']);
    expect(await post(port, { origin: 'http://agent.example', host: 'agent.example' })).toEqual([405, '']);
    expect(await post(port, {})).toEqual([405, '']);
  });

  it('may, and is told so by the preflight, where its origin is on the list', async () => {
    const origin = 'https://grafana.example';
    const options = { corsOrigins: [origin] };
    const { port } = await serve({ users }, options);
    expect(await post(port, { 'sec-fetch-site': 'cross-site', origin })).toEqual([405, '']);
    const preflight = { 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' };
    const told = await ask(port, 'OPTIONS', '/api/v1/tasks', { origin, ...preflight });
    expect([told.status, told.headers['access-control-allow-origin']]).toEqual([204, origin]);
    expect(told.headers['access-control-allow-credentials']).toBeUndefined();
    const other = await ask(port, 'OPTIONS', '/api/v1/tasks', { origin: 'https://evil.example', ...preflight });
    expect(other.headers['access-control-allow-origin']).toBeUndefined();
    const read = await ask(port, 'GET', '/api/v1/status', { origin, ...basic('ada:a-good-password') });
    expect([read.status, read.headers['access-control-allow-origin']]).toEqual([200, origin]);
    expect((await ask(port, 'GET', '/no/such/path', basic('ada:a-good-password'))).status).toBe(404);
    expect((await ask(port, 'OPTIONS', '/api/tasks')).status).toBe(204);
  });
});
