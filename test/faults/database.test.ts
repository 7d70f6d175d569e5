import { describe, expect, it } from '@jest/globals';
import type { RunningAgent } from '../support/agent.ts';
import { startAgent } from '../support/agent.ts';
import { freshDatabase, queryRows } from '../support/database.ts';
import { eachOnce, gapRows, historyRows } from '../support/history-rows.ts';
import { getObject } from '../support/http.ts';
import type { PostgresServer } from '../support/postgres.ts';
import { startPostgres } from '../support/postgres.ts';
import type { Publisher } from '../support/publisher.ts';
import { startPublisher } from '../support/publisher.ts';
import { startRedis } from '../support/redis.ts';
import { smallDisk } from '../support/small-disk.ts';
import { waitFor } from '../support/wait.ts';

/** A crash must not take back what was committed: the harness' own default gives that up for speed. */
const DURABLE = { synchronous_commit: 'on' };
const TASKS = 6000;

interface Scene {
  readonly redisUrl: string;
  readonly agent: RunningAgent;
}

async function startScene(databaseUrl: string): Promise<Scene> {
  const redis = await startRedis();
  const agent = await startAgent({ brokerUrl: `${redis.url}/0`, databaseUrl });
  const isListening = async (): Promise<boolean> => (await agent.metrics()).sum('umbel_broker_connected') === 1;
  await waitFor(isListening, 30_000, 'the agent listening');
  return { redisUrl: redis.url, agent };
}

const received = async (agent: RunningAgent): Promise<number> =>
  (await agent.metrics()).sum('umbel_events_received_total');

async function expectAllStored({ agent }: Scene, load: Publisher, tasks = TASKS): Promise<void> {
  const { events } = await load.done;
  const isStored = async (): Promise<boolean> => (await historyRows(agent.databaseUrl)).events >= events;
  await waitFor(isStored, 60_000, 'every event in the history');
  expect(await historyRows(agent.databaseUrl)).toEqual(eachOnce(tasks));
  expect(await gapRows(agent.databaseUrl)).toEqual([]);
  expect(agent.process().running()).toBe(true);
  await agent.ready();
}

describe('Postgres stopped hard under load: every event is stored once', () => {
  async function underLoad(fault: (postgres: PostgresServer, databaseUrl: string) => Promise<void>): Promise<void> {
    const postgres = await startPostgres(DURABLE);
    const database = await freshDatabase(postgres.url);
    const scene = await startScene(database.url);
    const load = startPublisher({ redisUrl: scene.redisUrl, tasks: TASKS, rate: 6000 });
    await waitFor(async () => (await historyRows(database.url)).events > 3000, 30_000, 'the load being stored');
    await fault(postgres, database.url);
    await expectAllStored(scene, load);
    expect((await scene.agent.metrics()).sum('umbel_history_errors_total')).toBeGreaterThan(0);
  }

  it('by SIGKILL of the backend that writes, after which the server starts itself again', async () => {
    await underLoad(async (_postgres, databaseUrl) => {
      const writer = await waitFor(
        async () => {
          const [row] = await queryRows<{ pid: number }>(
            databaseUrl,
            `select pid from pg_stat_activity where application_name = 'umbel-agent' and state <> 'idle' limit 1`,
          );
          return row?.pid;
        },
        10_000,
        'a backend at work',
      );
      process.kill(writer, 'SIGKILL');
    });
  }, 120_000);

  it('by an immediate shutdown, and started again', async () => {
    await underLoad(async (postgres) => {
      process.kill(postgres.pid(), 'SIGQUIT');
      await postgres.stop();
      await postgres.start();
    });
  }, 120_000);
});

describe('a full disk', () => {
  it('of Postgres holds events up, and loses none', async () => {
    const disk = await smallDisk(192);
    if (disk === undefined) return;
    const postgres = await startPostgres({ ...DURABLE, max_wal_size: '64MB', min_wal_size: '32MB' }, disk.path);
    const database = await freshDatabase(postgres.url);
    const scene = await startScene(database.url);
    const { agent } = scene;
    disk.fill();
    const load = startPublisher({ redisUrl: scene.redisUrl, tasks: TASKS });
    const refused = async (): Promise<boolean> => (await agent.metrics()).sum('umbel_history_errors_total') > 0;
    await waitFor(refused, 60_000, 'Postgres refusing');
    await waitFor(async () => (await received(agent)) >= 3 * TASKS, 30_000, 'the agent hearing everything meanwhile');
    const { history } = await getObject(`${agent.url}/api/v1/status`);
    expect(history).toMatchObject({ connected: false });
    disk.free();
    await postgres.start(); // where the write-ahead log found no room, it has ended itself
    await expectAllStored(scene, load);
  }, 120_000);
});
