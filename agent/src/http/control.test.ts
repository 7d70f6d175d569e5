import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import type { TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { BrokerUnavailable, ControlRefused } from '../core/control/command.ts';
import { COMMANDS } from '../core/control/commands.ts';
import type { BulkProgress } from '../core/control/service.ts';
import { routeAccessOf } from './access/routes.ts';
import * as schemas from './contract/control-schemas.ts';
import { buildServer } from './server.ts';
import { memoryAudit, type MemoryAudit, memoryControl, type MemoryControl } from './testing/control.testkit.ts';
import { NOW_MS, testDeps, type TestDeps } from './testing/deps.testkit.ts';
import { everybodyIs } from './testing/identity.testkit.ts';
import { taskRecord } from './testing/memory-history.testkit.ts';

const BULK: BulkProgress = {
  ...{ id: 'b1', action: 'retry', state: 'running', dryRun: false, matched: 1, done: 0, failed: 0, startedMs: 5 },
  tasks: [{ taskId: 'id-1', name: null, state: 'FAILURE' }],
};

let control: MemoryControl;
let audit: MemoryAudit;
let deps: TestDeps;
let app: FastifyInstance;
beforeAll(async () => {
  control = memoryControl({
    inspections: { 'w1@h': { registered: ['app.add'], timestampMs: 1 } },
    online: ['w2@h'],
    answers: {
      pool_grow: {
        answers: [
          { worker: 'w1@h', ok: true, reply: { ok: 'pool will grow' } },
          { worker: 'w2@h', ok: false, error: 'AttributeError()' },
        ],
        silent: ['w3@h'],
        receivers: 3,
      },
      rate_limit: { answers: [], silent: ['w1@h'] },
      autoscale: {
        answers: [{ worker: 'w2@h', ok: false, error: "ValueError('Autoscale not enabled')" }],
        silent: [],
      },
    },
    results: { big: { taskId: 'big', state: 'SUCCESS', resultJson: '{"n": 1}' } },
    queues: [{ name: 'q', messages: 3, consumers: 1, management: { secret: 1 } }],
    bulks: [BULK],
    retry: (taskId) =>
      taskId === 'cut'
        ? { taskId, ok: false, reason: 'the arguments were cut' }
        : { taskId, ok: true, newTaskId: 'new-1', plan: PLAN },
  });
  audit = memoryAudit();
  deps = testDeps({ tasks: [taskRecord({ taskId: 'id-1' }), taskRecord({ taskId: 'cut' })], queues: ['seen'] });
  app = await buildServer({ ...deps, control, audit, identity: everybodyIs('admin') });
});
beforeEach(() => control.reset());

it('takes JSON as it is: null and 0 are not false, and nothing is done that was not asked for', async () => {
  for (const dryRun of [null, 0, '', 'false']) {
    const got = await ask('POST', '/tasks/bulk', { action: 'revoke', filter: { states: ['FAILURE'] }, dryRun });
    expect([got.status, got.body]).toMatchObject([400, { error: { field: 'dryRun' } }]);
  }
  expect((await ask('POST', '/tasks/id-1/revoke', 'null')).status).toBe(400);
});

const PLAN = {
  ...({ taskId: 'id-1', name: 'app.add', queue: 'celery', source: 'message' } as const),
  ...{ argsJson: '[1]', kwargsJson: '{}' },
};

async function ask(method: 'GET' | 'POST' | 'DELETE', path: string, body?: string | object) {
  const payload = typeof body === 'object' && !Buffer.isBuffer(body) ? JSON.stringify(body) : body;
  const headers = body === undefined ? {} : { 'content-type': 'application/json' };
  const got = await app.inject({
    method,
    url: `/api/v1${path}`,
    headers,
    ...(payload === undefined ? {} : { payload }),
  });
  return { status: got.statusCode, body: got.json<Record<string, unknown>>() };
}

function fits(schema: TSchema, value: unknown): void {
  const text = JSON.stringify(schema, (_key, part: unknown) => {
    if (typeof part !== 'object' || part === null || !('$ref' in part)) return part;
    const found = schemas.CONTROL_SCHEMAS.find((one) => `${(one as { $id?: string }).$id}#` === part.$ref);
    return { ...found, $id: undefined };
  });
  expect([...Value.Errors(JSON.parse(text) as TSchema, value)]).toEqual([]);
}

describe('commands', () => {
  it('are listed with what a form needs', async () => {
    const { body } = await ask('GET', '/commands');
    fits(schemas.CommandsSchema, body);
    const { commands } = body as {
      commands: { method: string; parameters: unknown[]; says: string }[];
    };
    expect(commands.map(({ method }) => method)).toEqual(COMMANDS.map(({ method }) => method));
    const grow = commands.find(({ method }) => method === 'pool_grow');
    expect(grow).toMatchObject({ role: 'admin', says: expect.stringContaining('add 1 to the pool') });
    expect(grow?.parameters).toMatchObject([{ name: 'n', required: false, schema: { type: 'integer', default: 1 } }]);
    expect(commands.every(({ says }) => !says.includes('undefined'))).toBe(true);
  });

  it('each have their routes, open to their role alone', () => {
    const routes = routeAccessOf(app).filter(({ url }) => /\/workers\/.*(actions|inspect)\//.test(url));
    for (const { method, role, kind } of COMMANDS) {
      const own = routes.filter(({ url }) => url.endsWith(`/${method}`));
      expect([method, own.map((route) => route.access)]).toEqual([method, [role, role]]);
      expect(own.every((route) => route.method === (kind === 'inspect' ? 'GET' : 'POST'))).toBe(true);
    }
    expect(routes).toHaveLength(COMMANDS.length * 2);
  });

  it('tell which worker did what, and who stayed silent', async () => {
    const { status, body } = await ask('POST', '/workers/w1@h/actions/pool_grow', {
      arguments: { n: 2 },
      timeoutMs: 500,
    });
    fits(schemas.CommandOutcomeSchema, body);
    expect(status).toBe(200);
    expect(body).toEqual({
      command: 'pool_grow',
      says: 'w1@h will add 2 to the pool, until the next restart.',
      sent: true,
      workers: ['w1@h'],
      answers: [
        { worker: 'w1@h', ok: true, reply: { ok: 'pool will grow' } },
        { worker: 'w2@h', ok: false, error: 'AttributeError()' },
      ],
      silent: ['w3@h'],
      receivers: 3,
    });
    const target = { kind: 'workers', workers: ['w1@h'] };
    expect(control.requests).toEqual([{ method: 'pool_grow', arguments: { n: 2 }, target }]);
    expect(audit.entries.at(-1)).toMatchObject({
      ...{ action: 'worker.pool_grow', target: 'w1@h', arguments: { n: 2 }, outcome: 'ok' },
      detail: 'w1@h: {"ok":"pool will grow"}; w2@h: error: AttributeError(); silent: w3@h',
    });
  });

  it('say what to do about a refusal, where that is known', async () => {
    const { body } = await ask('POST', '/workers/w2@h/actions/autoscale', { arguments: { min: 1, max: 2 } });
    fits(schemas.CommandOutcomeSchema, body);
    expect(body).toMatchObject({
      answers: [{ error: "ValueError('Autoscale not enabled')", hint: 'Start the worker with --autoscale=MAX,MIN.' }],
    });
  });

  it('take no body where nothing is needed, and are not waited for where nobody answers', async () => {
    expect((await ask('POST', '/workers/w1@h/actions/pool_grow')).status).toBe(200);
    expect((await ask('POST', '/workers/w1@h/actions/shutdown', '')).body).toMatchObject({ receivers: 1, silent: [] });
    expect(audit.entries.at(-1)).toMatchObject({ action: 'worker.shutdown', outcome: 'ok', detail: 'sent' });
  });

  it('fail in the audit when nobody did it', async () => {
    await ask('POST', '/workers/w1@h/actions/rate_limit', { arguments: { task_name: 'app.add', rate_limit: '1/s' } });
    expect(audit.entries.at(-1)).toMatchObject({
      action: 'task.rate_limit',
      outcome: 'failed',
      detail: 'silent: w1@h',
    });
  });

  it.each([
    [{ all: true }, { kind: 'all' }],
    [{ workers: ['a@h', 'b@h'] }, { kind: 'workers', workers: ['a@h', 'b@h'] }],
    [{ pattern: 'w*' }, { kind: 'pattern', pattern: 'w*', matcher: 'glob' }],
    [
      { pattern: 'w.', matcher: 'pcre' },
      { kind: 'pattern', pattern: 'w.', matcher: 'pcre' },
    ],
  ])('go to %j', async (target, expected) => {
    expect((await ask('POST', '/workers/actions/enable_events', { target })).status).toBe(200);
    expect(control.requests[0]?.target).toEqual(expected);
  });

  it.each([
    ['/workers/actions/shutdown', {}, 'target'],
    ['/workers/actions/shutdown', undefined, 'target'],
    ['/workers/actions/shutdown', { target: {} }, 'target'],
    ['/workers/actions/shutdown', { target: { workers: [] } }, 'target.workers'],
    ['/workers/actions/shutdown', { target: { all: true, pattern: 'x' } }, 'target'],
    ['/workers/actions/shutdown', { target: { all: false } }, 'target.all'],
    ['/workers/w1@h/actions/autoscale', { arguments: { min: 3, max: 1 } }, 'arguments.min'],
    ['/workers/w1@h/actions/add_consumer', { arguments: {} }, 'arguments.queue'],
    ['/workers/w1@h/actions/pool_grow', { arguments: { m: 1 } }, 'arguments.m'],
    ['/workers/w1@h/actions/pool_grow', { arguments: { n: 'x' } }, 'arguments.n'],
    ['/workers/w1@h/actions/pool_grow', { arguments: 1 }, 'arguments'],
    ['/workers/w1@h/actions/pool_grow', { timeoutMs: 20_001 }, 'timeoutMs'],
    ['/tasks/bulk', { action: 'revoke', filter: { state: 'x' } }, 'filter.state'],
    ['/workers/w1@h/actions/pool_grow', { n: 1 }, 'n'],
  ])('POST %s %j names what is wrong', async (path, body, field) => {
    const got = await ask('POST', path, body);
    expect([got.status, got.body['error']]).toEqual([400, expect.objectContaining({ field })]);
    expect(control.requests).toEqual([]);
  });

  it('say what would happen without doing it', async () => {
    const target = { all: true };
    const { body } = await ask('POST', '/workers/actions/pool_shrink', { target, dryRun: true });
    expect(body).toMatchObject({
      sent: false,
      workers: ['w1@h', 'w2@h'],
      says: expect.stringContaining('All workers'),
    });
    expect(control.requests).toEqual([]);
  });

  it('inspect one worker, or all of them', async () => {
    const one = await ask('GET', '/workers/w1@h/inspect/query_task?ids=a,b');
    expect(one.body).toMatchObject({ answers: [{ worker: 'w1@h', ok: true }], silent: [] });
    await ask('GET', '/workers/inspect/active?safe=true');
    expect(control.requests).toMatchObject([
      { method: 'query_task', arguments: { ids: ['a', 'b'] } },
      { method: 'active', arguments: { safe: true }, target: { kind: 'all' } },
    ]);
    for (const [query, field] of [
      ['query_task', 'ids'],
      ['query_task?ids=a,,b', 'ids'],
      ['stats?timeoutMs=20001', 'timeoutMs'],
    ]) {
      const refused = await ask('GET', `/workers/w1@h/inspect/${query}`);
      expect([query, refused.status, refused.body['error']]).toMatchObject([query, 400, { field }]);
    }
  });

  it('say so when the broker is away, there is no such worker, or no control at all', async () => {
    control.failWith(new BrokerUnavailable('gone'));
    const away = await ask('POST', '/workers/w1@h/actions/pool_grow');
    expect([away.status, away.body]).toEqual([503, { error: expect.objectContaining({ code: 'broker-unavailable' }) }]);
    expect(audit.entries.at(-1)).toMatchObject({ outcome: 'failed', detail: 'gone' });
    control.failWith(new ControlRefused('unknown-worker', 'no such worker', 'workers'));
    const unknown = await ask('GET', '/workers/x@h/inspect/stats');
    expect([unknown.status, unknown.body['error']]).toMatchObject([404, { code: 'unknown-worker', field: 'workers' }]);
    const off = await (
      await buildServer({ ...testDeps(), identity: everybodyIs('admin') })
    ).inject({
      ...{ method: 'POST', url: '/api/v1/tasks/x/revoke' },
    });
    expect([off.statusCode, off.json<unknown>()]).toMatchObject([503, { error: { code: 'control-off' } }]);
  });
});

describe('tasks', () => {
  it('are revoked and terminated at every worker', async () => {
    const { body } = await ask('POST', '/tasks/id-1/revoke');
    fits(schemas.CommandOutcomeSchema, body);
    await ask('POST', '/tasks/id-1/terminate', { signal: 'SIGKILL' });
    const args = { task_id: ['id-1'], terminate: false, signal: 'SIGTERM' };
    expect(control.requests).toEqual([
      { method: 'revoke', arguments: args, target: { kind: 'all' } },
      { method: 'revoke', arguments: { ...args, terminate: true, signal: 'SIGKILL' }, target: { kind: 'all' } },
    ]);
    expect((await ask('POST', '/tasks/id-1/terminate', { signal: 'SIGFOO' })).body).toMatchObject({
      error: { field: 'signal' },
    });
  });

  it.each([
    ['{"name": "app.add"', /must be JSON/],
    ['{"name": "app.add", "kwargs": {"a": {"__proto__": 1}}}', /must be JSON, with no member called `__proto__`/],
    [Buffer.from('{"name": "\xff"}', 'latin1'), /not UTF-8/],
  ])('are refused in a body like %s', async (body, message) => {
    const got = await ask('POST', '/tasks', body);
    expect([got.status, got.body]).toEqual([
      400,
      { error: { code: 'bad-request', message: expect.stringMatching(message) } },
    ]);
    expect(control.sent).toEqual([]);
  });

  it('are sent with arguments as they were written', async () => {
    const body =
      '{"name": "app.add", "args": [12345678901234567890, 1.0], "kwargs": {"a": 1e2}, "queue": "q", "priority": 5,' +
      '"countdown": "90s", "expires": "now+1h", "softTimeLimit": 3}';
    const got = await ask('POST', '/tasks', body);
    expect(got).toEqual({ status: 200, body: { taskId: 'new-1' } });
    expect(control.sent).toEqual([
      {
        ...{ name: 'app.add', argsJson: '[12345678901234567890, 1.0]', kwargsJson: '{"a": 1e2}' },
        options: {
          ...{ queue: 'q', priority: 5, etaMs: NOW_MS + 90_000, expiresMs: NOW_MS + 3_600_000, timeLimit: [null, 3] },
        },
      },
    ]);
    const unknown = await ask('POST', '/tasks', { name: 'app.no' });
    expect([unknown.status, unknown.body['error']]).toMatchObject([404, { code: 'unknown-task', field: 'name' }]);
    expect((await ask('POST', '/tasks', { name: 'app.no', allowUnknown: true })).status).toBe(200);
  });

  it.each([
    [{}, 'name'],
    [{ name: 'app.add', args: {} }, 'args'],
    [{ name: 'app.add', kwargs: [] }, 'kwargs'],
    [{ name: 'app.add', eta: 'x' }, 'eta'],
    [{ name: 'app.add', eta: 'now', countdown: '1s' }, 'countdown'],
    [{ name: 'app.add', priority: 256 }, 'priority'],
    [{ name: 'app.add', link: 1 }, 'link'],
  ])('POST /tasks %j names what is wrong', async (body, field) => {
    const got = await ask('POST', '/tasks', body);
    expect([got.status, got.body['error']]).toEqual([400, expect.objectContaining({ field })]);
    expect(control.sent).toEqual([]);
  });

  it('are retried, with their arguments or edited ones', async () => {
    const plan = await ask('GET', '/tasks/id-1/retry');
    fits(schemas.RetryPlanSchema, plan.body);
    const done = await ask('POST', '/tasks/id-1/retry', { args: [2] });
    fits(schemas.RetriedSchema, done.body);
    expect(done.body).toMatchObject({ taskId: 'id-1', newTaskId: 'new-1' });
    expect(audit.entries.at(-1)).toMatchObject({
      ...{ action: 'task.retry', target: 'id-1', arguments: { args: [2] }, detail: 'new-1, arguments from message' },
    });
    const cut = await ask('POST', '/tasks/cut/retry');
    expect([cut.status, cut.body['error']]).toEqual([
      409,
      { code: 'not-retryable', message: 'the arguments were cut' },
    ]);
    expect((await ask('POST', '/tasks/gone/retry')).status).toBe(404);
  });

  it('have results, and can be aborted', async () => {
    const big = await ask('GET', '/tasks/big/result?wait=1s');
    fits(schemas.TaskResultSchema, big.body);
    expect(big.body).toEqual({
      taskId: 'big',
      state: 'SUCCESS',
      ready: true,
      result: { n: 1 },
      resultJson: '{"n": 1}',
    });
    expect((await ask('GET', '/tasks/x/result')).body).toEqual({ taskId: 'x', state: 'PENDING', ready: false });
    expect((await ask('GET', '/tasks/x/result?wait=2m')).body).toMatchObject({ error: { field: 'wait' } });
    fits(schemas.AbortedSchema, (await ask('POST', '/tasks/x/abort')).body);
    expect(control.aborted).toEqual(['x']);
    control.failWith(new ControlRefused('no-backend', 'give --result-backend'));
    expect((await ask('GET', '/tasks/x/result')).status).toBe(409);
  });

  it('are hit in bulk only by a filter, and only when it is said so', async () => {
    const body = { action: 'retry', filter: { states: ['failure'], names: ['app.*'], from: 'now-1h' } };
    const started = await ask('POST', '/tasks/bulk', body);
    fits(schemas.BulkSchema, started.body);
    const filter = { states: ['FAILURE'], names: ['app.*'], fromMs: NOW_MS - 3_600_000 };
    expect(control.bulkRequests).toEqual([{ action: 'retry', filter, limit: 1000, dryRun: true }]);
    for (const wrong of [{ action: 'retry', filter: {} }, { action: 'retry' }, { ...body, filter: { state: 'x' } }]) {
      expect((await ask('POST', '/tasks/bulk', wrong)).status).toBe(400);
    }
    fits(schemas.BulksSchema, (await ask('GET', '/bulk')).body);
    expect((await ask('GET', '/bulk/b1')).body).toEqual(BULK);
    expect((await ask('DELETE', '/bulk/b1')).body).toMatchObject({ state: 'cancelled' });
    expect((await ask('GET', '/bulk/b2')).status).toBe(404);
    control.failWith(new ControlRefused('too-many', '2000 match', 'limit'));
    expect((await ask('POST', '/tasks/bulk', body)).status).toBe(422);
  });
});

describe('lists', () => {
  it('queues of the broker and of tasks, names alone while it is away', async () => {
    expect((await ask('GET', '/queues')).body).toEqual({
      queues: [{ name: 'q', messages: 3, consumers: 1 }, { name: 'seen' }],
    });
    control.failWith(new BrokerUnavailable('gone'));
    expect((await ask('GET', '/queues')).body).toEqual({
      queues: [{ name: 'seen' }],
      problem: expect.stringContaining('broker'),
    });
  });

  it('the audit, filtered and by pages', async () => {
    const first = await ask('GET', '/audit?limit=2&user=ada&actions=task.retry,task.send&outcomes=ok&from=now-1h');
    fits(schemas.AuditSchema, first.body);
    const filter = { fromMs: NOW_MS - 3_600_000, user: 'ada', actions: ['task.retry', 'task.send'], outcomes: ['ok'] };
    expect(audit.reads.at(-1)).toEqual({ filter, limit: 3 });
    await ask('GET', `/audit?cursor=${String(first.body['nextCursor'])}`);
    expect(audit.reads.at(-1)).toEqual({ filter: {}, limit: 101, beforeId: Number(first.body['nextCursor']) });
    expect((await ask('GET', '/audit?cursor=x')).body).toMatchObject({ error: { field: 'cursor' } });
    expect(routeAccessOf(app).find(({ url }) => url === '/api/v1/audit')?.access).toBe('admin');
  });

  it('who asks, and what they may do', async () => {
    const { body } = await ask('GET', '/me');
    fits(schemas.MeSchema, body);
    expect(body).toMatchObject({ name: 'the admin', role: 'admin', readOnly: false });
    const editor = await buildServer({ ...testDeps(), control, identity: everybodyIs('editor') });
    const { actions } = (await editor.inject('/api/v1/me')).json<{ actions: { action: string; allowed: boolean }[] }>();
    const allowed = new Map(actions.map((one) => [one.action, one.allowed]));
    expect([allowed.get('task.revoke'), allowed.get('worker.shutdown')]).toEqual([true, false]);
  });
});
