import { connect } from 'amqplib';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { RedisServer } from '../../agent/src/transport/redis/redis-server.testkit.ts';
import type { RunningAgent } from '../support/agent.ts';
import { startAgent } from '../support/agent.ts';
import { publishEvents } from '../support/amqp-events.ts';
import { closeAtEnd } from '../support/cleanup.ts';
import type { GapRow } from '../support/history-rows.ts';
import { eachOnce, gapRows, historyRows } from '../support/history-rows.ts';
import { getObject } from '../support/http.ts';
import { freePort } from '../support/ports.ts';
import { startPublisher } from '../support/publisher.ts';
import { testRabbitMq } from '../support/rabbitmq.ts';
import type { RedisServer as OwnRedis } from '../support/redis.ts';
import { startRedis } from '../support/redis.ts';
import { waitFor } from '../support/wait.ts';

const TASKS = 500;

const connected = (agent: RunningAgent, reconnects: number): Promise<true> =>
  waitFor(
    async () => {
      const metrics = await agent.metrics();
      return metrics.sum('umbel_broker_connected') === 1 && metrics.sum('umbel_broker_reconnects_total') >= reconnects;
    },
    30_000,
    'the agent listening',
  );

const stored = (agent: RunningAgent, tasks: number): Promise<unknown> =>
  waitFor(async () => (await historyRows(agent.databaseUrl)).events >= 3 * tasks, 30_000, 'every event in the history');

/** The one time without a connection is a row, a counter, a line in the log and a number in the status. */
async function expectOneGap(agent: RunningAgent, between: readonly [number, number]): Promise<GapRow> {
  const [gap, ...others] = await waitFor(
    async () => {
      const rows = await gapRows(agent.databaseUrl);
      return rows.length > 0 && rows;
    },
    20_000,
    'the gap in the history',
  );
  expect(others).toEqual([]);
  if (gap === undefined) throw new Error('no gap');
  expect(gap.toMs).toBeGreaterThanOrEqual(gap.fromMs);
  // Its begin is the last sign of life, which may be some seconds older than the fault.
  expect(gap.fromMs).toBeLessThanOrEqual(between[1]);
  expect(gap.toMs).toBeGreaterThanOrEqual(between[0]);
  const metrics = await agent.metrics();
  expect(metrics.sum('umbel_event_gaps_total')).toBe(1);
  expect(metrics.sum('umbel_gap_seconds_total')).toBeCloseTo((gap.toMs - gap.fromMs) / 1000, 1);
  expect(agent.process().output()).toContain('events could not be heard for a time');
  expect(await getObject(`${agent.url}/api/v1/status`)).toMatchObject({ broker: { connected: true, reconnects: 1 } });
  return gap;
}

