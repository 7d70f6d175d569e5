import { beforeAll, describe, expect, it } from '@jest/globals';
import { builtAgent } from '../support/agent-build.ts';
import { startAgent } from '../support/agent.ts';
import type { RunningAgent } from '../support/agent.ts';
import { startCelery } from '../support/celery.ts';
import type { CeleryWorker } from '../support/celery.ts';
import { getObject } from '../support/http.ts';
import { startProcess } from '../support/processes.ts';
import { startRabbitMq } from '../support/rabbitmq.ts';
import { startRedis } from '../support/redis.ts';
import { waitFor, within } from '../support/wait.ts';

let brokerUrl: string;
let worker: CeleryWorker;
/** Asks the broker by AMQP alone. */
let plain: RunningAgent;
/** Asks the management API; hears the events beside the other by a queue of its own name. */
let managed: RunningAgent;

beforeAll(async () => {
  const [broker, redis] = await Promise.all([startRabbitMq({ plugins: ['rabbitmq_management'] }), startRedis()]);
  brokerUrl = broker.url;
  const backend = `${redis.url}/0`;
  const api = `http://guest:guest@127.0.0.1:${broker.managementPort}/api/`;
  const more = ['--event-queue', 'umbel.managed', '--broker-api', api];
  const start = (args: readonly string[] = []): Promise<RunningAgent> =>
    startAgent({
      brokerUrl,
      env: { FLOWER_UNAUTHENTICATED_API: 'true' },
      args: ['--result-backend', backend, '--probe-interval', '1s', ...args],
    });
  [worker, plain, managed] = await Promise.all([
    startCelery({ brokerUrl, backend, name: 'w1', queues: ['celery', 'emails'], concurrency: 2 }),
    start(),
    start(more),
  ]);
  for (const { url } of [plain, managed]) {
    await waitFor(
      async () => worker.nodeName in (await getObject(`${url}/api/workers?refresh=1`)),
      30_000,
      'the worker being inspected',
    );
  }
}, 180_000);

async function post(path: string, body: object = {}, url = plain.url): Promise<Record<string, unknown>> {
  const response = await fetch(`${url}${path}`, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
    signal: AbortSignal.timeout(30_000),
  });
  const answer = (await response.json()) as Record<string, unknown>;
  if (!response.ok) throw new Error(`POST ${path} answered ${response.status}: ${JSON.stringify(answer)}`);
  return answer;
}

async function poolSize(): Promise<number> {
  const workers = await getObject(`${plain.url}/api/workers?refresh=1`);
  const { stats } = workers[worker.nodeName] as { readonly stats: { readonly pool: { readonly processes: number[] } } };
  return stats.pool.processes.length;
}

async function send(task: string, options: object): Promise<string> {
  return String((await post(`/api/task/async-apply/${task}`, options))['task-id']);
}

const reaches = (taskId: string, state: string): Promise<unknown> =>
  waitFor(
    async () => (await getObject(`${plain.url}/api/task/info/${taskId}`))['state'] === state,
    20_000,
    `${taskId} being ${state}`,
  );

describe('workers on RabbitMQ obey the HTTP API', () => {
  it('answer a ping, and their pool grows', async () => {
    const before = await poolSize();
    await post(`/api/worker/pool/grow/${worker.nodeName}?n=1`);
    await waitFor(async () => (await poolSize()) === before + 1, 10_000, 'a process more');
    const ping = await getObject(`${plain.url}/api/v1/workers/${worker.nodeName}/inspect/ping`);
    expect(JSON.stringify(ping)).toContain('pong');
  });

  it('run what is sent, and what is retried, with its real arguments', async () => {
    const sum = await send('shop.add', { args: [20, 22] });
    await reaches(sum, 'SUCCESS');
    expect(await getObject(`${plain.url}/api/task/result/${sum}`)).toMatchObject({ state: 'SUCCESS', result: 42 });
    const failed = await send('shop.fail', { args: ['nö "1"'], queue: 'emails' });
    await reaches(failed, 'FAILURE');
    const { newTaskId } = await post(`/api/v1/tasks/${failed}/retry`);
    await reaches(String(newTaskId), 'FAILURE');
    const info = (id: string): Promise<Record<string, unknown>> => getObject(`${plain.url}/api/task/info/${id}`);
    const [first, second] = [await info(failed), await info(String(newTaskId))];
    for (const key of ['name', 'args', 'kwargs', 'exception', 'worker']) {
      expect([key, second[key]]).toEqual([key, first[key]]);
    }
  });

  it('forget what is revoked, and end what is terminated', async () => {
    const later = await send('shop.add', { args: [1, 1], countdown: 2 });
    await post(`/api/task/revoke/${later}`);
    await reaches(later, 'REVOKED');
    const running = await send('shop.sleep', { args: [60] });
    await reaches(running, 'STARTED');
    await post(`/api/task/revoke/${running}?terminate=true&signal=SIGKILL`);
    await reaches(running, 'REVOKED');
  });
});

it('umbel doctor hears the workers beside an agent that reads the events', async () => {
  const args = [await builtAgent(), 'doctor', '--json', '--broker', brokerUrl, '--no-history'];
  const doctor = startProcess({ name: 'doctor', command: process.execPath, args });
  await within(doctor.exited, 60_000, 'the doctor');
  const { findings } = JSON.parse(doctor.stdout()) as { findings: { check: string; verdict: string; found: string }[] };
  const events = findings.filter(({ check }) => check === 'events').map(({ verdict, found }) => `${verdict}: ${found}`);
  expect(events).toContain(`ok: 1 worker heard: ${worker.nodeName}.`);
  expect(findings).toContainEqual(expect.objectContaining({ check: 'remote control', verdict: 'ok' }));
}, 90_000);

/** The agents ask in ways of their own, and each is to come to the same answers in its time. */
const byBoth = (work: (agent: RunningAgent) => Promise<void>): Promise<unknown> =>
  Promise.all([plain, managed].map(work));

it('queue lengths on RabbitMQ are told by AMQP and by the management API', async () => {
  await byBoth(async ({ url }) => {
    await post(`/api/worker/queue/add-consumer/${worker.nodeName}?queue=reports`, {}, url);
  });
  // The management API tells the lengths of a few seconds ago.
  const empty = ['celery', 'emails', 'reports'].map((name) => [name, 0]);
  await byBoth(async (agent) => {
    await waitFor(
      async () => {
        const { active_queues: queues } = await getObject(`${agent.url}/api/queues/length`);
        const lengths = (queues as { name: string; messages: number }[]).map(({ name, messages }) => [name, messages]);
        return JSON.stringify(lengths.sort()) === JSON.stringify(empty);
      },
      20_000,
      'the lengths of three empty queues',
    );
  });
  // A pool of three has four times as many messages prefetched; the rest waits in the queue, for longer than the
  // management API is behind.
  for (let n = 0; n < 60; n += 1) await send('shop.sleep', { args: [0.8], queue: 'emails' });
  await byBoth(async (agent) => {
    const waiting = async (): Promise<number> =>
      (await agent.metrics()).sum('celery_queue_length', { queue_name: 'emails' });
    await waitFor(async () => (await waiting()) > 0, 60_000, 'messages that wait');
    await waitFor(async () => (await waiting()) === 0, 60_000, 'none waiting');
    const metrics = await agent.metrics();
    expect(metrics.sum('celery_active_consumer_count', { queue_name: 'emails' })).toBe(1);
    expect(metrics.sum('celery_active_worker_count', { queue_name: 'emails' })).toBe(1);
  });
}, 180_000);
