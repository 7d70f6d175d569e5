import { beforeAll, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import { closeAtEnd } from '../../../../../test/support/cleanup.ts';
import { freshDatabase } from '../../../../../test/support/database.ts';
import type { Clock } from '../../../lib/clock.ts';
import { migrate, openPool } from '../database.ts';
import { batch, event, life, NOON, quietLogger, settableClock } from '../history.testkit.ts';
import { Partitions } from '../partitions.ts';
import { openHistoryReader } from '../read/reader.ts';
import { openHistoryWriter } from '../writer.ts';
import { openPartitioning, setUpPartitioning } from './set-up.ts';

const DISTRIBUTED = `select logicalrelid::text as "table", column_to_column_name(logicalrelid, partkey) as column
  from pg_dist_partition where logicalrelid::text !~ '_(default|p[0-9]+)$' order by 1`;

const BY_COLUMN = [
  { table: 'celery_task_events', column: 'task_id' },
  { table: 'celery_task_rollups', column: 'name' },
  { table: 'celery_task_rollups_hourly', column: 'name' },
  { table: 'celery_tasks', column: 'task_id' },
  { table: 'celery_worker_events', column: 'hostname' },
];

const DAY = 86_400;
const DAY_MS = DAY * 1000;

interface Server {
  readonly name: string;
  readonly extension: string | undefined;
  /** Undefined: the Postgres of the tests. */
  readonly url: string | undefined;
}

/** TimescaleDB and Citus are no packages that `npm ci` could bring: their servers are named by whoever has them. */
const SERVERS: readonly Server[] = [
  { name: 'Postgres', extension: undefined, url: undefined },
  { name: 'TimescaleDB', extension: 'timescaledb', url: process.env['UMBEL_TEST_TIMESCALE_URL'] },
  { name: 'Citus', extension: 'citus', url: process.env['UMBEL_TEST_CITUS_URL'] },
];

interface Place {
  readonly pool: pg.Pool;
  readonly clock: Clock;
  readonly partitions: Partitions;
}

async function storeAndAsk({ pool, clock, partitions }: Place): Promise<void> {
  await partitions.prepareAhead();
  const writer = openHistoryWriter({ pool, clock, logger: quietLogger, partitions, recall: false });
  const other = openHistoryWriter({ pool, clock, logger: quietLogger, recall: false });
  const [sent, received, started, succeeded] = life('a', 0);
  if (!sent || !received || !started || !succeeded) throw new Error('no life');
  const beat = event('worker-heartbeat', 'celery@one', 1, { freq: 2, active: 1 });
  await writer.write(batch(sent, received, beat));
  expect(await other.write(batch(received, started, ...life('b', 10)))).toMatchObject({ inserted: 5, doubled: 1 });
  expect(await writer.write(batch(started, succeeded, beat))).toMatchObject({ inserted: 1, doubled: 2 });
  await writer.close();
  await other.close();

  const reader = openHistoryReader({ pool, clock, logger: quietLogger, statementTimeoutMs: 30_000 });
  expect(await reader.findTask('a')).toMatchObject({ state: 'SUCCESS', name: 'app.add', runtime: 0.5 });
  const timeline = (await reader.taskTimeline('a')).map(({ type }) => type);
  expect(timeline).toEqual(['task-sent', 'task-received', 'task-started', 'task-succeeded']);
  const series = { fromMs: NOON * 1000, toMs: NOON * 1000 + 60_000, stepMs: 60_000, by: [], limit: 10 } as const;
  expect(await reader.series({ ...series, columns: ['count', 'p50'] })).toMatchObject([
    { points: [{ values: [2, expect.closeTo(0.5, 0)] }] },
  ]);
  expect(await reader.queueNames()).toEqual(['high']);
  expect((await reader.events({ fromMs: NOON * 1000, names: ['app.add'] }, 10)).events).toHaveLength(8);
}

for (const { name, extension, url } of SERVERS) {
  const isThere = extension === undefined || url !== undefined;
  if (!isThere) {
    const variable = name === 'Citus' ? 'UMBEL_TEST_CITUS_URL' : 'UMBEL_TEST_TIMESCALE_URL';
    process.stderr.write(`SKIPPED: the history on ${name}: ${variable} names no server that has the extension\n`);
  }
  (isThere ? describe : describe.skip)(`the history on ${name}`, () => {
    let pool: pg.Pool;
    let databaseUrl: string;
    let clock: Clock & { set(seconds: number): void };
    let partitions: Partitions;

    beforeAll(async () => {
      const database = await freshDatabase(url, extension);
      databaseUrl = database.url;
      await migrate(database.url, quietLogger);
      await migrate(database.url, quietLogger); // as a second agent does
      pool = openPool({ databaseUrl: database.url, logger: quietLogger });
      closeAtEnd({ close: () => pool.end() });
      clock = settableClock();
      partitions = new Partitions({ pool, clock, logger: quietLogger });
    });

    const rows = async (sql: string): Promise<unknown[]> => (await pool.query<Record<string, unknown>>(sql)).rows;
    const ids = async (table: string): Promise<string[]> =>
      (await pool.query<{ id: string }>(`select distinct task_id as id from ${table} order by 1`)).rows.map(
        ({ id }) => id,
      );

    it('uses what the server has', async () => {
      const { kind } = await openPartitioning({ pool, logger: quietLogger });
      expect(kind).toBe(extension === 'timescaledb' ? 'timescale' : 'native');
      if (extension === 'timescaledb') {
        expect(await rows('select hypertable_name::text from timescaledb_information.hypertables')).toHaveLength(5);
      }
      if (extension === 'citus') {
        expect(await rows(DISTRIBUTED)).toEqual(BY_COLUMN);
      }
    });

    it('takes events, doubled ones and another writer’s, and answers', () => storeAndAsk({ pool, clock, partitions }));

    it('takes a table that a newer release adds, with its rows', async () => {
      const hours = 'select * from celery_task_rollups_hourly order by hour, name, queue';
      const before = await rows(hours);
      await rows('drop table celery_task_rollups_hourly');
      await rows(`delete from umbel_migrations where name = '0007_hourly_rollups'`);
      await migrate(databaseUrl, quietLogger);
      expect(before).toHaveLength(1);
      expect(await rows(hours)).toEqual(before);
      if (extension === 'timescaledb') {
        expect(await rows('select from timescaledb_information.hypertables')).toHaveLength(5);
      }
      if (extension === 'citus') expect(await rows(DISTRIBUTED)).toEqual(BY_COLUMN);
    });

    it('keeps late, odd and future rows for their time, and drops days that are over', async () => {
      const writer = openHistoryWriter({ pool, clock, logger: quietLogger, partitions, recall: false });
      const odd = { ...event('task-received', 'odd', 0, { name: 'app.x' }), timestamp: 0 };
      await writer.write(
        batch(odd, ...life('late', -31 * DAY), ...life('recent', -29 * DAY), ...life('ahead', 20 * DAY)),
      );
      await partitions.dropOldPartitions();
      expect(await ids('celery_task_events')).toEqual(['a', 'ahead', 'b', 'odd', 'recent']);
      expect(await ids('celery_tasks')).toEqual(['a', 'ahead', 'b', 'odd', 'recent']);
      expect((await partitions.size()).oldestMs).toBe((Math.floor(NOON / DAY) - 29) * DAY_MS);
      await writer.close();

      clock.set(NOON + 31 * DAY);
      const report = await partitions.dropOldPartitions();
      expect(report.dropped.length).toBeGreaterThan(2);
      await partitions.dropOldPartitions(); // a task of no time goes once its events are gone
      expect(await ids('celery_task_events')).toEqual(['ahead']);
      expect(await ids('celery_tasks')).toEqual(['ahead']);
      expect(await rows('select sum(succeeded)::int as n from celery_task_rollups where worker <> $$$$')).toEqual([
        { n: 5 },
      ]);
    });
  });
}

describe('a history that has rows', () => {
  it('stays as it is where an extension is found, and the log says so', async () => {
    const database = await freshDatabase();
    await migrate(database.url, quietLogger);
    const pool = openPool({ databaseUrl: database.url, logger: quietLogger });
    closeAtEnd({ close: () => pool.end() });
    await pool.query(
      `insert into celery_tasks (seen_on, timestamp, task_id, state) values ('2026-03-10', 1, 't', 'SUCCESS')`,
    );
    // The look at pg_extension alone decides that there is one: on this server there is none to be made.
    await pool.query('create schema shadow');
    await pool.query(`create table shadow.pg_extension as select 'timescaledb'::name as extname`);
    const told: string[] = [];
    const shadowed = openPool({
      databaseUrl: `${database.url}?options=-c%20search_path%3Dshadow,pg_catalog,public`,
      logger: quietLogger,
    });
    closeAtEnd({ close: () => shadowed.end() });
    await setUpPartitioning(shadowed, {
      ...quietLogger,
      warn: (...args: unknown[]) => void told.push(String(args.at(-1))),
    });
    expect(told).toEqual([expect.stringMatching(/TimescaleDB.*stays on Postgres' own partitions/)]);
    expect((await openPartitioning({ pool, logger: quietLogger })).kind).toBe('native');
  });
});
