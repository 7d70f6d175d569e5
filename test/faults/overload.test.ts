import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import pg from 'pg';
import { envelope } from '../celery-app/publish.mjs';
import type { RunningAgent } from '../support/agent.ts';
import { startAgent } from '../support/agent.ts';
import { closeAtEnd } from '../support/cleanup.ts';
import { freshDatabase } from '../support/database.ts';
import { testDatabaseUrl } from '../support/environment.ts';
import { eachOnce, historyRows } from '../support/history-rows.ts';
import { getObject, getText } from '../support/http.ts';
import { startOtlpReceiver } from '../support/otlp-receiver.ts';
import { startPublisher } from '../support/publisher.ts';
import { startRedis } from '../support/redis.ts';
import { startSlowProxy } from '../support/slow-proxy.ts';
import { waitFor } from '../support/wait.ts';

async function listening(agent: RunningAgent): Promise<void> {
  const isListening = async (): Promise<boolean> => (await agent.metrics()).sum('umbel_broker_connected') === 1;
  await waitFor(isListening, 30_000, 'the agent listening');
}

const stored = (agent: RunningAgent, events: number): Promise<unknown> =>
  waitFor(async () => (await historyRows(agent.databaseUrl)).events >= events, 90_000, 'every event in the history');

interface Follower {
  readonly text: () => string;
  readonly hasEnded: () => boolean;
}

/** Follows the live stream and reads all of it. */
function follow(agent: RunningAgent): Follower {
  let text = '';
  let hasEnded = false;
  const asked = request(`${agent.url}/api/v1/stream`, (response) => {
    response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    response.on('close', () => (hasEnded = true));
  });
  asked.on('error', () => (hasEnded = true)).end();
  closeAtEnd({ close: () => void asked.destroy() });
  return { text: () => text, hasEnded: () => hasEnded };
}

/** Opens a connection that is never read; `asks` is what it sends. */
function silentClient(agent: RunningAgent, asks: string): Socket {
  const { hostname, port } = new URL(agent.url);
  const socket = connect(Number(port), hostname, () => socket.write(asks));
  socket.pause().on('error', () => undefined);
  closeAtEnd({ close: () => void socket.destroy() });
  return socket;
}

it('a slow Postgres: telemetry, live streams and searches are left out, in this order, and no event is lost', async () => {
  const database = await freshDatabase();
  const url = new URL(database.url);
  const proxy = await startSlowProxy(Number(new URL(testDatabaseUrl()).port));
  url.port = String(proxy.port);
  const [redis, otlp] = await Promise.all([startRedis(), startOtlpReceiver()]);
  const agent = await startAgent({
    brokerUrl: `${redis.url}/0`,
    databaseUrl: url.href,
    args: ['--buffer-memory', '1MB', '--buffer-disk', '24MB', '--otlp-endpoint', otlp.url],
  });
  await listening(agent);
  const follower = follow(agent);
  await waitFor(async () => (await agent.metrics()).sum('umbel_live_subscribers') === 1, 10_000, 'the follower');

  proxy.delayMs = 400;
  const tasks = 15_000;
  const load = startPublisher({ redisUrl: redis.url, tasks, rate: 8000 });
  const order: string[] = [];
  await waitFor(
    async () => {
      const metrics = await agent.metrics();
      for (const work of ['telemetry', 'live', 'searches']) {
        if (metrics.sum('umbel_shedding', { work }) === 1 && !order.includes(work)) order.push(work);
      }
      return order.length === 3;
    },
    60_000,
    'everything being left out',
  );
  expect(order).toEqual(['telemetry', 'live', 'searches']);
  const { shedding, warnings, history } = await getObject(`${agent.url}/api/v1/status`);
  expect(shedding).toHaveLength(3);
  expect(warnings).toEqual(expect.arrayContaining(shedding as string[]));
  expect(history).toMatchObject({ connected: true });
  await waitFor(follower.hasEnded, 10_000, 'the live stream being ended');
  const refused = await getText(`${agent.url}/api/v1/stream`);
  expect([refused.status, refused.body]).toEqual([503, expect.stringContaining('overloaded')]);
  const search = await getText(`${agent.url}/api/v1/tasks`);
  expect([search.status, search.body]).toEqual([503, expect.stringContaining('history-busy')]);
  expect(search.headers.get('retry-after')).not.toBeNull();
  expect((await getText(`${agent.url}/api/v1/tasks/unknown`)).status).toBe(404);

  proxy.delayMs = 0;
  const { events } = await load.done;
  await stored(agent, events);
  expect(await historyRows(agent.databaseUrl)).toEqual(eachOnce(tasks));
  await waitFor(async () => (await agent.metrics()).sum('umbel_shedding') === 0, 20_000, 'everything being done again');
  const metrics = await agent.metrics();
  expect(metrics.sum('umbel_messages_dropped_total')).toBe(0);
  for (const work of ['telemetry', 'live', 'searches']) {
    expect(metrics.sum('umbel_shed_total', { work })).toBeGreaterThan(0);
  }
  expect((await getText(`${agent.url}/api/v1/tasks`)).status).toBe(200);
  expect(agent.process().output()).toMatch(/overloaded: live streams are ended/);
}, 240_000);

