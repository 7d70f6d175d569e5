import { describe, expect, it } from '@jest/globals';
import { BrokerUnavailable, type CommandResult, ControlRefused } from '../../core/control/command.ts';
import type { HttpDeps } from '../ports.ts';
import { buildServer } from '../server.ts';
import { type MemoryCluster, memoryAudit, memoryControl } from '../testing/control.testkit.ts';
import { NOW_MS, testDeps } from '../testing/deps.testkit.ts';
import { everybodyIs } from '../testing/identity.testkit.ts';
import { workerRecord } from '../testing/memory-history.testkit.ts';

const W = 'w1@h';
const CLUSTER: MemoryCluster = {
  inspections: {
    [W]: {
      stats: { total: { 'app.add': 3 }, pid: 7, clock: '42', load: 0.5 },
      active_queues: [{ name: 'celery' }],
      registered: ['app.add'],
      timestampMs: 1_795_405_160_600,
    },
  },
  online: ['fresh@h'],
  queues: [
    { name: 'other', messages: 9 },
    { name: 'celery', messages: 3 },
  ],
  results: {
    done: { taskId: 'done', state: 'SUCCESS', resultJson: '{"n": 12345678901234567890, "é": 1.50, "f": 3.0}' },
    bad: { taskId: 'bad', state: 'FAILURE', resultRepr: "ValueError('no')", traceback: 'Traceback …' },
  },
};

let shared: ReturnType<typeof build> | undefined;

/** The usual one is built once: that takes longer than all it is asked. */
async function start(...given: Parameters<typeof build>) {
  if (given.length > 0) return build(...given);
  const kit = await (shared ??= build());
  kit.control.reset();
  return kit;
}

async function build(members: Partial<HttpDeps> = {}, cluster: MemoryCluster = CLUSTER) {
  const control = memoryControl(cluster);
  const audit = memoryAudit();
  const deps = testDeps({ workers: [workerRecord({ hostname: W })] });
  const app = await buildServer({ ...deps, control, audit, identity: everybodyIs('admin'), ...members });
  const post = async (url: string, payload?: string | object, type = 'application/x-www-form-urlencoded') => {
    const headers = payload === undefined ? {} : { 'content-type': type };
    const body = typeof payload === 'object' ? JSON.stringify(payload) : payload;
    const got = await app.inject({ method: 'POST', url, headers, ...(body === undefined ? {} : { body }) });
    return [got.statusCode, got.body, got.headers['content-type']] as const;
  };
  const get = async (url: string) => {
    const got = await app.inject(url);
    return [got.statusCode, got.body] as const;
  };
  return { app, control, audit, deps, post, get };
}

const JSON_TYPE = 'application/json; charset=UTF-8';
const TEXT_TYPE = 'text/plain; charset=UTF-8';
const HTML_TYPE = 'text/html; charset=UTF-8';

