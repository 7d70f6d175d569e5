/**
 * The two alerts that stack.test.ts does not cause: what is orphaned is looked for twice while the agent hears everything,
 * and there its connection is cut again and again; and another number of slices would add a fourth agent there. A real
 * Prometheus with the provisioned files, 30 times as fast (acceleration.ts), Redis, agents and a real worker.
 */
import { beforeAll, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import type { RunningAgent } from '../support/agent.ts';
import { startAgent } from '../support/agent.ts';
import { startCelery } from '../support/celery.ts';
import { getObject } from '../support/http.ts';
import { startRedis } from '../support/redis.ts';
import { waitFor } from '../support/wait.ts';
import { fasterConfig, fasterRules } from './acceleration.ts';
import { sendTasks, TOKEN } from './causes.testkit.ts';
import { past } from './fast-motion.testkit.ts';
import type { FiringAlert, PrometheusServer } from './prometheus.testkit.ts';
import { startPrometheus } from './prometheus.testkit.ts';

/** What is true for five minutes is so for ten seconds: long enough to be seen on a busy machine. */
const FACTOR = 30;
const NOT_HERE = [
  'agent-rabbitmq:5555',
  'rabbitmq:15692',
  'redis-exporter:9121',
  'alertmanager:9093',
  'localhost:9090',
];

let brokerUrl: string;
let agent: RunningAgent;
let prometheus: PrometheusServer;

beforeAll(async () => {
  brokerUrl = `${(await startRedis()).url}/0`;
  agent = await startAgent({
    brokerUrl,
    args: ['--tokens', `test:admin:${TOKEN}`, '--anonymous', 'viewer', '--heal-interval', '1s', '--orphan-after', '2s'],
  });
  const addresses = {
    ...Object.fromEntries(NOT_HERE.map((name) => [name, '127.0.0.1:1'])),
    'agent:5555': new URL(agent.url).host,
  };
  prometheus = await startPrometheus({
    config: fasterConfig(addresses, { scrape: '1s', rules: '500ms' }, []),
    rules: fasterRules(FACTOR, {}, []),
    past: past([]),
  });
}, 300_000);

const firing = async (name: string): Promise<FiringAlert | undefined> =>
  (await prometheus.firing()).find(({ labels }) => labels['alertname'] === name);

const fires = (name: string): Promise<FiringAlert> => waitFor(() => firing(name), 90_000, name);

const falls = (name: string): Promise<unknown> =>
  waitFor(async () => (await firing(name)) === undefined, 60_000, `the end of ${name}`);

function expectFilledIn({ annotations }: FiringAlert): void {
  for (const text of Object.values(annotations)) expect(text).not.toMatch(/<no value>|<error|\{\{/);
}

it('CeleryTasksOrphaned fires when a worker is killed with a task, also one that was never heard of but by it', async () => {
  // Without heartbeats, and started after the agent asked everybody for one: as if killed before its first.
  const doomed = await startCelery({
    ...{ brokerUrl, name: 'doomed', queues: ['reports'], concurrency: 1 },
    more: ['--without-heartbeat'],
  });
  await sendTasks(agent.url, 'shop.sleep', 1, { args: [120], queue: 'reports' });
  const isStarted = async (): Promise<boolean> =>
    (await agent.metrics()).sum('flower_events_total', { type: 'task-started' }) === 1;
  await waitFor(isStarted, 60_000, 'the task running');
  // A worker acknowledges just after it says that it begins; killed in between, it would leave the task to be delivered again.
  const client = new Redis(brokerUrl);
  await waitFor(async () => (await client.hlen('unacked')) === 0, 30_000, 'the message being acknowledged');
  client.disconnect();
  const known = await waitFor(() => getObject(`${agent.url}/api/v1/workers/${doomed.nodeName}`), 10_000, 'the worker');
  expect(known).toMatchObject({ online: true, pid: null, heartbeatEveryMs: null });
  expect(await firing('CeleryTasksOrphaned')).toBeUndefined();
  await doomed.kill('SIGKILL');

  const isOrphaned = async (): Promise<boolean> => (await agent.metrics()).sum('umbel_tasks_orphaned_total') === 1;
  await waitFor(isOrphaned, 90_000, 'the task being orphaned');
  const alert = await fires('CeleryTasksOrphaned');
  expect(alert.labels).toMatchObject({ name: 'shop.sleep', worker: doomed.nodeName, severity: 'warning' });
  expectFilledIn(alert);
  await falls('CeleryTasksOrphaned');
}, 240_000);

it('UmbelSlicesMixed fires while an agent on the same database takes half a stream, the others the whole', async () => {
  expect(await firing('UmbelSlicesMixed')).toBeUndefined();
  const half = await startAgent({ brokerUrl, databaseUrl: agent.databaseUrl, args: ['--slice', '1/2'] });
  const alert = await fires('UmbelSlicesMixed');
  expect(alert.labels).toMatchObject({ job: 'celery', severity: 'warning' });
  expect(alert.annotations['description']).toMatch(/^1 slices of celery /);
  expectFilledIn(alert);
  await half.kill('SIGTERM');
  await falls('UmbelSlicesMixed');
}, 240_000);
