import { describe, expect, it } from '@jest/globals';
import type { RunningAgent } from '../support/agent.ts';
import { startAgent } from '../support/agent.ts';
import { freshDatabase, queryRows } from '../support/database.ts';
import { eachOnce, gapRows, historyRows } from '../support/history-rows.ts';
import { getObject, getText } from '../support/http.ts';
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

async function startScene(databaseUrl: string, options: { args?: string[]; dataDir?: string } = {}): Promise<Scene> {
  const redis = await startRedis();
  const agent = await startAgent({ brokerUrl: `${redis.url}/0`, databaseUrl, ...options });
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

  it('of the agent, while Postgres is away: it stays up, stores what it could keep, and tells what it could not', async () => {
    const disk = await smallDisk(4);
    if (disk === undefined) return;
    const postgres = await startPostgres();
    const database = await freshDatabase(postgres.url);
    const args = ['--buffer-memory', '1MB', '--buffer-disk', '1GB'];
    const { agent, redisUrl } = await startScene(database.url, { args, dataDir: disk.path });
    await postgres.stop();
    disk.fill();
    const first = await startPublisher({ redisUrl, tasks: 20_000 }).done;
    const dropped = async (queue?: 'intake'): Promise<number> =>
      (await agent.metrics()).sum('umbel_messages_dropped_total', queue && { queue });
    await waitFor(async () => (await dropped()) > 0, 30_000, 'drops being counted');
    // What found no room in front of the decoder is not counted by type; twenty events are a message.
    const settled = async (): Promise<boolean> =>
      (await received(agent)) + 20 * (await dropped('intake')) >= first.events;
    await waitFor(settled, 30_000, 'metrics going on');
    const status = await getObject(`${agent.url}/api/v1/status`);
    const limits = status['limits'] as { bound: string; exceeded: number }[];
    const exceeded = limits.filter(({ bound }) => /_files$/.test(bound)).map((limit) => limit.exceeded);
    expect(exceeded.reduce((sum, count) => sum + count)).toBe(await dropped());
    expect(String(status['warnings'])).toMatch(/messages were dropped .*--buffer-disk/);

    disk.free();
    await postgres.start();
    const gaps = await waitFor(
      async () => {
        const rows = await gapRows(agent.databaseUrl);
        return rows.length > 0 && rows;
      },
      30_000,
      'the gap in the history',
    );
    expect(gaps.map(({ cause }) => cause)).toEqual([
      `${await dropped()} messages found no room: the memory and disk for them were used up`,
    ]);
    const second = await startPublisher({ redisUrl, tasks: 1000 }).done;
    const kept = first.events - 20 * (await dropped()) + second.events;
    await waitFor(async () => (await historyRows(agent.databaseUrl)).events >= kept, 30_000, 'the rest being stored');
    const rows = await historyRows(agent.databaseUrl);
    expect(rows).toMatchObject({ events: kept, identities: kept, counted: kept });
    expect(agent.process().running()).toBe(true);
    expect((await getText(`${agent.url}/health/ready`)).status).toBe(200);
  }, 120_000);
});