describe('Redis', () => {
  let redis: OwnRedis;
  let agent: RunningAgent;
  let pid: number;
  beforeEach(async () => {
    redis = await startRedis();
    agent = await startAgent({ brokerUrl: `${redis.url}/0` });
    pid = agent.process().pid;
    await connected(agent, 0);
    await startPublisher({ redisUrl: redis.url, tasks: TASKS }).done;
  }, 60_000);

  async function goesOn(): Promise<void> {
    await startPublisher({ redisUrl: redis.url, tasks: TASKS }).done;
    await stored(agent, 2 * TASKS);
    expect(await historyRows(agent.databaseUrl)).toEqual(eachOnce(2 * TASKS));
    expect(agent.process().pid).toBe(pid);
    expect(agent.process().running()).toBe(true);
  }

  it('restarted: what was heard before and after is stored once, and the time between is told', async () => {
    const downMs = Date.now();
    await redis.stop();
    await waitFor(async () => (await agent.metrics()).sum('umbel_broker_connected') === 0, 10_000, 'the loss noticed');
    const { warnings, broker } = await getObject(`${agent.url}/api/v1/status`);
    expect(JSON.stringify([warnings, broker])).toMatch(/ECONNREFUSED|refuse|closed/);
    const lasting = async () => ((await getObject(`${agent.url}/api/v1/gaps`))['gaps'] as Partial<GapRow>[])[0];
    expect(await waitFor(lasting, 20_000, 'the gap that lasts')).toMatchObject({ toMs: null });
    await redis.restart();
    const upMs = Date.now();
    await connected(agent, 1);
    await expectOneGap(agent, [downMs, upMs]);
    await goesOn();
  }, 90_000);

  it('cutting every connection with CLIENT KILL is one gap, and remote control goes on', async () => {
    await waitFor(
      async () => (await getObject(`${agent.url}/api/queues/length`))['active_queues'],
      20_000,
      'an answer',
    );
    const client = new Redis(redis.url);
    const killMs = Date.now();
    const cut = Number(await client.call('CLIENT', 'KILL', 'TYPE', 'pubsub'));
    const others = Number(await client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'));
    client.disconnect();
    expect(cut).toBe(1);
    expect(others).toBeGreaterThan(0);
    await connected(agent, 1);
    const gap = await expectOneGap(agent, [killMs, Date.now()]);
    expect(gap.cause).toMatch(/connection/);
    expect(await getObject(`${agent.url}/api/queues/length`)).toHaveProperty('active_queues');
    await goesOn();
  }, 90_000);
});

it('a fail-over under Sentinel costs a gap and no event that was sent outside of it', async () => {
  const first = closeAtEnd(new RedisServer(await freePort(), []));
  await first.start();
  const second = closeAtEnd(new RedisServer(await freePort(), [`replicaof 127.0.0.1 ${first.port}`]));
  await second.start();
  const lines = [
    `sentinel monitor mymaster 127.0.0.1 ${first.port} 1`,
    'sentinel down-after-milliseconds mymaster 500',
    'sentinel failover-timeout mymaster 3000',
  ];
  const sentinel = closeAtEnd(new RedisServer(await freePort(), lines, {}, true));
  await sentinel.start();
  const replicas = async (): Promise<boolean> =>
    sentinel
      .run(async (client) => JSON.stringify(await client.call('SENTINEL', 'REPLICAS', 'mymaster')))
      .then((text) => text.includes(String(second.port)));
  await waitFor(replicas, 20_000, 'the sentinel knowing the replica');
  const agent = await startAgent({
    brokerUrl: `sentinel://127.0.0.1:${sentinel.port}`,
    args: ['--master-name', 'mymaster'],
  });
  await connected(agent, 0);
  await startPublisher({ redisUrl: `redis://127.0.0.1:${first.port}`, tasks: TASKS }).done;
  await stored(agent, TASKS);

  const downMs = Date.now();
  await first.stop('SIGKILL');
  await connected(agent, 1);
  await startPublisher({ redisUrl: `redis://127.0.0.1:${second.port}`, tasks: TASKS }).done;
  await stored(agent, 2 * TASKS);
  expect(await historyRows(agent.databaseUrl)).toEqual(eachOnce(2 * TASKS));
  await expectOneGap(agent, [downMs, Date.now()]);
  expect(agent.process().running()).toBe(true);
}, 120_000);

// That nothing is lost over a restart of RabbitMQ, in good order or by SIGKILL, is in contract/rabbitmq.test.ts.
it('the queue deleted under the agent on RabbitMQ is declared again, and the moment between told', async () => {
  const url = await testRabbitMq();
  const exchange = `ev-deleted-${Date.now()}`;
  const agent = await startAgent({ brokerUrl: url, args: ['--event-exchange', exchange] });
  await connected(agent, 0);
  await publishEvents(url, { exchange, tasks: TASKS });
  await stored(agent, TASKS);
  const model = await connect(url);
  const channel = await model.createChannel();
  await channel.deleteQueue(`umbel.${exchange}`);
  await model.close();
  const [gap] = await waitFor(
    async () => {
      const rows = await gapRows(agent.databaseUrl);
      return rows.length > 0 && rows;
    },
    20_000,
    'the gap in the history',
  );
  expect(gap?.cause).toContain(`the queue umbel.${exchange} was gone`);
  expect((await agent.metrics()).sum('umbel_event_gaps_total')).toBe(1);
  await publishEvents(url, { exchange, tasks: TASKS });
  await stored(agent, 2 * TASKS);
  expect(await historyRows(agent.databaseUrl)).toEqual(eachOnce(2 * TASKS));
}, 120_000);
