import { describe, expect, it } from '@jest/globals';
import { ControlRefused } from '../core/control/command.ts';
import type { BulkProgress, ControlService } from '../core/control/service.ts';
import type { TaskFilter } from '../core/query/filter.ts';
import type { HistoryReader } from '../core/query/reader.ts';
import type { TaskRecord } from '../core/query/records.ts';
import type { ResultBackend, StoredResult } from '../results/port.ts';
import { FakeBroker, NO_LOGGER, settled, StillClock, taskRecord, worker } from './control.testkit.ts';
import type { Closable } from '../lib/closer-stack.ts';
import { openControl } from './open.ts';

const extended = {
  name: 'app.add',
  argsJson: '[1.0, 12345678901234567890]',
  kwargsJson: '{}',
  worker: null,
  retries: 0,
};

function stored(more: Partial<StoredResult>): StoredResult {
  const nothing = { resultJson: null, resultRepr: null, traceback: null, dateDoneMs: null };
  return { taskId: 't-1', status: 'SUCCESS', ...nothing, ...more };
}

function setUp(
  tasks: readonly TaskRecord[] = [],
  results?: Record<string, StoredResult>,
  latest: readonly TaskRecord[] = [],
) {
  const [clock, broker] = [new StillClock(), new FakeBroker()];
  const filters: TaskFilter[] = [];
  const history = {
    findTask: (id: string) => Promise.resolve(tasks.find(({ taskId }) => taskId === id)),
    searchTasks: () => Promise.resolve({ tasks: latest }),
    async *exportTasks(filter: TaskFilter, _sort: unknown, limit: number) {
      await Promise.resolve();
      filters.push(filter);
      yield* tasks.filter(({ state }) => filter.states?.includes(state) === true).slice(0, limit);
    },
  } as unknown as HistoryReader;
  const states: string[] = [];
  const backend = {
    get: (id: string) => Promise.resolve(results?.[id]),
    storeState: (id: string, state: string) => Promise.resolve(void states.push(`${id} ${state}`)),
  } as unknown as ResultBackend;
  const control = openControl({
    transport: broker,
    workers: () => [worker('a@h')],
    history,
    backend: results === undefined ? undefined : backend,
    clock,
    logger: NO_LOGGER,
    options: { enableEvents: false },
  });
  return { clock, broker, control, filters, states };
}

async function reasonOf(plan: Promise<unknown>): Promise<string> {
  const error: unknown = await plan.then(
    () => new Error('it was planned'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof ControlRefused)) throw error;
  return `${error.code}: ${error.message}`;
}

/** As the workers of these tests tell of themselves. */
async function inspect(control: ControlService & Closable, broker: FakeBroker): Promise<void> {
  broker.reply = ({ method }) => {
    if (method === 'registered') return [{ worker: 'a@h', ok: true, reply: ['app.add', 'app.mail [rate_limit=1/s]'] }];
    return method === 'active_queues'
      ? [{ worker: 'a@h', ok: true, reply: [{ name: 'celery' }, { name: 'mail' }] }]
      : [];
  };
  const refreshed = control.inspector.refresh();
  await settled();
  await control.close();
  await refreshed;
}

