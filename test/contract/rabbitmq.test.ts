import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import { startAgent } from '../support/agent.ts';
import type { RunningAgent } from '../support/agent.ts';
import { publishEvents, waitingMessages } from '../support/amqp-events.ts';
import { freshDatabase, queryRows } from '../support/database.ts';
import { startPostgres } from '../support/postgres.ts';
import { startRabbitMq } from '../support/rabbitmq.ts';
import type { RabbitMqServer } from '../support/rabbitmq.ts';
import { waitFor } from '../support/wait.ts';

let broker: RabbitMqServer;
beforeAll(async () => {
  broker = await startRabbitMq();
}, 120_000);

interface Stored {
  readonly events: number;
  readonly identities: number;
  readonly tasks: number;
  readonly succeeded: number;
  readonly failed: number;
  /** What the rollups have counted. */
  readonly counted: number;
  readonly gaps: number;
}

async function stored(databaseUrl: string): Promise<Stored> {
  const [row] = await queryRows<Stored & Record<string, unknown>>(
    databaseUrl,
    `select (select count(*) from celery_task_events)::int as events,
      (select count(distinct identity) from celery_task_events)::int as identities,
      (select count(*) from celery_tasks)::int as tasks,
      (select count(*) from celery_tasks where state = 'SUCCESS')::int as succeeded,
      (select count(*) from celery_tasks where state = 'FAILURE')::int as failed,
      (select coalesce(sum(received + started + succeeded + failed + other), 0) from celery_task_rollups)::int as counted,
      (select count(*) from umbel_gaps)::int as gaps`,
  );
  if (row === undefined) throw new Error('no row');
  return row;
}

const storedEvents = async (agent: RunningAgent): Promise<number> =>
  (await queryRows<{ n: number }>(agent.databaseUrl, 'select count(*)::int as n from celery_task_events'))[0]?.n ?? 0;

/** Each event once, no task in a wrong state, and nothing told as missing. */
async function expectOnce(agent: RunningAgent, events: number): Promise<void> {
  await waitFor(async () => (await storedEvents(agent)) >= events, 60_000, `${events} events in the history`);
  const tasks = events / 3;
  const failed = Math.floor(tasks / 50);
  expect(await stored(agent.databaseUrl)).toEqual({
    ...{ events, identities: events, tasks, succeeded: tasks - failed, failed, counted: events, gaps: 0 },
  });
}

const connected = (agent: RunningAgent): Promise<true> =>
  waitFor(async () => (await agent.metrics()).sum('umbel_broker_connected') === 1, 60_000, 'the agent listening');

/** An agent with exchange, queue and database of its own. */
async function listen(exchange: string, args: readonly string[] = [], databaseUrl?: string): Promise<RunningAgent> {
  const agent = await startAgent({
    brokerUrl: broker.url,
    args: ['--event-exchange', exchange, ...args],
    ...(databaseUrl !== undefined && { databaseUrl }),
  });
  await connected(agent);
  return agent;
}

/** When it last told that it hears events, by the database's clock. */
async function beat(agent: RunningAgent): Promise<number> {
  const rows = await queryRows<{ at: Date }>(agent.databaseUrl, 'select max(alive_at) as at from umbel_agents');
  return rows[0]?.at.getTime() ?? 0;
}

/**
 * Stops it in good order, once nothing is on its way; what it has stored is settled with the broker then. All events may be
 * stored long before that: a broker that was killed delivers again what it had been told of, but had not written down.
 */
async function stopSettled(agent: RunningAgent, exchange: string): Promise<void> {
  const isIdle = async (): Promise<boolean> => {
    if ((await waitingMessages(broker.url, `umbel.${exchange}`)) !== 0) return false;
    const metrics = await agent.metrics();
    return metrics.sum('umbel_intake_queue_bytes') + metrics.sum('umbel_history_queue_events') === 0;
  };
  await waitFor(isIdle, 60_000, 'every message being stored');
  const { signal } = await agent.kill('SIGTERM');
  expect(signal).toBeNull();
  expect(await waitingMessages(broker.url, `umbel.${exchange}`)).toBe(0);
}

