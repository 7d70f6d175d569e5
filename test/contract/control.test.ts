import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { taskRecord } from '../../agent/src/control/control.testkit.ts';
import { openControl } from '../../agent/src/control/open.ts';
import type { CommandResult, Target } from '../../agent/src/core/control/command.ts';
import { checkArguments, COMMANDS, commandOf } from '../../agent/src/core/control/commands.ts';
import { hintFor } from '../../agent/src/core/control/hints.ts';
import type { ControlService } from '../../agent/src/core/control/service.ts';
import { decodeMessage } from '../../agent/src/core/events/decode.ts';
import { ClusterState } from '../../agent/src/core/state/cluster.ts';
import type { Closable } from '../../agent/src/lib/closer-stack.ts';
import { systemClock } from '../../agent/src/lib/clock.ts';
import type { Logger } from '../../agent/src/lib/logger.ts';
import { openTransport } from '../../agent/src/transport/index.ts';
import { parseBrokerUrls } from '../../agent/src/transport/url.ts';
import type { CeleryWorker } from '../support/celery.ts';
import { startCelery } from '../support/celery.ts';
import { startRedis } from '../support/redis.ts';
import { waitFor } from '../support/wait.ts';

const silent = (): void => undefined;
const logger: Logger = { debug: silent, info: silent, warn: silent, error: silent };
const POOLS = ['prefork', 'solo', 'threads'] as const;
type Pool = (typeof POOLS)[number];

let brokerUrl: string;
let workers: Record<Pool, CeleryWorker>;
let control: ControlService & Closable;
const cluster = new ClusterState({ openTasks: 1000, finishedTasks: 1000, workers: 100, recentEvents: 10_000 });
const open: Closable[] = [];

beforeAll(async () => {
  const redis = await startRedis();
  brokerUrl = `${redis.url}/0`;
  const transport = openTransport(parseBrokerUrls(brokerUrl), { clock: systemClock, logger });
  open.push(transport);
  transport.consumeEvents({
    onMessage: (message) => {
      for (const event of decodeMessage(message).events) cluster.apply(event, systemClock.now());
    },
    onGap: silent,
  });
  control = openControl({
    transport,
    workers: () => cluster.workers(),
    clock: systemClock,
    logger,
    options: { queues: ['parked'] },
  });
  open.push(control);
  // Without -E: the agent switches their events on.
  const started = await Promise.all(
    POOLS.map((pool) =>
      startCelery({ brokerUrl, name: pool, pool, queues: ['celery', pool], concurrency: 2, events: false }),
    ),
  );
  const [prefork, solo, threads] = started;
  if (prefork === undefined || solo === undefined || threads === undefined) throw new Error('not all were started');
  workers = { prefork, solo, threads };
  await waitFor(() => POOLS.every((pool) => known(pool)?.conf !== undefined), 20_000, 'every worker being inspected');
}, 120_000);

afterAll(async () => {
  for (const resource of open.reverse()) await resource.close();
});

const node = (pool: Pool): string => workers[pool].nodeName;
const at = (pool: Pool): Target => ({ kind: 'workers', workers: [node(pool)] });
const known = (pool: Pool) => control.inspector.known().get(node(pool));

/** Checked as a route would, and sent to one worker. */
async function send(pool: Pool, method: string, args: Record<string, unknown> = {}): Promise<CommandResult> {
  const checked = checkArguments(commandOf(method), args);
  return control.call({ method, arguments: checked, target: at(pool) }, { timeoutMs: 5000 });
}

/** `{"ok": …}` of the worker, or its error after `error: `. */
async function said(pool: Pool, method: string, args: Record<string, unknown> = {}): Promise<unknown> {
  const { answers, silent: nobody } = await send(pool, method, args);
  expect(nobody).toEqual([]);
  const [answer] = answers;
  if (answer?.ok !== true) return `error: ${answer?.error}`;
  const { reply } = answer;
  return typeof reply === 'object' && reply !== null && 'ok' in reply ? reply.ok : reply;
}