describe("Flower's actions on workers", () => {
  it.each([
    [`shutdown/${W}`, undefined, 'Shutting down!', 'shutdown', {}],
    ['shutdown/w1%40h', undefined, 'Shutting down!', 'shutdown', {}],
    [`shutdown/fresh@h`, undefined, 'Shutting down!', 'shutdown', {}],
    [`pool/restart/${W}`, undefined, `Restarting '${W}' worker's pool`, 'pool_restart', { reload: false }],
    [`pool/grow/${W}`, undefined, `Growing '${W}' worker's pool by 1`, 'pool_grow', { n: 1 }],
    [`pool/grow/${W}?n=2`, 'n=3', `Growing '${W}' worker's pool by 3`, 'pool_grow', { n: 3 }],
    [`pool/shrink/${W}?n=-2`, undefined, `Shrinking '${W}' worker's pool by -2`, 'pool_shrink', { n: -2 }],
    [`pool/autoscale/${W}`, 'min=1&max=3', `Autoscaling '${W}' worker (min=1, max=3)`, 'autoscale', { min: 1, max: 3 }],
    [`queue/add-consumer/${W}`, 'queue=a%26b', 'add_consumer done', 'add_consumer', { queue: 'a&b' }],
    [`queue/cancel-consumer/${W}?queue=q`, undefined, 'cancel_consumer done', 'cancel_consumer', { queue: 'q' }],
  ] as const)('POST /api/worker/%s', async (path, form, message, method, args) => {
    const { post, control } = await start();
    expect(await post(`/api/worker/${path}`, form)).toEqual([
      200,
      JSON.stringify({ message }).replace(':', ': '),
      JSON_TYPE,
    ]);
    const name = path.includes('fresh') ? 'fresh@h' : W;
    expect(control.requests).toEqual([{ method, arguments: args, target: { kind: 'workers', workers: [name] } }]);
  });

  it('take multipart forms too', async () => {
    const { post, control } = await start();
    const part = (name: string, value: string) =>
      `--X\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
    const form = `${part('min', '2')}${part('max', '5')}--X--\r\n`;
    await post(`/api/worker/pool/autoscale/${W}`, form, 'multipart/form-data; boundary=X');
    expect(control.requests[0]?.arguments).toEqual({ min: 2, max: 5 });
  });

  it.each([
    ['worker/shutdown/no@h', 404, "Unknown worker 'no@h'"],
    ['worker/pool/grow/no@h?n=x', 404, "Unknown worker 'no@h'"],
    [`worker/pool/grow/${W}?n=x`, 400, "Invalid argument 'x' of type 'int'"],
    [`worker/pool/grow/${W}?n=`, 400, "Invalid argument '' of type 'int'"],
    [`worker/pool/grow/${W}?n=%3Cb%3E`, 400, "Invalid argument '&lt;b&gt;' of type 'int'"],
    [`worker/pool/autoscale/${W}?min=1`, 400, 'Missing argument max'],
    [`worker/queue/add-consumer/${W}?queue=`, 400, 'Missing argument queue'],
    ['task/revoke/x?terminate=maybe', 400, "Invalid argument 'maybe' of type 'bool'"],
    ['task/rate-limit/app.add', 400, 'Missing argument workername'],
    [`task/rate-limit/app.no?workername=no@h`, 400, 'Missing argument ratelimit'],
    [`task/rate-limit/app.no?workername=no@h&ratelimit=1`, 404, "Unknown task 'app.no'"],
    [`task/rate-limit/app.add?workername=no@h&ratelimit=1`, 404, "Unknown worker 'no@h'"],
    [`task/timeout/app.add?workername=${W}&soft=x`, 400, "Invalid argument 'x' of type 'float'"],
  ])('POST /api/%s → %d %s', async (path, status, text) => {
    const { post, control } = await start();
    expect(await post(`/api/${path}`)).toEqual([status, text, TEXT_TYPE]);
    expect(control.requests).toEqual([]);
  });

  const refused = (error: string): CommandResult => ({ answers: [{ worker: W, ok: false, error }], silent: [] });
  it.each([
    [`worker/pool/grow/${W}`, 'pool_grow', `Failed to grow '${W}' worker's pool: `, ''],
    [`worker/pool/shrink/${W}`, 'pool_shrink', `Failed to shrink '${W}' worker's pool: `, ''],
    [`worker/pool/restart/${W}`, 'pool_restart', `Failed to restart the '${W}' pool: `, ''],
    [`worker/pool/autoscale/${W}?min=1&max=2`, 'autoscale', `Failed to autoscale '${W}' worker: `, ''],
    [
      `worker/queue/add-consumer/${W}?queue=%3Cq'`,
      'add_consumer',
      `Failed to add '&lt;q&#x27;' consumer to '${W}' worker: `,
      '',
    ],
    [
      `worker/queue/cancel-consumer/${W}?queue=q`,
      'cancel_consumer',
      `Failed to cancel 'q' consumer from '${W}' worker: `,
      '',
    ],
    [`task/rate-limit/app.add?workername=${W}&ratelimit=x`, 'rate_limit', "Failed to set rate limit: '", "'"],
    [`task/timeout/app.add?workername=${W}`, 'time_limit', "Failed to set timeouts: '", "'"],
  ])('POST /api/%s passes on what the worker says', async (path, method, before, after) => {
    const says = await start({}, { ...CLUSTER, answers: { [method]: refused("ValueError('<b>')") } });
    expect(await says.post(`/api/${path}`)).toEqual([403, `${before}ValueError('&lt;b&gt;')${after}`, HTML_TYPE]);
    const silent = await start({}, { ...CLUSTER, answers: { [method]: { answers: [], silent: [W] } } });
    expect(await silent.post(`/api/${path}`)).toEqual([403, `${before}Unknown reason${after}`, HTML_TYPE]);
    expect(silent.audit.entries).toMatchObject([{ outcome: 'failed', detail: `${W}: Unknown reason` }]);
  });

  it('set limits of a task, missing ones cleared', async () => {
    const { post, control } = await start();
    await post('/api/task/timeout/app.add', `workername=${W}&soft=1.5`);
    await post('/api/task/rate-limit/app.add', `workername=${W}&ratelimit=10%2Fm`);
    expect(control.requests.map((one) => one.arguments)).toEqual([
      { task_name: 'app.add', hard: null, soft: 1.5 },
      { task_name: 'app.add', rate_limit: '10/m' },
    ]);
  });
});