describe('the agent', () => {
  it('stopped while 20,000 events pass stores each of them once after its start, and tells no gap', async () => {
    const agent = await listen('ev-stopped');
    await waitFor(async () => (await beat(agent)) > 0, 20_000, 'the first sign of life');
    await agent.kill('SIGTERM');
    const events = await publishEvents(broker.url, { exchange: 'ev-stopped', tasks: 7000 });
    expect(await storedEvents(agent)).toBe(0);
    const restartedMs = Date.now();
    await agent.restart();
    await expectOnce(agent, events);
    await waitFor(async () => (await beat(agent)) >= restartedMs, 20_000, 'a sign of life'); // a gap is told with it
    await stopSettled(agent, 'ev-stopped');
    await expectOnce(agent, events);
  }, 120_000);

  it('killed five times during a stream stores each event once', async () => {
    const agent = await listen('ev-killed');
    const tasks = 10_000;
    const flow = publishEvents(broker.url, { exchange: 'ev-killed', tasks, rate: 4000 });
    const moments = Array.from({ length: 5 }, (_, n) => Math.round((n + Math.random()) * 0.2 * 0.9 * tasks * 3));
    for (const moment of moments) {
      const at = `${moment} of ${moments.join(', ')}`;
      await waitFor(async () => (await storedEvents(agent)) >= moment, 60_000, `${at} events stored`);
      await agent.kill('SIGKILL');
      agent.launch();
    }
    await expectOnce(agent, await flow);
    await connected(agent); // the last one may not have needed to store anything
    await stopSettled(agent, 'ev-killed');
  }, 180_000);

  it('without Postgres takes no more than it may hold unsettled, and stores all when it is back', async () => {
    const postgres = await startPostgres();
    const { url } = await freshDatabase(postgres.url);
    const [prefetch, batch] = [60, 10];
    const agent = await listen('ev-away', ['--prefetch', String(prefetch)], url);
    const received = async (): Promise<number> => (await agent.metrics()).sum('umbel_events_received_total');
    const flow = publishEvents(broker.url, { exchange: 'ev-away', tasks: 5000, batch, rate: 4000 });
    await waitFor(async () => (await storedEvents(agent)) > 2000, 30_000, 'the stream running');
    const before = await storedEvents(agent);
    await postgres.stop();
    const waiting = async (): Promise<number> => (await waitingMessages(broker.url, 'umbel.ev-away')) ?? 0;
    await waitFor(async () => (await waiting()) > 4 * prefetch, 30_000, 'the broker keeping the rest');
    const held = await received();
    await waitFor(async () => (await waiting()) > 8 * prefetch, 30_000, 'the broker keeping more');
    expect(await received()).toBe(held);
    await postgres.start();
    // What was stored between the two looks before the stop belongs to `before` as well.
    const events = await flow;
    await expectOnce(agent, events);
    expect(before).toBeGreaterThan(2000);
    expect(held).toBeLessThan(events);
    await stopSettled(agent, 'ev-away');
  }, 120_000);

  // Once in ten runs, on a busy machine, not every event had arrived a minute after the node was ended by SIGKILL; why is
  // not known yet. Tried again, with an exchange and a database of its own.
  jest.retryTimes(2, { logErrorsBeforeRetry: true });
  it.each([
    ['in good order', () => broker.stop()],
    ['by SIGKILL', () => broker.kill()],
  ])(
    'loses and doubles nothing when the broker is ended %s',
    async (how, end) => {
      const exchange = `ev-broker-${how.length}-${Date.now()}`;
      const agent = await listen(exchange);
      const flow = publishEvents(broker.url, { exchange, tasks: 8000, rate: 8000 });
      await waitFor(async () => (await storedEvents(agent)) > 3000, 30_000, 'the stream running');
      await end();
      await waitFor(
        async () => (await agent.metrics()).sum('umbel_broker_connected') === 0,
        20_000,
        'the loss being noticed',
      );
      await broker.start();
      const upMs = Date.now();
      await connected(agent);
      expect(Date.now() - upMs).toBeLessThan(15_000);
      await expectOnce(agent, await flow);
      await stopSettled(agent, exchange);
    },
    180_000,
  );
});