/** What the worker tells of itself now. */
async function look<T>(pool: Pool, method: string): Promise<T> {
  return (await said(pool, method)) as T;
}

const poolOf = async (pool: Pool): Promise<number> =>
  (await look<{ pool: { processes: unknown[] } }>(pool, 'stats')).pool.processes.length;
const queuesOf = async (pool: Pool): Promise<string[]> =>
  (await look<{ name: string }[]>(pool, 'active_queues')).map(({ name }) => name).sort();

async function apply(name: string, pool: Pool, args: unknown[], more: object = {}): Promise<string> {
  return control.send({ name, argsJson: JSON.stringify(args), kwargsJson: '{}', options: { queue: pool, ...more } });
}

async function reaches(taskId: string, state: string): Promise<void> {
  await waitFor(() => cluster.task(taskId)?.state === state, 15_000, `task ${taskId} being ${state}`);
}

describe.each(POOLS)('a worker of pool %s', (pool) => {
  const inspections = COMMANDS.filter(({ kind }) => kind === 'inspect').map(({ method }) => method);

  it.each(inspections)('answers %s', async (method) => {
    const reply = await said(pool, method, method === 'query_task' ? { ids: ['none'] } : {});
    expect(String(reply)).not.toMatch(/^error/);
  });

  it('has been told to send task events, runs a new task with its arguments, and limits its rate', async () => {
    // Every 5 s they are told: a task that runs before is not heard of.
    await waitFor(
      async () => {
        const id = await apply('shop.echo', pool, ['é "x"', 1.5, null]);
        return waitFor(() => cluster.task(id)?.state === 'SUCCESS', 3000, 'its success').catch(() => false);
      },
      30_000,
      'a task that is heard of',
    );
    expect(await said(pool, 'rate_limit', { task_name: 'shop.echo', rate_limit: '7/m' })).toMatch(/successfully/);
    expect(await look<string[]>(pool, 'registered')).toContain('shop.echo [rate_limit=7/m]');
    expect(await said(pool, 'rate_limit', { task_name: 'shop.echo', rate_limit: '0' })).toMatch(/disabled/);
    expect(await said(pool, 'rate_limit', { task_name: 'shop.none', rate_limit: '1/s' })).toBe('error: unknown task');
  }, 60_000);

  it('forgets a revoked task that waits for its eta', async () => {
    const etaMs = systemClock.now() + 2000;
    const id = await apply('shop.add', pool, [1, 2], { etaMs });
    await waitFor(async () => JSON.stringify(await look(pool, 'scheduled')).includes(id), 5000, 'its being scheduled');
    expect(JSON.stringify(await said(pool, 'query_task', { ids: [id] }))).toMatch(/scheduled|reserved/);
    expect(await said(pool, 'revoke', { task_id: id })).toContain(id);
    expect(await look<string[]>(pool, 'revoked')).toContain(id);
    await reaches(id, 'REVOKED');
  });

  it('consumes another queue and leaves it again', async () => {
    await said(pool, 'add_consumer', { queue: `extra-${pool}` });
    await waitFor(async () => (await queuesOf(pool)).includes(`extra-${pool}`), 5000, 'the queue being consumed');
    await control.inspector.refresh(node(pool));
    expect((await control.queues()).map(({ name }) => name)).toContain(`extra-${pool}`);
    await said(pool, 'cancel_consumer', { queue: `extra-${pool}` });
    await waitFor(async () => !(await queuesOf(pool)).includes(`extra-${pool}`), 5000, 'the queue being left');
  });

  it('takes time limits, and says what it cannot', async () => {
    expect(await said(pool, 'time_limit', { task_name: 'shop.add', soft: 5, hard: 9 })).toMatch(/successfully/);
    const [scaled, restarted] = [await said(pool, 'autoscale', { min: 1, max: 3 }), await said(pool, 'pool_restart')];
    expect(scaled).toMatch(/^error: .*Autoscale not enabled/);
    expect(hintFor('autoscale', String(scaled))).toContain('--autoscale=');
    expect(restarted).toMatch(/^error: .*Pool restarts not enabled/);
    expect(hintFor('pool_restart', String(restarted))).toContain('worker_pool_restarts = True');
    expect(await said(pool, 'revoke_by_stamped_headers', { headers: { batch: ['b1'] } })).toMatch(/flagged as revoked/);
  });

  it('stops sending task events and is left alone until told otherwise', async () => {
    expect(await said(pool, 'disable_events')).toBe('task events disabled');
    expect(await said(pool, 'disable_events')).toBe('task events already disabled');
    expect(await said(pool, 'enable_events')).toBe('task events enabled');
  });

  it('grows and shrinks where the pool can', async () => {
    if (pool !== 'prefork') {
      const [grown, shrunk] = [await said(pool, 'pool_grow', { n: 1 }), await said(pool, 'pool_shrink', { n: 1 })];
      expect([grown, shrunk]).toEqual([
        expect.stringMatching(/^error: AttributeError.*grow/),
        expect.stringMatching(/^error: AttributeError.*shrink/),
      ]);
      expect(hintFor('pool_grow', String(grown))).toContain('keeps its size');
      return;
    }
    expect(await said(pool, 'pool_grow', { n: 1 })).toBe('pool will grow');
    await waitFor(async () => (await poolOf(pool)) === 3, 10_000, 'three processes');
    expect(await said(pool, 'pool_shrink', { n: 1 })).toBe('pool will shrink');
    await waitFor(async () => (await poolOf(pool)) === 2, 10_000, 'two processes');
  });
});

