import { beforeAll, describe, expect, it } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import type { TSchema } from 'typebox';
import { Value } from 'typebox/value';
import * as schemas from './contract/schemas.ts';
import { buildServer } from './server.ts';
import { memoryControl } from './testing/control.testkit.ts';
import { NOW_MS, testDeps, type TestDeps } from './testing/deps.testkit.ts';
import { type MemoryRows, taskRecord, workerRecord } from './testing/memory-history.testkit.ts';

const HOUR_MS = 3_600_000;

const ROWS: MemoryRows = {
  tasks: [
    taskRecord({ taskId: 'root', name: 'app.a', rootId: 'root', runtime: 0.0379, received: 1_795_405_139.921234 }),
    taskRecord({ taskId: 'child', name: 'app.b', rootId: 'root', parentId: 'root', state: 'FAILURE', timestamp: 5 }),
    taskRecord({ taskId: 'odd', timestamp: 4, runtime: NaN, oddities: { retries: 'two' } }),
  ],
  workers: [workerRecord({ hostname: 'w1@h' })],
  taskEvents: [
    {
      taskId: 'root',
      type: 'task-sent',
      worker: 'gen1@h',
      timestampMs: 1,
      receivedMs: 2,
      clock: 3,
      attempt: 1,
      fields: {},
    },
  ],
  workerEvents: [{ hostname: 'w1@h', type: 'worker-online', timestampMs: 1, fields: { pid: 7 } }],
  series: [{ labels: { name: 'app.a' }, points: [{ timeMs: 60_000, values: [3, 0.25, null] }] }],
  failures: [
    {
      ...{ exceptionType: 'ValueError', message: 'no <n>', fingerprint: 'f1', count: 2, firstMs: 1, lastMs: 2 },
      ...{ names: ['app.b'], sampleTaskId: 'child', sampleTraceback: null, trend: [2, 0] },
    },
  ],
  gaps: [{ id: 1, fromMs: 1, toMs: null, cause: 'restart', agent: 'a', coveredBy: null, healed: null }],
  queues: ['celery'],
};

