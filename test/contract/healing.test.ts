import { beforeAll, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { envelope } from '../celery-app/publish.mjs';
import type { RunningAgent } from '../support/agent.ts';
import { startAgent } from '../support/agent.ts';
import type { CeleryWorker } from '../support/celery.ts';
import { sendAsApp, startCelery } from '../support/celery.ts';
import { queryRows } from '../support/database.ts';
import { getObject } from '../support/http.ts';
import type { ReceivedSpan } from '../support/otlp-protobuf.ts';
import { type OtlpReceiver, startOtlpReceiver } from '../support/otlp-receiver.ts';
import type { RedisServer } from '../support/redis.ts';
import { startRedis } from '../support/redis.ts';
import { waitFor } from '../support/wait.ts';

const TOKEN = 'healing-admin';

let redis: RedisServer;
let brokerUrl: string;
let agent: RunningAgent;
/** Stands for Tempo and Loki. */
let receiver: OtlpReceiver;
let workers: Record<'steady' | 'doomed' | 'late', CeleryWorker>;

beforeAll(async () => {
  [redis, receiver] = await Promise.all([startRedis(), startOtlpReceiver()]);
  brokerUrl = `${redis.url}/0`;
  const worker = (name: string, queue: string) => startCelery({ brokerUrl, name, queues: [queue], concurrency: 1 });
  const [steady, doomed, late] = await Promise.all([
    worker('steady', 'celery'),
    worker('doomed', 'reports'),
    worker('late', 'emails'),
  ]);
  workers = { steady, doomed, late };
  agent = await startAgent({
    brokerUrl,
    args: [
      ...['--result-backend', brokerUrl, '--tokens', `test:admin:${TOKEN}`, '--anonymous', 'viewer'],
      ...['--heal-interval', '1s', '--orphan-after', '2s', '--otlp-endpoint', receiver.url],
    ],
  });
  await waitFor(async () => (await agent.metrics()).sum('umbel_broker_connected') === 1, 30_000, 'the agent listening');
}, 300_000);

/** The span of the task itself. */
const spanOf = (id: string | undefined): ReceivedSpan | undefined =>
  receiver.spans.find(({ name, attributes }) => attributes['celery.task_id'] === id && !/^(queue|run) /.test(name));

const linesOf = (id: string | undefined): string[] =>
  receiver.logs.filter(({ attributes }) => attributes['celery.task_id'] === id).map(({ body }) => String(body));

/** An event of the app's own, as `self.send_event('task-progress', …)` sends it. */
async function tellProgress(uuid: string): Promise<void> {
  const client = new Redis(brokerUrl);
  const told = {
    type: 'task-progress',
    uuid,
    hostname: workers.steady.nodeName,
    clock: 1,
    timestamp: Date.now() / 1000,
  };
  await client.publish('/0.celeryev/task.progress', envelope(told, 'task.progress'));
  client.disconnect();
}

interface ApiTask {
  readonly state: string;
  readonly healed: string | null;
  readonly orphaned: string | null;
  readonly retriedAs: string | null;
  readonly result: string | null;
  readonly exception: string | null;
  readonly traceback: string | null;
  readonly name: string | null;
  readonly succeededMs: number | null;
}

const task = async (id: string | undefined): Promise<ApiTask> =>
  (await getObject(`${agent.url}/api/v1/tasks/${id ?? ''}`)) as unknown as ApiTask;

const inState = (id: string | undefined, state: string): Promise<unknown> =>
  waitFor(async () => (await task(id)).state === state, 30_000, `${id ?? 'task'} being ${state}`);

const orphans = async (): Promise<string[]> => {
  const { tasks } = await getObject(`${agent.url}/api/v1/tasks?orphaned=true`);
  return (tasks as { taskId: string }[]).map(({ taskId }) => taskId);
};

interface ApiGap {
  readonly fromMs: number;
  readonly toMs: number;
  readonly cause: string;
  readonly healed: Readonly<Record<string, number>> | null;
}

async function healedGap(cause: RegExp): Promise<ApiGap> {
  return waitFor(
    async () => {
      const { gaps } = await getObject(`${agent.url}/api/v1/gaps`);
      return (gaps as ApiGap[]).find((gap) => cause.test(gap.cause) && gap.healed !== null);
    },
    30_000,
    `a healed gap because of ${String(cause)}`,
  );
}

it('gives tasks their end that they came to while the agent was killed', async () => {
  const known = await sendAsApp(
    { brokerUrl },
    ['shop.sleep', [3], 'celery'],
    ['shop.add', [1, 2], 'celery'],
    ['shop.fail', ['x'], 'celery'],
  );
  const [slow, add, fail] = known;
  await inState(slow, 'STARTED');
  await Promise.all([inState(add, 'RECEIVED'), inState(fail, 'RECEIVED')]);
  await tellProgress(slow ?? '');
  await inState(slow, 'PROGRESS');
  const killedMs = Date.now();
  await agent.kill('SIGKILL');
  const [unheard] = await sendAsApp({ brokerUrl }, ['shop.add', [20, 22], 'celery']);
  const client = new Redis(brokerUrl);
  const isDone = async (id: string): Promise<boolean> =>
    /"status": "(SUCCESS|FAILURE)"/.test((await client.get(`celery-task-meta-${id}`)) ?? '');
  const ids = [...known, unheard ?? ''];
  await waitFor(async () => (await Promise.all(ids.map(isDone))).every(Boolean), 30_000, 'the tasks being done');
  client.disconnect();

  agent.launch();
  await agent.ready();
  const gap = await healedGap(/^agent was killed/);
  expect(gap.healed).toMatchObject({ healed: 4, found: 1, orphaned: 0, undecided: 0 });
  expect(gap.fromMs).toBeLessThanOrEqual(killedMs);
  expect(gap.fromMs).toBeGreaterThan(killedMs - 15_000);

  const source = { healed: 'result-backend', orphaned: null };
  expect(await task(slow)).toMatchObject({ ...source, state: 'SUCCESS', result: '3', name: 'shop.sleep' });
  expect(await task(add)).toMatchObject({ ...source, state: 'SUCCESS', result: '3' });
  expect(await task(fail)).toMatchObject({ ...source, state: 'FAILURE', exception: "ValueError('x')" });
  expect((await task(fail)).traceback).toContain('ValueError: x');
  expect(await task(unheard)).toMatchObject({ ...source, state: 'SUCCESS', result: '42' });
  expect((await task(slow)).succeededMs).toBeGreaterThan(killedMs);
  expect((await agent.metrics()).sum('umbel_tasks_healed_total', { source: 'result-backend' })).toBe(4);
  const { events } = await getObject(`${agent.url}/api/v1/tasks/${slow ?? ''}/timeline`);
  expect((events as { type: string; worker: string }[]).at(-1)).toMatchObject({
    type: 'umbel-healed',
    worker: 'umbel',
  });
  await waitFor(
    () => spanOf(unheard) !== undefined && linesOf(fail).length > 0,
    10_000,
    'spans and logs of what was found',
  );
  expect(spanOf(slow)).toMatchObject({
    ...{ name: 'shop.sleep', status: { code: 0 }, endMs: (await task(slow)).succeededMs },
    attributes: { 'celery.state': 'SUCCESS', 'celery.healed': 'result-backend' },
  });
  expect(spanOf(fail)).toMatchObject({ status: { code: 2, message: 'ValueError: x' } });
  expect(linesOf(fail)).toEqual([`Task shop.fail[${fail ?? ''}] failed: ValueError: x, found out later`]);
  // Nothing that was not heard is counted as heard.
  expect(
    await queryRows(
      agent.databaseUrl,
      'select sum(succeeded)::int as succeeded, sum(other)::int as other from celery_task_rollups',
    ),
  ).toEqual([{ succeeded: 0, other: 1 }]); // PROGRESS
}, 120_000);

it('shows tasks that were sent while no agent ran, and still run or wait, and knows what they were when they end', async () => {
  await agent.kill('SIGKILL');
  const [running, reserved, waiting] = await sendAsApp(
    { brokerUrl },
    ['shop.sleep', [15], 'celery'],
    ['shop.add', [5, 6], 'celery'],
    ['shop.add', [7, 8], 'nobody'],
  );
  agent.launch();
  await agent.ready();
  await Promise.all([inState(running, 'STARTED'), inState(reserved, 'RECEIVED'), inState(waiting, 'PENDING')]);
  const worker = workers.steady.nodeName;
  const sleep = { name: 'shop.sleep', args: '[15]', kwargs: '{}', queue: 'celery', worker };
  const add = { name: 'shop.add', args: '[5, 6]', kwargs: '{}', queue: 'celery', worker, rootId: reserved };
  expect(await task(running)).toMatchObject({ ...sleep, healed: 'inspect', startedMs: expect.any(Number) });
  expect(await task(reserved)).toMatchObject({ ...add, healed: 'inspect', receivedMs: null });
  const told = { name: 'shop.add', args: '[7, 8]', kwargs: '{}', queue: 'nobody', worker: null, rootId: waiting };
  expect(await task(waiting)).toMatchObject({ ...told, healed: 'queue', sentMs: null });
  const healed = async (): Promise<boolean> => {
    const { gaps } = await getObject(`${agent.url}/api/v1/gaps`);
    return (gaps as ApiGap[]).some((gap) => gap.healed?.['found'] === 3);
  };
  await waitFor(healed, 30_000, 'the gap telling what was found');
  expect((await agent.metrics()).sum('umbel_tasks_healed_total', { source: 'queue' })).toBe(1);

  await Promise.all([inState(running, 'SUCCESS'), inState(reserved, 'SUCCESS')]);
  expect(await task(running)).toMatchObject({ ...sleep, healed: null, result: '15', startedMs: expect.any(Number) });
  expect(await task(reserved)).toMatchObject({ ...add, healed: null, result: '11' });
  expect(await task(waiting)).toMatchObject({ ...told, state: 'PENDING' });
}, 120_000);

it('tells tasks that are lost with their worker from those that are delivered again, and sends the lost ones anew', async () => {
  const [lost, late] = await sendAsApp(
    { brokerUrl },
    ['shop.sleep', [60], 'reports'],
    ['shop.sleep_late', [60], 'emails'],
  );
  await Promise.all([inState(lost, 'STARTED'), inState(late, 'STARTED')]);
  await Promise.all([workers.doomed.kill('SIGKILL'), workers.late.kill('SIGKILL')]);

  await waitFor(async () => (await orphans()).length > 0, 60_000, 'a task being orphaned');
  const runs = async (): Promise<number> => (await agent.metrics()).sum('umbel_heal_runs_total', { outcome: 'done' });
  const before = await runs();
  await waitFor(async () => (await runs()) >= before + 3, 30_000, 'three more looks');
  expect(await orphans()).toEqual([lost]);
  expect(await task(lost)).toMatchObject({ state: 'STARTED', orphaned: 'worker-lost' });
  expect(await task(late)).toMatchObject({ state: 'STARTED', orphaned: null });
  const metrics = await agent.metrics();
  const labels = { worker: workers.doomed.nodeName, name: 'shop.sleep', reason: 'worker-lost' };
  expect(metrics.sum('umbel_tasks_orphaned_total', labels)).toBe(1);
  expect(metrics.sum('umbel_tasks_orphaned_total')).toBe(1);
  expect(metrics.sum('umbel_orphaned_tasks')).toBe(1);
  await waitFor(() => spanOf(lost) !== undefined && linesOf(lost).length > 0, 10_000, 'span and log of the orphan');
  expect(spanOf(lost)).toMatchObject({ name: 'shop.sleep', status: { code: 2, message: 'orphaned: worker-lost' } });
  expect(linesOf(lost)).toEqual([`Task shop.sleep[${lost ?? ''}] is orphaned: its worker is gone`]);

  workers.doomed = await startCelery({ brokerUrl, name: 'heir', queues: ['reports'], concurrency: 1 });
  const response = await fetch(`${agent.url}/api/v1/tasks/${lost ?? ''}/retry`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
    body: '{}',
  });
  const answer = (await response.json()) as { newTaskId: string };
  expect([response.status, answer]).toEqual([200, expect.objectContaining({ newTaskId: expect.any(String) })]);
  await inState(answer.newTaskId, 'STARTED');
  await waitFor(async () => (await orphans()).length === 0, 10_000, 'no orphan being left');
  expect(await task(lost)).toMatchObject({ state: 'STARTED', orphaned: null, retriedAs: answer.newTaskId });
}, 180_000);

it('tells that Redis cut the connection', async () => {
  const client = new Redis(brokerUrl);
  const clients = String(await client.client('LIST'));
  const id = /id=(\d+) .*name=umbel-events/.exec(clients)?.[1] ?? '';
  await client.client('KILL', 'ID', id);
  client.disconnect();
  const gap = await healedGap(/^redis closed the connection: CLIENT KILL/);
  expect(gap.toMs).toBeGreaterThanOrEqual(gap.fromMs);
}, 60_000);
