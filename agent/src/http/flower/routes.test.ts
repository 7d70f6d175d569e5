import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import { HistoryUnavailable } from '../../core/query/reader.ts';
import type { TaskRecord } from '../../core/query/records.ts';
import { buildServer } from '../server.ts';
import { testDeps } from '../testing/deps.testkit.ts';
import { taskRecord, workerRecord } from '../testing/memory-history.testkit.ts';

interface FlowerAnswer {
  readonly method: 'GET';
  readonly url: string;
  readonly status: number;
  readonly type: string | null;
  readonly etag: string | null;
  /** null where the Etag, the body's sha1, stands for it. */
  readonly body: string | null;
}

/** What a real Flower 2.2 answered; made by testing/flower-golden.py. */
const GOLDEN = readFileSync(new URL('../testing/flower-2.2.ndjson', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as { task?: TaskRecord; answer?: FlowerAnswer });
const TASKS = GOLDEN.flatMap((line) => line.task ?? []);
const ANSWERS = GOLDEN.flatMap((line) => line.answer ?? []);

/** Flower fails to hide a Python `None` here, and gives no charset; both are left out. */
const ODD_405 = /^\/(healthcheck|metrics)$/;

const WORKERS = [...new Set(TASKS.flatMap((task) => task.worker ?? []))].map((hostname) => workerRecord({ hostname }));

describe('answers of Flower 2.2', () => {
  let app: FastifyInstance;
  beforeAll(async () => {
    app = await buildServer(testDeps({ tasks: TASKS, workers: WORKERS }));
  });

  it('were recorded', () => {
    expect(TASKS.length).toBeGreaterThan(80);
    expect(ANSWERS.length).toBeGreaterThan(60);
  });

  it.each(ANSWERS.map((answer) => [`${answer.method} ${answer.url}`, answer] as const))('%s', async (_name, answer) => {
    const got = await app.inject({ method: answer.method, url: answer.url });
    expect(got.statusCode).toBe(answer.status);
    if (answer.body === null) expect(`"${createHash('sha1').update(got.body).digest('hex')}"`).toBe(answer.etag);
    else if (!ODD_405.test(answer.url) || answer.status !== 405) expect(got.body).toBe(answer.body);
    if (answer.status !== 405) expect(got.headers['content-type'] ?? null).toBe(answer.type);
    expect(got.headers.etag ?? null).toBe(answer.etag);
  });
});

describe('the routes of Flower', () => {
  it('answer 304 to the Etag they gave, weak or not, and to a star', async () => {
    const app = await buildServer(testDeps({ tasks: TASKS }));
    const { etag } = (await app.inject('/api/task/types')).headers;
    for (const tag of [etag, `W/${etag}`, `"x", ${etag}`, '*']) {
      const got = await app.inject({ url: '/api/task/types', headers: { 'if-none-match': tag } });
      expect([got.statusCode, got.body]).toEqual([304, '']);
    }
    const other = await app.inject({ url: '/api/task/types', headers: { 'if-none-match': '"other"' } });
    expect(other.statusCode).toBe(200);
  });

  it('stream a long list whole and in order, in bounded pages', async () => {
    const tasks = Array.from({ length: 5001 }, (_, i) => taskRecord({ taskId: `id-${i}`, timestamp: i + 0.5 }));
    const deps = testDeps({ tasks });
    const got = await (await buildServer(deps)).inject('/api/tasks?offset=1');
    const listed = Object.keys(JSON.parse(got.body) as object);
    expect(listed).toEqual(
      tasks
        .map((task) => task.taskId)
        .reverse()
        .slice(1),
    );
    const pages = deps.history.calls.flatMap(([name, ids]) =>
      name === 'childrenOf' ? [(ids as string[]).length] : [],
    );
    expect(Math.max(...pages)).toBe(500);
    expect(got.headers['transfer-encoding']).toBe('chunked');
  });

  it('are found under the prefix, and only there', async () => {
    const app = await buildServer(testDeps({ tasks: TASKS }), { urlPrefix: '/flower/' });
    expect((await app.inject('/flower/healthcheck')).body).toBe('OK');
    expect((await app.inject('/flower/api/task/info/odd-1')).statusCode).toBe(200);
    expect((await app.inject({ method: 'POST', url: '/flower/api/tasks' })).statusCode).toBe(405);
    expect((await app.inject('/healthcheck')).statusCode).toBe(404);
    expect((await app.inject('/api/tasks')).statusCode).toBe(404);
    expect((await app.inject('/flower/api/tasks/')).statusCode).toBe(404);
  });

  it('read bytes of paths and arguments as tornado does, with and without the prefix', async () => {
    for (const urlPrefix of ['', '/flower']) {
      const app = await buildServer(testDeps({ tasks: TASKS }), urlPrefix === '' ? {} : { urlPrefix });
      const get = async (path: string) => {
        const { statusCode, body } = await app.inject(`${urlPrefix}${path}`);
        return [statusCode, body];
      };
      expect(await get('/api/task/info/100%')).toEqual([404, "Unknown task '100%'"]);
      expect(await get('/api/task/info/a%FF%27?x')).toEqual([400, `Invalid unicode in url: b"a\\xff'"`]);
      expect(await get('/api/tasks?search=%C3%22')).toEqual([400, `Invalid unicode in search: b'\\xc3"'`]);
      expect(await get('/api/workers?workername=%20%3Cb%3E%00')).toEqual([404, "Unknown worker '&lt;b&gt;'"]);
      expect(await get('/api/tasks?limit=%00x&limit=0')).toEqual([200, '{}']);
    }
    const other = await (await buildServer(testDeps())).inject('/api/v1/tasks/100%');
    expect([other.statusCode, other.json<unknown>()]).toMatchObject([400, { error: { field: 'path' } }]);
  });

  it('tell workers from events in the shape of an inspect reply', async () => {
    const worker = workerRecord({ hostname: 'w1@h', lastHeartbeatMs: 1_795_405_160_600, pid: 7, clock: 42 });
    const app = await buildServer(testDeps({ workers: [worker] }));
    const expected =
      '{"w1@h": {"active_queues": [], "conf": {}, "registered": [], "stats": {"total": {}, "pid": 7, "clock": "42"}, ' +
      '"timestamp": 1795405160.6}}';
    expect((await app.inject('/api/workers')).body).toBe(expected);
    expect((await app.inject('/api/workers?workername=w1%40h&refresh=1')).body).toBe(expected);
    expect((await app.inject('/api/workers?status=1')).body).toBe('{"w1@h": true}');
  });

  it('say so, in a text, when there is no history or it does not answer', async () => {
    const off = await (await buildServer({ ...testDeps(), history: undefined })).inject('/api/tasks');
    expect([off.statusCode, off.body]).toEqual([503, 'The agent keeps no history']);
    const deps = testDeps();
    deps.history.failWith(new HistoryUnavailable('gone'));
    const gone = await (await buildServer(deps)).inject('/api/tasks');
    expect([gone.statusCode, gone.headers['content-type']]).toEqual([503, 'text/plain; charset=UTF-8']);
    deps.history.failWith(new Error('secret detail'));
    const broken = await (await buildServer(deps)).inject('/api/tasks');
    expect([broken.statusCode, broken.body]).toEqual([500, '']);
    expect(deps.errors).toHaveLength(1);
  });

  it('send CORS headers only where the API was opened', async () => {
    const closed = await (await buildServer(testDeps())).inject('/api/tasks');
    expect(closed.headers['access-control-allow-origin']).toBeUndefined();
    const open = await (await buildServer(testDeps(), { unauthenticatedApi: true })).inject('/api/tasks');
    expect(open.headers['access-control-allow-origin']).toBe('*');
  });

  it('hand the Accept header to the metrics', async () => {
    const got = await (await buildServer(testDeps())).inject({ url: '/metrics', headers: { accept: 'a/b' } });
    expect([got.body, got.headers['content-type']]).toEqual(['# accept a/b\n', 'text/plain; version=0.0.4']);
  });
});