let deps: TestDeps;
let app: FastifyInstance;
beforeAll(async () => {
  deps = testDeps(ROWS);
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

const lastCall = (name: string) => deps.history.calls.findLast(([called]) => called === name)?.slice(1);

/** Named references within the schemas are `Name#`. */
function whole(schema: TSchema): TSchema {
  const text = JSON.stringify(schema, (_key, value: unknown) => {
    if (typeof value !== 'object' || value === null || !('$ref' in value)) return value;
    const found = schemas.SCHEMAS.find((one) => `${(one as { $id?: string }).$id}#` === value.$ref);
    if (found === undefined) throw new Error(`no schema ${String(value.$ref)}`);
    return { ...found, $id: undefined };
  });
  return JSON.parse(text) as TSchema;
}

/** What is wrong with the answer, as its schema says; extra members count too. */
function faults(schema: TSchema, body: unknown): unknown[] {
  return Value.Errors(closed(whole(schema)) as TSchema, body).map(({ instancePath, message }) => [
    instancePath,
    message,
  ]);
}

function closed(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(closed);
  if (typeof node !== 'object' || node === null) return node;
  const members = Object.fromEntries(Object.entries(node).map(([key, child]) => [key, closed(child)]));
  return 'properties' in node && node.properties !== undefined ? { ...members, additionalProperties: false } : members;
}

describe('every route of /api/v1', () => {
  it.each([
    ['/tasks?count=true', schemas.TaskPageSchema],
    ['/tasks?limit=1', schemas.TaskPageSchema],
    ['/tasks/root', schemas.TaskDetailSchema],
    ['/tasks/root/timeline', schemas.TimelineSchema],
    ['/workflows/root', schemas.WorkflowSchema],
    ['/series?by=name&columns=count,rate,p95', schemas.SeriesSchema],
    ['/failures', schemas.FailuresSchema],
    ['/workers', schemas.WorkersSchema],
    ['/workers/w1%40h', schemas.WorkerSchema],
    ['/workers/w1%40h/events', schemas.WorkerEventsSchema],
    ['/names', schemas.NamesSchema],
    ['/queues', schemas.QueuesSchema],
    ['/states', schemas.StatesSchema],
    ['/gaps', schemas.GapsSchema],
    ['/status', schemas.StatusSchema],
  ])('%s answers what its schema says, and no more', async (path, schema) => {
    const { status, body, headers } = await get(path);
    expect(status).toBe(200);
    expect(faults(schema, body)).toEqual([]);
    expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' });
  });

  it('is compared with its schema by a check that sees faults', async () => {
    const { body } = await get('/status');
    expect(faults(schemas.StatusSchema, { ...body, extra: 1 })).not.toEqual([]);
    expect(faults(schemas.StatusSchema, { ...body, version: 1 })).not.toEqual([]);
  });
});

describe('workers', () => {
  it('tell what they answered when they were last asked, and nothing of it when they were not', async () => {
    const inspection = {
      stats: {
        pool: { implementation: 'celery.concurrency.prefork:TaskPool', processes: [1, 2] },
        prefetch_count: 8,
        uptime: 90,
        autoscaler: { min: 1, max: 4, qty: 2 },
        rusage: { maxrss: 2048, utime: 1.5, stime: 0.5 },
      },
      active_queues: [{ name: 'celery' }, { name: 'mail' }],
      timestampMs: NOW_MS - 5000,
    };
    const workers = [workerRecord({ hostname: 'w1@h' }), workerRecord({ hostname: 'w2@h' })];
    const control = memoryControl({ inspections: { 'w1@h': inspection } });
    const server = await buildServer({ ...testDeps({ workers }), control });
    const all = (await server.inject('/api/v1/workers')).json<{ workers: Record<string, unknown>[] }>();
    expect(faults(schemas.WorkersSchema, all)).toEqual([]);
    expect(all.workers[0]).toMatchObject({
      queues: ['celery', 'mail'],
      pool: 'prefork',
      concurrency: 2,
      autoscale: { min: 1, max: 4 },
      prefetch: 8,
      uptimeMs: 90_000,
      maxRssBytes: 2048 * 1024,
      cpuSeconds: 2,
      inspectedMs: NOW_MS - 5000,
    });
    expect(all.workers[1]).not.toHaveProperty('queues');
    expect(all.workers[1]).not.toHaveProperty('inspectedMs');
    expect((await server.inject('/api/v1/workers/w1%40h')).json()).toEqual(all.workers[0]);
  });
});

describe('a task', () => {
  it('has instants and durations in ms, to the microsecond, and null for no number', async () => {
    const { body } = await get('/tasks/root');
    expect(body).toMatchObject({
      receivedMs: 1_795_405_139_921.234,
      runtimeMs: 37.9,
      sentMs: null,
      children: ['child'],
    });
    expect((await get('/tasks/odd')).body).toMatchObject({ runtimeMs: null, oddities: { retries: 'two' } });
  });

  it('that is unknown is a 404, as its timeline, its workflow and a worker are', async () => {
    for (const [path, code] of [
      ['/tasks/nope', 'task-not-found'],
      ['/workers/nope/events', 'worker-not-found'],
      ['/tasks/nope/timeline', 'task-not-found'],
      ['/workflows/nope', 'workflow-not-found'],
      ['/workers/nope', 'worker-not-found'],
    ] as const) {
      expect(await get(path)).toMatchObject({ status: 404, body: { error: { code, message: expect.any(String) } } });
    }
  });

  it('is found by an id with a slash, and by one longer than Fastify’s usual limit', async () => {
    await get('/tasks/a%2Fb');
    expect(lastCall('findTask')).toEqual(['a/b']);
    await get(`/tasks/${'x'.repeat(300)}`);
    expect(lastCall('findTask')).toEqual(['x'.repeat(300)]);
  });
});

describe('a search', () => {
  it('takes every filter, as repeated parameters or with commas', async () => {
    const query =
      'ids=a,b&names=app.*&names=x&states=failure&workers=w1@h&queues=q&rootId=r&parentId=p&exceptionTypes=ValueError' +
      '&fingerprint=f&from=now-1h&to=2026-11-23T14:00:00%2B00:00&receivedFrom=1000&receivedTo=2000&runtimeMin=5m' +
      '&runtimeMax=600000&args=1&kwargs=2&result=3&exception=4&search=state:FAILURE&sort=runtime&order=asc&limit=7';
    expect((await get(`/tasks?${query}`)).status).toBe(200);
    expect(lastCall('searchTasks')).toEqual([
      {
        ids: ['a', 'b'],
        names: ['app.*', 'x'],
        states: ['FAILURE'],
        workers: ['w1@h'],
        queues: ['q'],
        rootId: 'r',
        parentId: 'p',
        exceptionTypes: ['ValueError'],
        fingerprint: 'f',
        fromMs: NOW_MS - HOUR_MS,
        toMs: NOW_MS,
        receivedOnly: true,
        receivedFrom: 1,
        receivedTo: 2,
        runtimeMin: 300,
        runtimeMax: 600,
        argsText: '1',
        kwargsText: '2',
        resultText: '3',
        exceptionText: '4',
        search: { kind: 'term', field: 'state', text: 'FAILURE' },
      },
      { key: 'runtime', descending: false },
      7,
      undefined,
    ]);
  });

  it('without parameters is the newest 100', async () => {
    await get('/tasks');
    expect(lastCall('searchTasks')).toEqual([{}, { key: 'timestamp', descending: true }, 100, undefined]);
  });

  it('goes from page to page', async () => {
    const first = await get('/tasks?limit=2');
    expect(first.body['tasks']).toHaveLength(2);
    const second = await get(`/tasks?limit=2&cursor=${String(first.body['nextCursor'])}`);
    expect(second.body).toMatchObject({ tasks: [{ taskId: 'odd' }], nextCursor: null });
  });
});

describe('analysis', () => {
  it('widens the range to whole steps and picks a step for at most 300 points', async () => {
    expect((await get('/series?from=now-90m&to=now&step=1h&by=name&by=queue')).status).toBe(200);
    expect(lastCall('series')).toEqual([
      {
        fromMs: NOW_MS - 2 * HOUR_MS,
        toMs: NOW_MS,
        stepMs: HOUR_MS,
        by: ['name', 'queue'],
        columns: ['count'],
        limit: 100,
      },
    ]);
    expect((await get('/series?from=now-24h')).body['stepMs']).toBe(300_000);
    expect((await get('/series')).body['stepMs']).toBe(60_000);
  });

  it('turns percentiles, and nothing else, into ms', async () => {
    const { body } = await get('/series?columns=count,p50,p99');
    expect(body['series']).toEqual([
      { labels: { name: 'app.a' }, points: [{ timeMs: 60_000, values: [3, 250, null] }] },
    ]);
  });

  it('looks at one day of failures unless told otherwise', async () => {
    await get('/failures');
    expect(lastCall('failures')).toEqual([{ fromMs: NOW_MS - 24 * HOUR_MS }, 50]);
    await get('/failures?from=1000&to=2000&names=a');
    expect(lastCall('failures')).toEqual([{ fromMs: 1000, toMs: 2000, names: ['a'] }, 50]);
  });
});

describe('the agent', () => {
  it('tells whether it is ready, and why not', async () => {
    expect((await app.inject('/health/live')).json()).toEqual({ status: 'ok' });
    expect((await app.inject('/health/ready')).statusCode).toBe(200);
    expect((await app.inject('/health')).body).toMatch(/^Connected to /);
    const other = testDeps();
    const server = await buildServer(other);
    const { broker, history } = other.status();
    other.setStatus({ broker: { ...broker, connected: false, problem: 'no route to broker' } });
    expect((await server.inject('/health')).statusCode).toBe(500);
    const got = await server.inject('/health/ready');
    expect([got.statusCode, got.json()]).toEqual([
      503,
      { status: 'not-ready', broker: false, history: true, problems: ['no route to broker'] },
    ]);
    other.setStatus({ broker, history: { ...history, enabled: false, connected: false } });
    expect((await server.inject('/health/ready')).statusCode).toBe(200);
  });

  it('has a page that escapes what it shows, and a docs page, both under the prefix', async () => {
    const other = testDeps();
    other.setStatus({ warnings: ['<script>alert(1)</script>'], demo: true });
    const server = await buildServer(other, { urlPrefix: 'umbel' });
    const page = await server.inject('/umbel/');
    expect(page.headers['content-type']).toMatch('text/html');
    expect(page.body).toMatch(/simulated cluster/);
    expect(page.body).not.toMatch('<script>');
    for (const path of ['/umbel/api/v1/docs/', '/umbel/api/v1/docs']) {
      const docs = await server.inject(path);
      expect([docs.statusCode, docs.headers['content-type']]).toEqual([200, expect.stringMatching('text/html')]);
      expect(docs.headers['content-security-policy']).not.toMatch('upgrade-insecure-requests');
      const scripts = [...docs.body.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] ?? '');
      expect(scripts.length).toBeGreaterThan(3);
      for (const script of scripts) {
        const { pathname } = new URL(script, `http://agent${path}`);
        expect([pathname, (await server.inject(pathname)).statusCode]).toEqual([pathname, 200]);
      }
    }
    const document = (await server.inject('/umbel/api/v1/openapi.json')).json<{ paths: object }>();
    expect(Object.keys(document.paths)).toContain('/umbel/api/v1/tasks');
    expect((await server.inject('/')).statusCode).toBe(404);
  });
});