describe("Flower's tasks", () => {
  it('are none without an id or a name', async () => {
    const { post, control } = await start();
    for (const route of ['revoke/', 'send-task/', 'abort/']) expect((await post(`/api/task/${route}`))[0]).toBe(404);
    expect([control.requests, control.sent, control.aborted]).toEqual([[], [], []]);
  });

  it('revoke at every worker, whatever the id', async () => {
    const { post, control } = await start();
    expect((await post('/api/task/revoke/a/b?terminate=yes&signal=SIGKILL'))[1]).toBe('{"message": "Revoked \'a/b\'"}');
    const args = { task_id: 'a/b', terminate: true, signal: 'SIGKILL' };
    expect(control.requests).toEqual([{ method: 'revoke', arguments: args, target: { kind: 'all' } }]);
  });

  it('send arguments as they were written, and options as Celery takes them', async () => {
    const { post, control } = await start();
    const body =
      '{"args": [1.10, 12345678901234567890], "kwargs": {"a": "\\u00e9"}, "queue": "q", "countdown": "1.5", ' +
      '"expires": "2026-11-23 15:00:00.5", "priority": 3, "time_limit": 9, "task_id": "mine", "retry": false}';
    expect(await post('/api/task/async-apply/app.add', body, 'text/plain')).toEqual([
      200,
      '{"task-id": "mine", "state": "PENDING"}',
      JSON_TYPE,
    ]);
    expect(control.sent).toEqual([
      {
        name: 'app.add',
        argsJson: '[1.10, 12345678901234567890]',
        kwargsJson: '{"a": "\\u00e9"}',
        options: {
          ...{ queue: 'q', etaMs: NOW_MS + 1500, expiresMs: NOW_MS + 3_600_500, priority: 3, taskId: 'mine' },
          timeLimit: [9, null],
        },
      },
    ]);
  });

  it.each([
    ['{"exchange": "", "routing_key": "r"}', { queue: 'r' }],
    ['{"routing_key": "r", "queue": "q"}', { queue: 'q' }],
    ['{"queue": null, "exchange": null, "compression": null, "kwargs": null, "eta": null}', {}],
    ['{"queue": "", "task_id": "", "kwargs": [], "headers": [], "link": [], "eta": "", "countdown": ""}', {}],
    ['{"eta": "2026-11-24"}', { etaMs: Date.UTC(2026, 10, 24) }],
    ['\ufeff{"compression": "gzip", "delivery_mode": 1}', { compression: 'zlib', deliveryMode: 1 }],
    ['{"delivery_mode": "persistent", "confirm_timeout": 3}', { deliveryMode: 2 }],
    ['{"root_id": "r", "parent_id": "p"}', { headers: { root_id: 'r', parent_id: 'p' } }],
    ['{"root_id": "", "argsrepr": "(…)", "kwargsrepr": ""}', { argsrepr: '(…)', kwargsrepr: '' }],
    ['{"headers": {"shadow": "h", "x": 1}, "shadow": "o"}', { headers: { shadow: 'h', x: 1 } }],
    ['{"soft_time_limit": 2, "time_limit": 3}', { timeLimit: [3, 2] }],
    ['{"soft_time_limit": 2}', { timeLimit: [null, 2] }],
  ])('options %s', async (body, options) => {
    const { post, control } = await start();
    expect((await post('/api/task/send-task/app.add', body))[0]).toBe(200);
    expect(control.sent).toEqual([{ name: 'app.add', argsJson: '[]', kwargsJson: '{}', options }]);
  });

  it('apply answers with the result, or without where it is not there in time', async () => {
    const { post } = await start();
    expect((await post('/api/task/apply/app.add', { task_id: 'done', timeout: 1 }))[1]).toBe(
      '{"task-id": "done", "result": {"n": 12345678901234567890, "\\u00e9": 1.5, "f": 3.0}, "state": "SUCCESS"}',
    );
    expect((await post('/api/task/apply/app.add', { task_id: 'bad' }))[1]).toBe(
      '{"task-id": "bad", "result": "ValueError(\'no\')", "traceback": "Traceback \\u2026", "state": "FAILURE"}',
    );
    expect((await post('/api/task/apply/app.add', { task_id: 'x', timeout: '0.1' }))[1]).toBe(
      '{"task-id": "x", "state": "PENDING"}',
    );
  });

  it('send-task takes names that nobody knows, and ISO texts', async () => {
    const { post, control } = await start();
    expect((await post('/api/task/send-task/app.no', { eta: '2026-11-23T15:00:00+01:00' }))[0]).toBe(200);
    expect(control.sent[0]).toMatchObject({ name: 'app.no', argsJson: '[]', options: { etaMs: NOW_MS } });
  });

  it.each([
    ['{', 400, 'Expecting property name enclosed in double quotes: line 1 column 2 (char 1)'],
    ['[1]', 400, 'invalid options'],
    ['{"args": {}}', 400, 'args must be an array'],
    ['{"kwargs": [1]}', 400, 'kwargs must be an object'],
    ['{"timeout": "x"}', 400, 'Invalid timeout'],
    ['{"eta": "tomorrow"}', 400, 'Invalid option'],
    ['{"eta": "2026-02-30 10:00:00.0"}', 400, 'Invalid option'],
    ['{"countdown": "x"}', 400, 'Invalid option'],
    ['{"expires": "x"}', 400, 'Invalid option'],
    ['{"link": [1]}', 400, "Option 'link' is not supported: leave it out"],
    ['{"colour": 1}', 400, "Unknown option 'colour'"],
    [
      '{"exchange": "x", "routing_key": "q"}',
      400,
      "exchange must be '' or left out: name the queue by 'queue' or 'routing_key'",
    ],
    ['{"compression": "bzip2"}', 400, "compression must be 'gzip' or 'zlib', or left out"],
    ['{"delivery_mode": 3}', 400, 'delivery_mode must be 1 (transient) or 2 (persistent)'],
    ['{"queue": 5}', 400, 'queue must be a text'],
    ['{"expires": ""}', 400, 'Invalid option'],
    ['{"argsrepr": 1}', 400, 'argsrepr must be a text'],
  ])('apply of %s → %d %s', async (body, status, text) => {
    const { post, control } = await start();
    expect(await post('/api/task/apply/app.add', body)).toEqual([status, text, TEXT_TYPE]);
    expect(control.sent).toEqual([]);
  });

  it('look at the body before the name', async () => {
    const { post } = await start();
    expect((await post('/api/task/apply/app.no', '[]'))[1]).toBe('invalid options');
    expect((await post('/api/task/apply/app.no', '{"timeout": "x"}'))[1]).toBe("Unknown task 'app.no'");
  });

  it('results of the backend', async () => {
    const { get, post, control } = await start();
    expect(await get('/api/task/result/none?timeout=0')).toEqual([200, '{"task-id": "none", "state": "PENDING"}']);
    expect((await get('/api/task/result/bad?timeout=1'))[1]).toBe(
      '{"task-id": "bad", "state": "FAILURE", "result": "ValueError(\'no\')", "traceback": "Traceback \\u2026"}',
    );
    expect(await get('/api/task/result/x?timeout=abc')).toEqual([400, "Invalid argument 'abc' of type 'float'"]);
    expect((await post('/api/task/abort/a'))[1]).toBe('{"message": "Aborted \'a\'"}');
    expect(control.aborted).toEqual(['a']);
  });

  it('say so without a backend, or while the broker is away', async () => {
    const { get, post, control } = await start();
    control.failWith(new ControlRefused('no-backend', 'give a result backend'));
    expect(await get('/api/task/result/x')).toEqual([503, '']);
    expect(await post('/api/task/abort/x')).toEqual([503, '', HTML_TYPE]);
    expect((await post('/api/task/apply/app.add'))[0]).toBe(503);
    expect(control.sent).toEqual([]);
    control.failWith(new BrokerUnavailable('gone'));
    expect(await post('/api/task/revoke/x')).toEqual([503, 'Broker or result backend unavailable', TEXT_TYPE]);
    expect((await get('/api/queues/length'))[0]).toBe(503);
  });
});