describe('a retry', () => {
  it('takes the arguments of the result backend, digit by digit', async () => {
    const { control, broker } = setUp([], { 't-1': stored({ extended: { ...extended, queue: 'mail' } }) });
    const outcome = await control.retry(taskRecord({ queue: 'mail', args: '(9,)', kwargs: '{}' }));
    expect(outcome).toMatchObject({ ok: true, plan: { source: 'result-backend', queue: 'mail' } });
    const [sent] = broker.tasks.published;
    expect(sent?.queue).toBe('mail');
    expect(sent?.message.body.toString()).toMatch(/^\[\[1\.0, 12345678901234567890\], \{\}, \{"callbacks": null/);
    expect(sent?.message.id).not.toBe('t-1');
    expect(sent?.message.headers).toMatchObject({
      root_id: sent?.message.id,
      parent_id: null,
      group: null,
      retries: 0,
    });
  });

  it('takes those of the events where they are whole', async () => {
    const { control } = setUp();
    expect(await control.planRetry(taskRecord({ args: '(1, 2.0)', kwargs: "{'x': None}" }))).toMatchObject({
      source: 'events',
      argsJson: '[1, 2.0]',
      kwargsJson: '{"x": null}',
      queue: 'celery',
    });
  });

  it('of a revoked task takes those of the message that still waits, under its real name', async () => {
    const { control, broker } = setUp();
    const body = Buffer.from('[[1.0], {"k": 1e2}, {"chain": null}]').toString('base64');
    const headers = { task: 'app.real', id: 't-1' };
    const envelope = { body, 'content-type': 'application/json', headers, properties: { body_encoding: 'base64' } };
    broker.tasks.waiting = { receivedMs: 0, routingKey: 'q', payload: Buffer.from(JSON.stringify(envelope)) };
    const plan = await control.planRetry(taskRecord({ state: 'REVOKED', queue: 'q', name: 'shadow' }));
    expect(plan).toMatchObject({ source: 'message', name: 'app.real', argsJson: '[1.0]', kwargsJson: '{"k": 1e2}' });
  });

  it('of a revoked task that a worker holds asks that one, but takes no numbers from it', async () => {
    const { control, broker } = setUp();
    const task = taskRecord({ state: 'REVOKED', worker: 'a@h', args: "('...',)", kwargs: '{}' });
    const request = { args: ['real'], kwargs: { to: null }, type: 'app.real' };
    broker.reply = () => [{ worker: 'a@h', ok: true, reply: { 't-1': ['reserved', request] } }];
    expect(await control.planRetry(task)).toMatchObject({ source: 'inspect', name: 'app.real', argsJson: '["real"]' });
    broker.reply = () => [{ worker: 'a@h', ok: true, reply: { 't-1': ['reserved', { ...request, args: [1] }] } }];
    expect(await reasonOf(control.planRetry(task))).toMatch(/are cut/);
  });

  it('is refused with every reason, and the way out', async () => {
    const { control } = setUp([], { 't-1': stored({}) });
    const task = taskRecord({ args: "('xxx...',)", kwargs: '{}' });
    expect(await reasonOf(control.planRetry(task))).toBe(
      'not-retryable: The arguments of this task are not known in full: the result backend holds no arguments ' +
        '(set result_extended = True in the Celery app); the events\' args are cut ("..."). ' +
        'Type args and kwargs by hand to send it again.',
    );
    expect(await control.planRetry(task, { argsJson: '["typed"]', kwargsJson: '{}' })).toMatchObject({
      source: 'edited',
    });
    expect(await reasonOf(control.planRetry(task, { argsJson: '["********"]', kwargsJson: '{}' }))).toMatch(/masked/);
  });

  it.each(['PENDING', 'RECEIVED', 'STARTED', 'RETRY', 'PROGRESS'])('of a task in %s is refused', async (state) => {
    const { control, broker } = setUp();
    expect(await control.retry(taskRecord({ state, args: '()', kwargs: '{}' }))).toMatchObject({ ok: false });
    expect(broker.tasks.published).toEqual([]);
  });

  it('under a name that nobody has registered is refused', async () => {
    const { control, broker } = setUp();
    await inspect(control, broker);
    const told = { args: '()', kwargs: '{}' };
    expect(await reasonOf(control.planRetry(taskRecord({ ...told, name: 'app.ad' })))).toMatch(
      /No worker has registered a task 'app\.ad': .*did you mean app\.add\?/,
    );
    expect(await control.planRetry(taskRecord({ ...told, name: 'app.mail' }))).toMatchObject({ name: 'app.mail' });
    expect(await control.retry(taskRecord({ ...told, queue: 'meil' }))).toMatchObject({
      ok: false,
      reason: "No worker consumes the queue 'meil', and the broker does not know it; did you mean mail?",
    });
  });
});

/** Nothing but the worker tells of the queue, as with Celery's defaults. */
describe('the queue of a retry that no event told', () => {
  const queues = { 'a@h': ['celery'], 'b@h': ['special'], 'c@h': ['celery', 'mail'] };
  const told = { args: '()', kwargs: '{}' };

  async function cluster(...given: Parameters<typeof setUp>): Promise<ReturnType<typeof setUp>> {
    const all = setUp(...given);
    all.broker.reply = ({ method }) =>
      Object.entries(queues).map(([name, consumed]) => ({
        worker: name,
        ok: true,
        reply: method === 'active_queues' ? consumed.map((queue) => ({ name: queue })) : ['app.add'],
      }));
    const refreshed = all.control.inspector.refresh();
    await settled();
    await all.control.close();
    await refreshed;
    return all;
  }

  it('is the only one of its worker', async () => {
    const { control, broker } = await cluster();
    expect(await control.retry(taskRecord({ ...told, worker: 'b@h' }))).toMatchObject({ ok: true });
    expect(broker.tasks.published.map(({ queue }) => queue)).toEqual(['special']);
  });

  it('is the one that the result backend tells, or a routing key that is a queue', async () => {
    const { control } = await cluster([], { 't-1': stored({ extended: { ...extended, queue: 'mail' } }) });
    expect(await control.planRetry(taskRecord({ worker: 'c@h' }))).toMatchObject({ queue: 'mail' });
    const { control: bare } = await cluster();
    const keyed = taskRecord({ ...told, worker: 'c@h', routingKey: 'mail' });
    expect(await bare.planRetry(keyed)).toMatchObject({ queue: 'mail' });
  });

  it('of several is the one where the name went last, if its worker consumes that', async () => {
    const latest = [taskRecord({ taskId: 'x', queue: 'special' }), taskRecord({ taskId: 'y', queue: 'mail' })];
    const { control } = await cluster([], undefined, latest);
    expect(await control.planRetry(taskRecord({ ...told, worker: 'c@h' }))).toMatchObject({ queue: 'mail' });
  });

  it('of several is not guessed, but asked for', async () => {
    const task = taskRecord({ ...told, worker: 'c@h' });
    const { control, broker } = await cluster([task]);
    for (const worker of ['c@h', 'gone@h', null]) {
      const outcome = await control.retry({ ...task, worker });
      expect(outcome).toMatchObject({ ok: false, reason: expect.stringMatching(/^queue: .* give one/) as unknown });
    }
    expect(await control.planRetry(task)).toMatchObject({ queue: null });
    for (const dryRun of [true, false]) {
      const { id } = await control.startBulk({ action: 'retry', filter: {}, limit: 5, dryRun });
      for (let i = 0; i < 100 && control.bulk(id)?.endedMs === undefined; i++) await settled();
      expect(control.bulk(id)).toMatchObject({ done: 0, failed: 1 });
      expect(control.bulk(id)?.tasks[0]?.outcome).toMatch(/^queue: /);
    }
    expect(broker.tasks.published).toEqual([]);
    expect(await control.retry(task, undefined, { queue: 'mail' })).toMatchObject({
      ok: true,
      plan: { queue: 'mail' },
    });
    expect(broker.tasks.published.map(({ queue }) => queue)).toEqual(['mail']);
  });
});

describe('a bulk action', () => {
  const tasks = Array.from({ length: 30 }, (_, i) =>
    taskRecord({
      taskId: `t-${i}`,
      state: i % 3 === 0 ? 'STARTED' : 'FAILURE',
      args: i === 1 ? '(...)' : `(${i},)`,
      kwargs: '{}',
    }),
  );
  const request = { filter: {}, limit: 20, dryRun: false } as const;
  const over = async (control: ControlService, { id }: BulkProgress): Promise<BulkProgress | undefined> => {
    for (let i = 0; i < 100 && control.bulk(id)?.endedMs === undefined; i++) await settled();
    return control.bulk(id);
  };

  it('of retries sends finished tasks only, and tells of those that it cannot', async () => {
    const { control, broker, filters } = setUp(tasks);
    const bulk = await over(control, await control.startBulk({ ...request, action: 'retry' }));
    expect(filters[0]?.states).toEqual(['SUCCESS', 'FAILURE', 'REVOKED', 'REJECTED']);
    expect(bulk).toMatchObject({ state: 'done', matched: 20, done: 19, failed: 1 });
    expect(broker.tasks.published).toHaveLength(19);
    expect(bulk?.tasks.find(({ taskId }) => taskId === 't-1')?.outcome).toMatch(/are cut/);
    expect(bulk?.tasks.find(({ taskId }) => taskId === 't-2')?.outcome).toMatch(/^sent as /);
  });

  it('as a dry run sends nothing and tells where the arguments would come from', async () => {
    const { control, broker } = setUp(tasks);
    const bulk = await over(control, await control.startBulk({ ...request, action: 'retry', dryRun: true }));
    expect(bulk).toMatchObject({ state: 'done', dryRun: true, matched: 20, done: 19, failed: 1 });
    expect(bulk?.tasks[1]?.outcome).toBe('arguments from the events');
    await over(control, await control.startBulk({ ...request, action: 'revoke', dryRun: true }));
    expect([...broker.tasks.published, ...broker.sent]).toEqual([]);
  });

  it('of revokes tells every worker once, of tasks that are not finished only', async () => {
    const { control, broker, filters } = setUp(tasks);
    broker.reply = () => [{ worker: 'a@h', ok: true, reply: { ok: 'terminate: t-3' } }];
    const asked = { ...request, action: 'revoke', terminate: true, signal: 'SIGKILL' } as const;
    const bulk = await over(control, await control.startBulk(asked));
    expect(filters[0]?.states).toEqual(['PENDING', 'RECEIVED', 'STARTED', 'RETRY']);
    const ids = tasks.filter(({ state }) => state === 'STARTED').map(({ taskId }) => taskId);
    expect(broker.sent).toEqual([
      { method: 'revoke', arguments: { task_id: ids, terminate: true, signal: 'SIGKILL' }, target: { kind: 'all' } },
    ]);
    expect(bulk).toMatchObject({ state: 'done', matched: 10, done: 10 });
    expect(bulk?.tasks.slice(0, 2).map(({ outcome }) => outcome)).toEqual(['revoked', 'terminated']);
  });

  it('over the limit is refused before anything is done', async () => {
    const { control, broker } = setUp(tasks);
    await expect(control.startBulk({ ...request, action: 'retry', limit: 19 })).rejects.toMatchObject({
      code: 'too-many',
      message: 'More than 19 tasks match; narrow the filter, or raise the limit (at most 10000).',
    });
    await expect(control.startBulk({ ...request, action: 'retry', limit: 10_001 })).rejects.toThrow(/limit/);
    expect(broker.tasks.published).toEqual([]);
  });

  it('can be cancelled, and is forgotten an hour after its end', async () => {
    const { clock, control, broker } = setUp(tasks);
    const begun = await control.startBulk({ ...request, action: 'retry' });
    expect(control.cancelBulk(begun.id)?.state).toBe('cancelled');
    const bulk = await over(control, begun);
    expect(bulk?.state).toBe('cancelled');
    expect(broker.tasks.published.length).toBeLessThan(20);
    await clock.pass(3_600_001);
    expect(control.bulks()).toEqual([]);
    expect(control.bulk('nonsense')).toBeUndefined();
  });
});

describe('results', () => {
  it('are told with exceptions as their repr', async () => {
    const failure =
      '{"exc_type": "ValueError", "exc_message": ["boom", 1.0, 12345678901234567890], "exc_module": "builtins"}';
    const { control } = setUp([], {
      ok: stored({ taskId: 'ok', resultJson: '1.0' }),
      bad: stored({ taskId: 'bad', status: 'FAILURE', resultJson: failure, traceback: 'Traceback' }),
    });
    expect(await control.result('ok')).toEqual({ taskId: 'ok', state: 'SUCCESS', resultJson: '1.0' });
    expect(await control.result('bad')).toEqual({
      taskId: 'bad',
      state: 'FAILURE',
      resultRepr: "ValueError('boom', 1.0, 12345678901234567890)",
      traceback: 'Traceback',
    });
    expect(await control.result('other')).toEqual({ taskId: 'other', state: 'PENDING' });
  });

  it('are waited for until they are there, or the time is over', async () => {
    const results: Record<string, StoredResult> = {};
    const { clock, control } = setUp([], results);
    const states: string[] = [];
    const wait = (ms: number): void => void control.waitForResult('t-1', ms).then(({ state }) => states.push(state));
    wait(1000);
    await clock.pass(999);
    expect(states).toEqual([]);
    await clock.pass(1);
    expect(states).toEqual(['PENDING']);
    wait(60_000);
    await clock.pass(5000);
    results['t-1'] = stored({ resultJson: '1' });
    await clock.pass(1000);
    expect(states).toEqual(['PENDING', 'SUCCESS']);
  });

  it('need a backend; ABORTED is written to it', async () => {
    await expect(setUp().control.result('t-1')).rejects.toMatchObject({ code: 'no-backend' });
    const { control, states } = setUp([], {});
    await control.abort('t-1');
    expect(states).toEqual(['t-1 ABORTED']);
  });
});

describe('a new task', () => {
  const task = { name: 'app.add', argsJson: '[1, 2]', kwargsJson: '{}', options: {} };

  it('goes to the default queue, with the id that was asked for', async () => {
    const { control, broker } = setUp();
    expect(await control.send({ ...task, options: { taskId: 'mine' } })).toBe('mine');
    expect(broker.tasks.published.map(({ queue }) => queue)).toEqual(['celery']);
  });

  it("goes where its name went last, but by Flower's rule to the default queue", async () => {
    const { control, broker } = setUp([], undefined, [taskRecord({ queue: 'mail' })]);
    await inspect(control, broker);
    const task = { name: 'app.add', argsJson: '[]', kwargsJson: '{}', options: {} };
    await control.send(task);
    await control.send(task, 'default-queue');
    expect(broker.tasks.published.map(({ queue }) => queue)).toEqual(['mail', 'celery']);
  });

  it('is told of as a publisher of Celery does, and sent even where that fails', async () => {
    const { control, broker } = setUp();
    broker.tasks.announceFailure = new Error('away');
    const task = { name: 'app.add', argsJson: '[1.0]', kwargsJson: '{"k": null}', options: { taskId: 'my-id' } };
    expect(await control.send(task)).toBe('my-id');
    expect(broker.tasks.announced).toEqual([
      {
        ...{ type: 'task-sent', uuid: 'my-id', name: 'app.add', args: '(1.0,)', kwargs: "{'k': None}" },
        ...{ retries: 0, eta: null, expires: null, root_id: 'my-id', parent_id: null },
        ...{ queue: 'celery', exchange: '', routing_key: 'celery' },
        ...{ hostname: 'umbel', pid: process.pid, clock: 1, utcoffset: 0, timestamp: 1000 },
      },
    ]);
  });

  it('is refused for a queue that nobody knows, unless nothing is known, or something lies in it', async () => {
    const { control, broker } = setUp();
    await control.send({ ...task, options: { queue: 'any' } });
    broker.tasks.known = ['celery', 'mail'];
    await expect(control.send({ ...task, options: { queue: 'mial' } })).rejects.toMatchObject({
      code: 'unknown-queue',
    });
    broker.tasks.depth = { mial: 1 };
    await control.send({ ...task, options: { queue: 'mial' } });
    expect(broker.tasks.published.map(({ queue }) => queue)).toEqual(['any', 'mial']);
  });

  it.each([
    [{ name: '' }, 'name'],
    [{ name: 'a\nb' }, 'name'],
    [{ argsJson: '{}' }, 'args'],
    [{ kwargsJson: '[' }, 'kwargs'],
    [{ options: { priority: 256 } }, 'priority'],
    [{ options: { queue: '' } }, 'queue'],
    [{ options: { taskId: '' } }, 'taskId'],
  ])('%j: refused', async (more, field) => {
    const { control, broker } = setUp();
    await expect(control.send({ ...task, ...more })).rejects.toMatchObject({ code: 'bad-argument', field });
    expect(broker.tasks.published).toEqual([]);
  });
});
