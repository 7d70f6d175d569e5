import { connect } from 'amqplib';
import { beforeAll, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import type { RunningAgent } from '../support/agent.ts';
import { startAgent } from '../support/agent.ts';
import type { CeleryWorker } from '../support/celery.ts';
import { sendAsApp, startCelery } from '../support/celery.ts';
import { getObject } from '../support/http.ts';
import { startRabbitMq } from '../support/rabbitmq.ts';
import { startRedis } from '../support/redis.ts';
import { waitFor } from '../support/wait.ts';

let brokerUrl: string;
let backend: string;
let agent: RunningAgent;
let workers: Record<'steady' | 'doomed' | 'late', CeleryWorker>;

beforeAll(async () => {
  const [broker, redis] = await Promise.all([startRabbitMq(), startRedis()]);
  brokerUrl = broker.url;
  backend = `${redis.url}/0`;
  const [steady, doomed, late] = await Promise.all([
    worker('steady', 'celery'),
    worker('doomed', 'reports'),
    worker('late', 'emails'),
  ]);
  workers = { steady, doomed, late };
  agent = await startAgent({
    brokerUrl,
    args: ['--result-backend', backend, '--heal-interval', '1s', '--orphan-after', '2s', '--probe-interval', '1s'],
  });
  const inspected = async () => Object.keys(await getObject(`${agent.url}/api/workers`)).length === 3;
  await waitFor(inspected, 60_000, 'the workers being inspected');
}, 300_000);

const worker = (name: string, queue: string): Promise<CeleryWorker> =>
  startCelery({ brokerUrl, backend, name, queues: [queue], concurrency: 1 });

const task = (id = ''): Promise<Record<string, unknown>> => getObject(`${agent.url}/api/v1/tasks/${id}`);

const inState = (id: string | undefined, state: string): Promise<unknown> =>
  waitFor(async () => (await task(id))['state'] === state, 60_000, `${id ?? 'task'} being ${state}`);

it('gives up what is lost with its worker, and leaves what RabbitMQ has back, for as long as nobody takes it', async () => {
  const [lost, late] = await sendAsApp(
    { brokerUrl, backend },
    ['shop.sleep', [60], 'reports'],
    ['shop.sleep_late', [3], 'emails'],
  );
  await Promise.all([inState(lost, 'STARTED'), inState(late, 'STARTED')]);
  await Promise.all([workers.doomed.kill('SIGKILL'), workers.late.kill('SIGKILL')]);
  await waitFor(async () => (await task(lost))['orphaned'] === 'worker-lost', 90_000, 'the lost one being orphaned');
  const runs = async (): Promise<number> => (await agent.metrics()).sum('umbel_heal_runs_total', { outcome: 'done' });
  const before = await runs();
  await waitFor(async () => (await runs()) >= before + 3, 60_000, 'three more looks');
  expect(await task(late)).toMatchObject({ state: 'STARTED', orphaned: null });
  await worker('heir', 'emails');
  await inState(late, 'SUCCESS');
}, 240_000);

it('heals what ended while no agent ran and the queue of the events was deleted', async () => {
  const [slow] = await sendAsApp({ brokerUrl, backend }, ['shop.sleep', [2], 'celery']);
  await inState(slow, 'STARTED');
  await agent.kill('SIGKILL');
  const model = await connect(brokerUrl);
  const channel = await model.createChannel();
  await channel.deleteQueue('umbel.events');
  const [unheard] = await sendAsApp({ brokerUrl, backend }, ['shop.sleep', [0], 'celery']);
  const results = new Redis(backend);
  const isDone = async (): Promise<boolean> => (await results.exists(`celery-task-meta-${unheard ?? ''}`)) === 1;
  await waitFor(isDone, 60_000, 'both being done');
  results.disconnect();
  await model.close();
  agent.launch();
  await agent.ready();
  await inState(slow, 'SUCCESS');
  const known = async () => (await task(unheard).catch(() => undefined))?.['healed'] === 'result-backend';
  await waitFor(known, 60_000, 'the one that nobody heard being found');
  expect(await task(slow)).toMatchObject({ healed: 'result-backend', result: '2' });
  const { gaps } = await getObject(`${agent.url}/api/v1/gaps`);
  expect(gaps).toEqual([
    expect.objectContaining({ cause: 'agent was killed, or its machine went down', healed: expect.anything() }),
  ]);
}, 240_000);