describe("Flower's reads that ask the cluster", () => {
  it('workers as they answered', async () => {
    const { get, control } = await start();
    const one =
      '{"w1@h": {"stats": {"total": {"app.add": 3}, "pid": 7, "clock": "42", "load": 0.5}, ' +
      '"active_queues": [{"name": "celery"}], "registered": ["app.add"], "timestamp": 1795405160.6}}';
    expect(await get('/api/workers')).toEqual([200, one]);
    expect(await get('/api/workers?workername=w1@h&refresh=1')).toEqual([200, one]);
    expect(control.refreshed).toEqual([W]);
    expect(await get('/api/workers?workername=fresh@h')).toEqual([404, "Unknown worker 'fresh@h'"]);
    expect(await get('/api/workers?status=1')).toEqual([200, '{"w1@h": true}']);
    control.failWith(new ControlRefused('unknown-worker', 'no worker nope is known', 'target'));
    expect(await get('/api/workers?workername=nope&refresh=1')).toEqual([404, "Unknown worker 'nope'"]);
    control.failWith(new Error('boom'));
    expect(await get('/api/workers?refresh=1')).toEqual([503, 'Failed to update workers: boom']);
  });

  it('queues that are consumed', async () => {
    const { get } = await start();
    expect((await get('/api/queues/length'))[1]).toBe('{"active_queues": [{"name": "celery", "messages": 3}]}');
    const rabbit = { name: 'q', management: { name: 'q', messages_ready: 2, consumers: 1 } };
    const other = await start({}, { queues: [rabbit] });
    expect((await other.get('/api/queues/length'))[1]).toBe(
      '{"active_queues": [{"name": "q", "messages_ready": 2, "consumers": 1}]}',
    );
  });

  it('stand below /flower too, with the statistics of a worker', async () => {
    const { get, post } = await start();
    expect(await get(`/flower/api/worker/stats/${W}`)).toEqual([
      200,
      '{"total": {"app.add": 3}, "pid": 7, "clock": "42", "load": 0.5}',
    ]);
    expect((await post(`/flower/api/worker/pool/grow/${W}`))[0]).toBe(200);
    expect((await post('/flower/api/task/revoke/x'))[0]).toBe(200);
    expect((await get('/flower/healthcheck'))[1]).toBe('OK');
    expect(await get(`/flower/api/worker/shutdown/${W}`)).toEqual([405, '']);
  });
});