it('a read that takes longer than the statement timeout is ended, counted and told, and the next one is answered', async () => {
  const redis = await startRedis();
  const agent = await startAgent({ brokerUrl: `${redis.url}/0`, args: ['--statement-timeout', '1s'] });
  await listening(agent);
  const isAnswered = async (): Promise<number> => (await getText(`${agent.url}/api/v1/tasks`)).status;
  expect(await isAnswered()).toBe(200);

  const holder = new pg.Client({ connectionString: agent.databaseUrl });
  await holder.connect();
  closeAtEnd({ close: () => holder.end() });
  await holder.query('begin; lock table celery_tasks in access exclusive mode');
  const ended = await Promise.all([1, 2].map(() => getText(`${agent.url}/api/v1/tasks`)));
  await holder.query('rollback');
  for (const { status, body } of ended) {
    expect(status).toBe(504);
    expect(JSON.parse(body)).toMatchObject({ error: { code: 'timeout', message: expect.stringContaining('narrow') } });
  }
  const bound = 'database_reads';
  expect((await agent.metrics()).sum('umbel_bound_exceeded_total', { bound })).toBe(2);
  const { limits } = await getObject(`${agent.url}/api/v1/status`);
  expect(limits).toContainEqual(expect.objectContaining({ bound, exceeded: 2 }));
  expect(await isAnswered()).toBe(200);
}, 240_000);

it('what is cut when it is stored, and requests refused for their size, are counted and told', async () => {
  const redis = await startRedis();
  const agent = await startAgent({ brokerUrl: `${redis.url}/0`, args: ['--max-text-length', '100'] });
  await listening(agent);
  const client = new Redis(redis.url);
  closeAtEnd({ close: () => client.disconnect() });
  const event = { type: 'task-received', uuid: 'long', name: 'n', hostname: 'w@h', pid: 1, utcoffset: 0 };
  const long = { args: `(${'1, '.repeat(100)})`, kwargs: `{${'a: 1, '.repeat(100)}}`, big: 'x'.repeat(1_100_000) };
  const sent = { ...event, ...long, timestamp: Date.now() / 1000, clock: 1 };
  await client.publish('/0.celeryev/task.received', envelope(sent, 'task.received'));
  await stored(agent, 1);
  expect((await getText(`${agent.url}/api/v1/tasks?search=${'x'.repeat(9000)}`)).status).toBe(414);
  const told = { stored_texts: 2, event_fields: 1, request_size: 1, slow_clients: 0, gaps_waiting: 0 };
  const metrics = await agent.metrics();
  const { limits } = await getObject(`${agent.url}/api/v1/status`);
  for (const [bound, exceeded] of Object.entries(told)) {
    expect([bound, metrics.sum('umbel_bound_exceeded_total', { bound })]).toEqual([bound, exceeded]);
    expect(limits).toContainEqual(expect.objectContaining({ bound, exceeded }));
  }
}, 240_000);

it('a client that never reads its live stream loses messages, which are counted; everybody else is served', async () => {
  const redis = await startRedis();
  const agent = await startAgent({ brokerUrl: `${redis.url}/0`, args: ['--max-connections', '20'] });
  await listening(agent);
  const follower = follow(agent);
  silentClient(agent, 'GET /api/v1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await waitFor(async () => (await agent.metrics()).sum('umbel_live_subscribers') === 2, 10_000, 'both streams');

  // The kernel takes megabytes for a client before the agent notices: more than that must be told.
  const tasks = 12_000;
  const { events } = await startPublisher({ redisUrl: redis.url, tasks, rate: 6000 }).done;
  await stored(agent, events);
  expect(await historyRows(agent.databaseUrl)).toEqual(eachOnce(tasks));
  const metrics = await agent.metrics();
  expect(metrics.sum('umbel_live_dropped_total')).toBeGreaterThan(0);
  expect(metrics.sum('umbel_live_subscribers')).toBe(2);
  const before = follower.text().length;
  await startPublisher({ redisUrl: redis.url, tasks: 10 }).done;
  await waitFor(() => follower.text().slice(before).includes('task-succeeded'), 10_000, 'the reader hearing the last');
  expect(follower.hasEnded()).toBe(false);

  for (let n = 0; n < 30; n++) silentClient(agent, '');
  await waitFor(
    async () => {
      // Over the connection of the follower's kind that is open already: a new one may be refused, too.
      const answer = await getText(`${agent.url}/metrics`).catch(() => undefined);
      return answer !== undefined && /^umbel_bound_exceeded_total\{bound="connections"\} [1-9]/m.test(answer.body);
    },
    20_000,
    'connections being refused and counted',
  );
  expect(agent.process().running()).toBe(true);
}, 240_000);