describe('a running task', () => {
  it('is terminated by prefork; threads say that they cannot', async () => {
    const id = await apply('shop.sleep', 'prefork', [60]);
    await reaches(id, 'STARTED');
    expect(JSON.stringify(await look('prefork', 'active'))).toContain(id);
    expect(await said('prefork', 'terminate', { task_id: id, signal: 'SIGKILL' })).toBe(`terminate: ${id}`);
    await reaches(id, 'REVOKED');
    const other = await apply('shop.sleep', 'threads', [3]);
    await reaches(other, 'STARTED');
    expect(await said('threads', 'revoke', { task_id: other, terminate: true })).toMatch(/^error: NotImplementedError/);
    expect(await said('solo', 'revoke', { task_id: other, terminate: true })).toBe('terminate: tasks unknown');
  });
});

describe('the whole cluster', () => {
  it('answers at once, without waiting for the time to be over', async () => {
    const begun = systemClock.now();
    const ping = { method: 'ping', arguments: {}, target: { kind: 'all' } } as const;
    const { answers, silent: nobody, receivers } = await control.call(ping, { timeoutMs: 20_000 });
    expect(systemClock.now() - begun).toBeLessThan(10_000);
    expect(answers.map(({ worker }) => worker).sort()).toEqual(POOLS.map(node).sort());
    expect([nobody, receivers]).toEqual([[], 3]);
  });

  it('is reached by patterns as the workers understand them', async () => {
    for (const target of [
      { kind: 'pattern', pattern: '[!p]*@*', matcher: 'glob' },
      { kind: 'pattern', pattern: 'solo|threads', matcher: 'pcre' },
    ] as const) {
      const { answers } = await control.call({ method: 'ping', arguments: {}, target });
      expect(answers.map(({ worker }) => worker).sort()).toEqual([node('solo'), node('threads')].sort());
    }
  });

  it('names a solo worker that is busy', async () => {
    const id = await apply('shop.sleep', 'solo', [2]);
    await waitFor(async () => (await control.queues()).find(({ name }) => name === 'solo')?.messages === 0);
    const ping = { method: 'ping', arguments: {}, target: { kind: 'all' } } as const;
    const { answers, silent: nobody } = await control.call(ping, { timeoutMs: 300 });
    expect([answers.length, nobody]).toEqual([2, [node('solo')]]);
    await reaches(id, 'SUCCESS');
  });

  it('runs a failed task again with the arguments that its events tell', async () => {
    const id = await apply('shop.fail', 'prefork', ['boom']);
    await reaches(id, 'FAILURE');
    const failed = cluster.task(id);
    const [args, kwargs] = [failed?.args, failed?.kwargs];
    expect([args, kwargs]).toEqual(["('boom',)", '{}']);
    const told = { args: String(args), kwargs: String(kwargs), queue: 'prefork', name: 'shop.fail' };
    const outcome = await control.retry(taskRecord({ taskId: id, ...told }));
    if (!outcome.ok) throw new Error(outcome.reason);
    expect(outcome.plan.source).toBe('events');
    await reaches(outcome.newTaskId, 'FAILURE');
    expect(cluster.task(outcome.newTaskId)).toMatchObject({ args: "('boom',)", exception: "ValueError('boom')" });
    expect([control.knowsTask('shop.fail'), control.knowsTask('shop.none')]).toEqual([true, false]);
  });

  it('runs a task again with the arguments of the message that still waits', async () => {
    const argsJson = '[1.0, 123456789012345678901234567890, "C:\\\\new"]';
    const task = { name: 'shop.echo', argsJson, kwargsJson: '{"k": {"a": [[1e2]]}}', options: { queue: 'parked' } };
    const taskId = await control.send(task);
    const record = taskRecord({ taskId, name: 'shop.echo', state: 'REVOKED', queue: 'parked', args: "('...',)" });
    const plan = await control.planRetry(record);
    expect(plan).toMatchObject({ source: 'message', argsJson, kwargsJson: task.kwargsJson });
    const outcome = await control.retry(record, undefined, { queue: 'threads' });
    if (!outcome.ok) throw new Error(outcome.reason);
    await reaches(outcome.newTaskId, 'SUCCESS');
    expect(cluster.task(outcome.newTaskId)?.result).toContain('123456789012345678901234567890');
  });

  it('goes offline, worker by worker', async () => {
    for (const pool of POOLS) {
      const { answers } = await send(pool, 'shutdown');
      expect(answers).toEqual([{ worker: node(pool), ok: true, reply: { ok: 'offline' } }]);
      expect((await workers[pool].exited).code).toBe(0);
    }
  });
});

