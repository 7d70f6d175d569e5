import { beforeAll, describe, expect, it } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import { HistoryUnavailable, QueryError } from '../core/query/reader.ts';
import { buildServer } from './server.ts';
import { testDeps, type TestDeps } from './testing/deps.testkit.ts';
import { taskRecord } from './testing/memory-history.testkit.ts';

let deps: TestDeps;
let app: FastifyInstance;
beforeAll(async () => {
  deps = testDeps({ tasks: [taskRecord({ taskId: 'root', name: 'app.a', rootId: 'root' })] });
  app = await buildServer(deps);
});

async function get(path: string) {
  const answer = await app.inject(`/api/v1${path}`);
  return {
    status: answer.statusCode,
    body: JSON.parse(answer.body) as Record<string, unknown>,
    headers: answer.headers,
  };
}

describe('an error', () => {
  it.each([
    ['/tasks?limit=0', 'bad-parameter', 'limit'],
    ['/tasks?limit=1001', 'bad-parameter', 'limit'],
    ['/tasks?limit=ten', 'bad-parameter', 'limit'],
    ['/tasks?limit=1&limit=2', 'bad-parameter', 'limit'],
    ['/tasks?nmaes=a', 'unknown-parameter', 'nmaes'],
    ['/tasks?names=', 'bad-parameter', 'names'],
    ['/tasks?from=yesterday', 'bad-parameter', 'from'],
    ['/tasks?from=2026-02-28T00:00:00', 'bad-parameter', 'from'],
    ['/tasks?from=2026-02-30T00:00:00Z', 'bad-parameter', 'from'],
    ['/tasks?from=1900-01-01T00:00:00Z', 'bad-parameter', 'from'],
    ['/tasks?from=%20now', 'bad-parameter', 'from'],
    ['/tasks?to=-5', 'bad-parameter', 'to'],
    ['/tasks?from=now&to=now-1h', 'bad-parameter', 'to'],
    ['/tasks?runtimeMin=long', 'bad-parameter', 'runtimeMin'],
    ['/tasks?sort=colour', 'bad-parameter', 'sort'],
    ['/tasks?rootId=a&rootId=b', 'bad-parameter', 'rootId'],
    ['/tasks?search=(', 'bad-search', 'search'],
    ['/tasks?cursor=x', 'bad-cursor', 'cursor'],
    ['/series?step=90s', 'bad-parameter', 'step'],
    ['/series?step=0', 'bad-parameter', 'step'],
    ['/series?step=60000ms', 'bad-parameter', 'step'],
    ['/series?step=99999999999w', 'bad-parameter', 'step'],
    ['/series?by=colour', 'bad-parameter', 'by'],
    ['/stream?kinds=gap', 'bad-parameter', 'kinds'],
    ['/names?x=1', 'unknown-parameter', 'x'],
  ])('of %s is a 400 that names the field', async (path, code, field) => {
    const { status, body } = await get(path);
    expect([status, body]).toEqual([400, { error: { code, message: expect.stringMatching(/\.$/), field } }]);
  });

  it.each([
    '/series?from=now-365d&step=1m',
    // 11,000 minutes that begin within one: whole steps are one more.
    '/series?from=30000&to=660030000&step=1m',
  ])('of %s is a 422 that names the field: each value alone is right', async (path) => {
    const { status, body } = await get(path);
    expect([status, body]).toMatchObject([422, { error: { code: 'too-many', field: 'step' } }]);
  });

  it.each(['limit=5&limit=6', 'sort=name&sort=state', 'from=now&from=now'])('of /tasks?%s says once', async (query) => {
    const { status, body } = await get(`/tasks?${query}`);
    const field = query.slice(0, query.indexOf('='));
    expect([status, body]).toMatchObject([400, { error: { field, message: `\`${field}\` must be given once.` } }]);
  });

  it('of the way is a 404, of the method a 405 that names the right one', async () => {
    expect(await get('/nothing')).toMatchObject({ status: 404, body: { error: { code: 'unknown-route' } } });
    const post = await app.inject({
      method: 'POST',
      url: '/api/v1/status',
      payload: 'x=1',
      headers: { 'content-type': 'a/b' },
    });
    expect([post.statusCode, post.headers.allow]).toEqual([405, 'GET, OPTIONS']);
    expect(JSON.parse(post.body)).toMatchObject({ error: { code: 'method-not-allowed' } });
    expect((await app.inject({ method: 'OPTIONS', url: '/api/v1/tasks/x' })).statusCode).toBe(204);
  });

  it('of an undecodable or overlong URL is an answer too', async () => {
    for (const path of ['/tasks/%zz', '/tasks/%ff']) {
      expect(await get(path)).toMatchObject({ status: 400, body: { error: { code: 'bad-request', field: 'path' } } });
    }
    expect(await get(`/tasks?search=${'x'.repeat(9000)}`)).toMatchObject({ status: 414 });
  });

  it('of the history has its own status, and never a stack', async () => {
    const cases = [
      [new HistoryUnavailable('pg: refused'), 503, 'history-unavailable'],
      [new QueryError('timeout', 'statement timeout'), 504, 'timeout'],
      [new Error('relation "secret" does not exist'), 500, 'internal'],
    ] as const;
    const before = deps.errors.length;
    for (const [error, status, code] of cases) {
      deps.history.failWith(error);
      for (const path of ['/tasks', '/tasks/x', '/export/tasks', '/series', '/workers']) {
        const got = await get(path);
        expect([got.status, got.body]).toMatchObject([status, { error: { code } }]);
        expect(JSON.stringify(got.body)).not.toMatch(/secret|at .*\.ts|refused/);
      }
    }
    deps.history.failWith(undefined);
    expect(deps.errors.length - before).toBe(5);
  });

  it('of no history at all is 503 history-off, except where none is read', async () => {
    const bare = await buildServer({ ...testDeps(), history: undefined });
    for (const path of [
      'tasks',
      'tasks/x',
      'workflows/x',
      'series',
      'failures',
      'workers',
      'names',
      'queues',
      'gaps',
      'export/tasks',
    ]) {
      const got = await bare.inject(`/api/v1/${path}`);
      expect([path, got.statusCode, JSON.parse(got.body)]).toMatchObject([
        path,
        503,
        { error: { code: 'history-off' } },
      ]);
    }
    expect((await bare.inject('/api/v1/status')).statusCode).toBe(200);
    expect((await bare.inject('/api/v1/states')).statusCode).toBe(200);
  });
});
