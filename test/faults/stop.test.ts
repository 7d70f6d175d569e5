import { Redis } from 'ioredis';
import { expect, it } from '@jest/globals';
import type { RunningAgent } from '../support/agent.ts';
import { startAgent } from '../support/agent.ts';
import { freshDatabase } from '../support/database.ts';
import { testDatabaseUrl } from '../support/environment.ts';
import { eachOnce, historyRows } from '../support/history-rows.ts';
import { startPublisher } from '../support/publisher.ts';
import type { RedisServer } from '../support/redis.ts';
import { startRedis } from '../support/redis.ts';
import type { SlowProxy } from '../support/slow-proxy.ts';
import { startSlowProxy } from '../support/slow-proxy.ts';
import { waitFor } from '../support/wait.ts';

const TASKS = 10_000;
/** What is given up at a stop is told in a sentence, without the trace of an error. */
const STACK = /\bat .*\.js:\d+:\d+/;

interface Place {
  readonly redis: RedisServer;
  readonly proxy: SlowProxy;
  readonly agent: RunningAgent;
}

/** A fresh database behind a proxy. */
async function slowDatabase(): Promise<{ readonly proxy: SlowProxy; readonly databaseUrl: string }> {
  const url = new URL((await freshDatabase()).url);
  const proxy = await startSlowProxy(Number(new URL(testDatabaseUrl()).port));
  url.port = String(proxy.port);
  return { proxy, databaseUrl: url.href };
}

/** An agent that reaches its database through the proxy, and is sent everything while the database is slow. */
async function behindABacklog(delayMs: number): Promise<Place> {
  const { proxy, databaseUrl } = await slowDatabase();
  const redis = await startRedis();
  const agent = await startAgent({
    brokerUrl: `${redis.url}/0`,
    databaseUrl,
    args: ['--buffer-memory', '1MB'],
  });
  await waitFor(async () => (await agent.metrics()).sum('umbel_broker_connected') === 1, 30_000, 'the agent listening');
  proxy.delayMs = delayMs;
  await startPublisher({ redisUrl: redis.url, tasks: TASKS }).done;
  const client = new Redis(redis.url);
  const isRead = async (): Promise<boolean> =>
    !/ omem=[1-9]/.test(String(await client.call('CLIENT', 'LIST', 'TYPE', 'pubsub')));
  await waitFor(isRead, 60_000, 'the agent having read everything');
  client.disconnect();
  return { redis, proxy, agent };
}

it.each([
  ['slow', 300],
  ['hanging', 3_600_000],
])(
  'an agent that is stopped behind a %s Postgres ends well, and nothing of its backlog is lost',
  async (_, delayMs) => {
    const { proxy, agent } = await behindABacklog(delayMs);
    const process = agent.process();
    expect(await agent.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    expect(process.output()).toMatch(/wait in files of .* stored by the next start/);
    expect(process.output()).not.toMatch(STACK);

    proxy.delayMs = 0;
    await agent.restart();
    const isStored = async (): Promise<boolean> => (await historyRows(agent.databaseUrl)).events >= 3 * TASKS;
    await waitFor(isStored, 90_000, 'every event in the history');
    expect(await historyRows(agent.databaseUrl)).toEqual(eachOnce(TASKS));
  },
  180_000,
);

it('an agent that is stopped while it makes and drops partitions says that it goes on with it later', async () => {
  const { proxy, databaseUrl } = await slowDatabase();
  proxy.delayMs = 20;
  const agent = await startAgent({ databaseUrl });
  const process = agent.process();
  expect(await agent.kill('SIGTERM')).toEqual({ code: 0, signal: null });
  expect(process.output()).toContain('retention was cut short by the stop');
  expect(process.output()).not.toMatch(STACK);
}, 60_000);