it('a worker started so takes another autoscale range and replaces its pool', async () => {
  const more = ['--autoscale=3,1', 'worker_pool_restarts=true'];
  const { nodeName } = await startCelery({ brokerUrl, name: 'elastic', queues: ['elastic'], more });
  await waitFor(() => cluster.workers().some(({ hostname }) => hostname === nodeName), 10_000, 'its heartbeat');
  const ask = async (method: string, args: Record<string, unknown> = {}): Promise<unknown> => {
    const target: Target = { kind: 'workers', workers: [nodeName] };
    const { answers } = await control.call({ method, arguments: args, target }, { timeoutMs: 5000 });
    return answers[0]?.ok === true ? answers[0].reply : answers[0]?.error;
  };
  const stats = async () =>
    (await ask('stats')) as { autoscaler: { max: number; min: number }; pool: { processes: number[] } };

  expect(await ask('autoscale', { max: 4, min: 2 })).toEqual({ ok: 'autoscale now max=4 min=2' });
  expect((await stats()).autoscaler).toMatchObject({ max: 4, min: 2 });
  const run = async (name: string, argsJson: string) =>
    control.send({ name, argsJson, kwargsJson: '{}', options: { queue: 'elastic' } });
  const before = (await stats()).pool.processes;
  const running = await run('shop.sleep', '[2]');
  await reaches(running, 'STARTED');
  expect(await ask('pool_restart')).toEqual({ ok: 'reload started' });
  await reaches(running, 'SUCCESS');
  await waitFor(
    async () => {
      await reaches(await run('shop.echo', '[]'), 'SUCCESS');
      return (await stats()).pool.processes.every((pid) => !before.includes(pid));
    },
    20_000,
    'other processes',
  );
}, 60_000);
