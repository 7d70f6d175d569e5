import { expect, it } from '@jest/globals';
import type { RunningAgent } from '../support/agent.ts';
import { startAgent } from '../support/agent.ts';
import { freshDatabase, queryRows } from '../support/database.ts';
import { getText } from '../support/http.ts';
import { startPostgres } from '../support/postgres.ts';
import { startPublisher } from '../support/publisher.ts';
import { startRedis } from '../support/redis.ts';
import { waitFor } from '../support/wait.ts';

interface Stored {
  events: number;
  tasks: number;
  finished: number;
}

async function stored(databaseUrl: string): Promise<Stored> {
  const [row] = await queryRows<Stored & Record<string, unknown>>(
    databaseUrl,
    `select (select count(*) from celery_task_events)::int as events,
      (select count(*) from celery_tasks)::int as tasks,
      (select count(*) from celery_tasks where state in ('SUCCESS', 'FAILURE'))::int as finished`,
  );
  if (row === undefined) throw new Error('no row');
  return row;
}

const received = async (agent: RunningAgent): Promise<number> =>
  (await agent.metrics()).sum('umbel_events_received_total');

const listening = (agent: RunningAgent): Promise<true> =>
  waitFor(async () => (await agent.metrics()).sum('umbel_broker_connected') === 1, 30_000, 'the agent listening');

async function scene(): Promise<{
  redisUrl: string;
  postgres: Awaited<ReturnType<typeof startPostgres>>;
  agent: RunningAgent;
}> {
  const [redis, postgres] = await Promise.all([startRedis(), startPostgres()]);
  const database = await freshDatabase(postgres.url);
  const agent = await startAgent({ brokerUrl: `${redis.url}/0`, databaseUrl: database.url });
  await listening(agent);
  return { redisUrl: redis.url, postgres, agent };
}

/** Events merged late leave their mark: Celery's rules take over the timestamp of a task-started that comes last. */
async function expectOrder(agent: RunningAgent): Promise<void> {
  const disordered = await queryRows(
    agent.databaseUrl,
    `select t.task_id, t.timestamp, t.succeeded, count(*)::int as events
     from celery_tasks t join celery_task_events e using (task_id)
     group by t.task_id, t.seen_on
     having t.timestamp is distinct from coalesce(t.succeeded, t.failed) or count(*) <> 3`,
  );
  expect(disordered).toEqual([]);
}

it('loses nothing while Postgres is away under load', async () => {
  const { redisUrl, postgres, agent } = await scene();
  const load = startPublisher({ redisUrl, tasks: 20_000, rate: 6000 });
  await waitFor(async () => (await received(agent)) > 5000, 30_000, 'the load running');
  await postgres.stop();
  const before = await received(agent);
  await waitFor(async () => (await received(agent)) > before + 10_000, 30_000, 'the agent going on without Postgres');
  expect((await getText(`${agent.url}/api/tasks?limit=1`)).status).toBe(503);
  await postgres.start();
  const { events } = await load.done;
  await waitFor(async () => (await stored(agent.databaseUrl)).events >= events, 60_000, 'every event in the history');
  expect(await stored(agent.databaseUrl)).toEqual({ events, tasks: 20_000, finished: 20_000 });
  await expectOrder(agent);
  expect(agent.process().running()).toBe(true);
}, 180_000);

it('keeps what it heard over a restart of its own while Postgres is away', async () => {
  const { redisUrl, postgres, agent } = await scene();
  const first = await startPublisher({ redisUrl, tasks: 2000 }).done;
  await waitFor(async () => (await stored(agent.databaseUrl)).events === first.events, 30_000, 'the first part stored');
  await postgres.stop();
  const second = await startPublisher({ redisUrl, tasks: 3000 }).done;
  await waitFor(async () => (await received(agent)) >= first.events + second.events, 30_000, 'the second part heard');
  const stopped = await agent.kill('SIGTERM');
  expect(stopped.signal).toBeNull();
  agent.launch();
  await listening(agent); // /metrics and listening need no Postgres
  const third = await startPublisher({ redisUrl, tasks: 1000 }).done;
  await waitFor(async () => (await received(agent)) >= third.events, 30_000, 'the third part heard');
  await postgres.start();
  const events = first.events + second.events + third.events;
  await waitFor(async () => (await stored(agent.databaseUrl)).events >= events, 60_000, 'every event in the history');
  expect(await stored(agent.databaseUrl)).toEqual({ events, tasks: 6000, finished: 6000 });
  await expectOrder(agent);
  await agent.ready();
}, 180_000);

it('says that the history cannot be written where no event comes either, and that it can again', async () => {
  const { postgres, agent } = await scene();
  await agent.ready();
  const history = async (): Promise<unknown> => {
    const [ready, metrics, status] = await Promise.all([
      getText(`${agent.url}/health/ready`),
      agent.metrics(),
      getText(`${agent.url}/api/v1/status`),
    ]);
    const { history: told } = JSON.parse(status.body) as { history: { connected: boolean; problem?: string } };
    return [ready.status, metrics.sum('umbel_history_up'), told.connected, told.problem !== undefined];
  };
  const becomes = (expected: unknown[], what: string): Promise<unknown> =>
    waitFor(async () => JSON.stringify(await history()) === JSON.stringify(expected), 30_000, what);
  await becomes([200, 1, true, false], 'the history being there');
  await postgres.stop();
  await becomes([503, 0, false, true], 'it being missed');
  await postgres.start();
  await becomes([200, 1, true, false], 'it being there again');
}, 120_000);