describe('the audit of writes', () => {
  it('holds who, from where, what, with which arguments masked, and what came of it', async () => {
    const maskArguments = (given: object) => ({ ...given, args: '***' });
    const { post, audit } = await start({ maskArguments, identity: everybodyIs('editor', { name: 'ada' }) });
    await post('/api/task/send-task/app.add', { args: ['secret'], queue: 'q' });
    await post('/api/task/apply/app.no');
    expect(audit.entries).toEqual([
      {
        ...{
          atMs: NOW_MS,
          address: '127.0.0.1',
          action: 'task.send',
          target: 'app.add',
          outcome: 'ok',
          detail: 'new-1',
        },
        principal: { name: 'ada', role: 'editor', via: 'token', verified: true },
        arguments: { args: '***', kwargs: {}, queue: 'q' },
      },
      expect.objectContaining({
        action: 'task.apply',
        target: 'app.no',
        outcome: 'failed',
        detail: "Unknown task 'app.no'",
      }),
    ]);
  });

  it('holds no reads and no refused request, which the gate tells', async () => {
    const refused: unknown[] = [];
    const identity = everybodyIs('editor');
    const { post, get, audit } = await start({ identity, onRefused: (entry) => refused.push(entry) });
    await get('/api/workers');
    expect((await post(`/api/worker/shutdown/${W}`))[0]).toBe(403);
    expect(audit.entries).toEqual([]);
    expect(refused).toHaveLength(1);
  });

  it('is not needed: Flower says that it only reads', async () => {
    const control = memoryControl(CLUSTER);
    const app = await buildServer({ ...testDeps(), control, identity: everybodyIs('admin') }, { readOnly: true });
    const got = await app.inject({ method: 'POST', url: '/api/task/apply/app.no', body: '{' });
    expect([got.statusCode, got.body]).toEqual([403, 'Read only mode is enabled']);
  });
});
