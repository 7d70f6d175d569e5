import { expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { envelope, heartbeat } from '../celery-app/publish.mjs';
import { type RunningAgent, startAgent } from '../support/agent.ts';
import { publishEvents } from '../support/amqp-events.ts';
import { closeAtEnd } from '../support/cleanup.ts';
import { freshDatabase, queryRows } from '../support/database.ts';
import { getText } from '../support/http.ts';
import { startPublisher } from '../support/publisher.ts';
import { testRabbitMq } from '../support/rabbitmq.ts';
import { startRedis } from '../support/redis.ts';
import { pause, waitFor } from '../support/wait.ts';

interface Status {
  readonly role: string;
  readonly standingBy: boolean;
  readonly slice: { readonly name: string; readonly active: boolean; readonly missing: readonly string[] } | null;
  readonly warnings: readonly string[];
}

const statusOf = async (agent: RunningAgent): Promise<Status> =>
  JSON.parse((await getText(`${agent.url}/api/v1/status`)).body) as Status;

/** What `sum(NAME)` gives in Prometheus, which scrapes all of these. */
async function sum(agents: readonly RunningAgent[], name: string, labels?: Record<string, string>): Promise<number> {
  const scrapes = await Promise.all(agents.map((agent) => agent.metrics()));
  return scrapes.reduce((total, scrape) => total + scrape.sum(name, labels), 0);
}

async function replicas(
  brokerUrl: string,
  ...each: readonly (readonly string[])[]
): Promise<{ readonly agents: readonly RunningAgent[]; readonly databaseUrl: string }> {
  const { url: databaseUrl } = await freshDatabase();
  const agents: RunningAgent[] = [];
  for (const [index, args] of each.entries()) {
    const named = ['--agent-name', `replica-${index}`, '--probe-interval', '1s', ...args];
    agents.push(await startAgent({ brokerUrl, databaseUrl, args: named }));
  }
  for (const agent of agents) {
    await waitFor(async () => (await agent.metrics()).sum('umbel_broker_connected') === 1, 30_000, 'it listening');
  }
  return { agents, databaseUrl };
}

/** Four workers that send heartbeats until the test file ends, or they are among the `dead`. */
function beat(redisUrl: string, dead: ReadonlySet<number> = new Set()): void {
  const client = new Redis(redisUrl);
  let clock = 1_000_000;
  const timer = setInterval(() => {
    for (let worker = 0; worker < 4; worker++) {
      if (dead.has(worker)) continue;
      const text = envelope(heartbeat(worker, (clock += 1)), 'worker.heartbeat');
      client.publish('/0.celeryev/worker.heartbeat', text).catch(() => undefined);
    }
  }, 500);
  closeAtEnd({
    close: () => {
      clearInterval(timer);
      client.disconnect();
    },
  });
}

async function expectStored(databaseUrl: string, events: number): Promise<void> {
  const count = async (): Promise<number> =>
    (await queryRows<{ n: number }>(databaseUrl, 'select count(*)::int as n from celery_task_events'))[0]?.n ?? 0;
  await waitFor(async () => (await count()) >= events, 60_000, `${events} events stored`);
  expect(await count()).toBe(events);
}

/** Everything that a sum over both must not count twice. */
async function expectSums(agents: readonly RunningAgent[], tasks: number): Promise<void> {
  const done = tasks - Math.floor(tasks / 50);
  await waitFor(async () => (await sum(agents, 'celery_task_succeeded_total')) >= done, 60_000, 'all being counted');
  expect(await sum(agents, 'celery_task_succeeded_total')).toBe(done);
  expect(await sum(agents, 'celery_task_received_total')).toBe(tasks);
  expect(await sum(agents, 'flower_events_total', { type: 'task-started' })).toBe(tasks);
  expect(await sum(agents, 'celery_task_runtime_count')).toBe(done);
  await waitFor(async () => (await sum(agents, 'umbel_leader')) === 1, 20_000, 'one of them leading');
}

it('two agents on Redis: the leader alone shows the cluster, and the other one when it is gone', async () => {
  const redis = await startRedis();
  const { agents, databaseUrl } = await replicas(`${redis.url}/0`, [], []);
  const [first, second] = agents;
  if (first === undefined || second === undefined) throw new Error('two agents are needed');
  beat(redis.url);
  await startPublisher({ redisUrl: redis.url, tasks: 1000 }).done;
  await expectSums(agents, 1000);
  await waitFor(async () => (await sum(agents, 'flower_worker_online')) === 4, 20_000, 'the workers online');
  expect(await sum(agents, 'celery_worker_up')).toBe(1); // of the host "bench"
  await waitFor(async () => (await sum(agents, 'umbel_probe_duration_seconds')) > 0, 20_000, 'the leader having asked');
  const scrapes = await Promise.all(agents.map((agent) => agent.metrics()));
  const asked = scrapes.map((scrape) => scrape.select((name) => name === 'umbel_probe_age_seconds').size);
  expect(asked).toEqual([2, 0]);
  expect((await Promise.all(agents.map(statusOf))).map(({ role }) => role)).toEqual(['leader', 'standby']);
  expect(await sum(agents, 'umbel_events_received_total', { type: 'task-received' })).toBe(2000); // each its own

  await first.kill('SIGKILL');
  const killedMs = Date.now();
  await waitFor(async () => (await sum([second], 'umbel_leader')) === 1, 10_000, 'the other one leading');
  expect(Date.now() - killedMs).toBeLessThan(10_000);
  await waitFor(async () => (await sum([second], 'celery_task_received_total')) === 0, 5000, 'counts beginning at 0');
  await first.restart();
  await startPublisher({ redisUrl: redis.url, tasks: 500 }).done;
  await expectSums(agents, 500); // the killed one has shown the others
  await expectStored(databaseUrl, 4500);
}, 180_000);

it('a worker that died while no agent ran is told as lost, once, and no other one is', async () => {
  const redis = await startRedis();
  const { agents, databaseUrl } = await replicas(`${redis.url}/0`, [], []);
  const dead = new Set<number>();
  beat(redis.url, dead);
  const stored = async () =>
    (await queryRows<{ n: number }>(databaseUrl, 'select count(*)::int as n from celery_workers'))[0]?.n === 4;
  await waitFor(stored, 30_000, 'the workers in the history');
  for (const agent of agents) await agent.kill('SIGKILL');
  dead.add(3);
  // Longer than a worker may be silent: those that live are not to be told as lost, though nobody heard them.
  await pause(16_000);
  for (const agent of agents) agent.launch();
  const lost = () =>
    queryRows(databaseUrl, "select hostname from celery_worker_events where type = 'worker-lost' group by 1");
  await waitFor(async () => (await lost()).length > 0, 60_000, 'a worker being told as lost');
  await pause(3000);
  const [told, ...others] = await queryRows<{ hostname: string }>(
    databaseUrl,
    "select hostname from celery_worker_events where type = 'worker-lost'",
  );
  expect(others).toEqual([]);
  expect(await queryRows(databaseUrl, 'select hostname from celery_workers where not online')).toEqual([told]);
}, 180_000);

it('slices on Redis share the tasks, add up, and tell which one is missing', async () => {
  const redis = await startRedis();
  const { agents, databaseUrl } = await replicas(`${redis.url}/0`, ['--slice', '1/3'], ['--slice', '2/3']);
  const leader = agents[0];
  if (leader === undefined) throw new Error('no agent');
  beat(redis.url);
  const missing = async (): Promise<readonly string[] | undefined> => (await statusOf(leader)).slice?.missing;
  await waitFor(async () => (await missing())?.join() === '3/3', 10_000, 'the missing slice being told');
  expect((await statusOf(leader)).warnings.join()).toContain('No agent listens to the slice 3/3');
  expect(await sum(agents, 'umbel_slices_missing')).toBe(1);

  const third = await startAgent({
    brokerUrl: `${redis.url}/0`,
    databaseUrl,
    args: ['--agent-name', 'replica-2', '--slice', '3/3'],
  });
  await waitFor(async () => (await third.metrics()).sum('umbel_broker_connected') === 1, 30_000, 'it listening');
  const all = [...agents, third];
  await waitFor(async () => (await sum(all, 'umbel_slices_missing')) === 0, 10_000, 'none missing');
  expect(await sum(all, 'umbel_slice_active')).toBe(3);
  await startPublisher({ redisUrl: redis.url, tasks: 3000 }).done;
  await expectSums(all, 3000);
  await expectStored(databaseUrl, 9000);
  await waitFor(async () => (await sum(all, 'flower_worker_online')) === 4, 20_000, 'the workers online');
  expect(await sum(all, 'umbel_events_of_other_slices_total')).toBe(2 * 9000);
  for (const agent of all) {
    const own = await sum([agent], 'celery_task_received_total');
    expect(own).toBeGreaterThan(800);
    expect(own).toBeLessThan(1200);
  }
}, 180_000);

it('agents that part the stream into different numbers of slices are warned of, until they agree', async () => {
  const redis = await startRedis();
  const { agents } = await replicas(`${redis.url}/0`, ['--slice', '1/2'], ['--slice', '1/3']);
  const [leader, other] = agents;
  if (leader === undefined || other === undefined) throw new Error('two agents are needed');
  const misfits = (): Promise<number> => sum(agents.slice(0, 1), 'umbel_slices_misfit');
  await waitFor(async () => (await misfits()) === 1, 10_000, 'the leader having looked');
  expect((await statusOf(leader)).warnings).toContainEqual(
    'Agents with --slice 1/3 run beside this one with 1/2: tasks are counted twice. ' +
      'Give all of them the same number of slices.',
  );
  await other.kill('SIGTERM');
  await waitFor(async () => (await misfits()) === 0, 10_000, 'the other one being gone');
  expect((await statusOf(leader)).warnings.join()).not.toContain('counted twice');
}, 120_000);

it('two agents on RabbitMQ: one is given the events and leads, the other one stands by', async () => {
  const exchange = `ev-replicas-${Date.now()}`;
  const brokerUrl = await testRabbitMq();
  const { agents, databaseUrl } = await replicas(
    brokerUrl,
    ['--event-exchange', exchange],
    ['--event-exchange', exchange],
  );
  const events = await publishEvents(brokerUrl, { exchange, tasks: 1000 });
  await expectSums(agents, 1000);
  await waitFor(async () => (await sum(agents, 'umbel_standing_by')) === 1, 20_000, 'one standing by');
  const statuses = await Promise.all(agents.map(statusOf));
  expect(statuses.map(({ role, standingBy }) => (role === 'leader') === !standingBy)).toEqual([true, true]);
  const active = agents[statuses.findIndex(({ standingBy }) => !standingBy)];
  const other = agents[statuses.findIndex(({ standingBy }) => standingBy)];
  if (active === undefined || other === undefined) throw new Error('one of each is needed');
  await expectStored(databaseUrl, events);

  await active.kill('SIGKILL');
  const more = await publishEvents(brokerUrl, { exchange, tasks: 500 });
  await expectStored(databaseUrl, events + more);
  await waitFor(async () => (await sum([other], 'umbel_leader')) === 1, 20_000, 'the other one leading');
  expect(await sum([other], 'umbel_standing_by')).toBe(0);
  expect(await sum([other], 'celery_task_received_total')).toBeGreaterThanOrEqual(500);
}, 180_000);
