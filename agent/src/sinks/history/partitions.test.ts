import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Clock } from '../../lib/clock.ts';
import {
  batch,
  event,
  type HistoryKit,
  life,
  NOON,
  openHistoryKit,
  quietLogger,
  settableClock,
} from './history.testkit.ts';
import { Partitions } from './partitions.ts';

const DAY = 86_400;
let kit: HistoryKit;
let clock: Clock & { set(seconds: number): void };
beforeEach(async () => {
  kit = await openHistoryKit();
  clock = settableClock();
});

const partitions = (options = {}) => new Partitions({ pool: kit.pool, clock, logger: quietLogger, ...options });

async function tables(pattern = '%'): Promise<string[]> {
  const rows = await kit.rows<{ name: string }>(
    `select i.inhrelid::regclass::text as name from pg_inherits i join pg_class p on p.oid = i.inhparent
     where p.relkind = 'p' and i.inhrelid::regclass::text like $1 order by 1`,
    [pattern],
  );
  return rows.map(({ name }) => name);
}

async function placed(table: string): Promise<unknown[]> {
  return kit.rows(`select tableoid::regclass::text as at, count(*)::int as n from ${table} group by 1 order by 1`);
}

describe('partitions', () => {
  it('exist for today and tomorrow, and for the month', async () => {
    await partitions().prepare();
    expect(await tables('%\\_p2%')).toEqual([
      'celery_task_events_p20260310', 'celery_task_events_p20260311', 'celery_task_rollups_hourly_p202603', 'celery_task_rollups_p202603',
      'celery_tasks_p20260310', 'celery_tasks_p20260311', 'celery_worker_events_p20260310', 'celery_worker_events_p20260311',
    ]); // prettier-ignore
    const [indexes] = await kit.rows(
      `select count(*)::int as n from pg_index where indrelid = 'celery_tasks_p20260310'::regclass and indisvalid`,
    );
    const [wanted] = await kit.rows(
      `select count(*)::int as n from pg_index where indrelid = 'celery_tasks'::regclass`,
    );
    expect(indexes).toEqual(wanted);
  });

  it('come with the events of a new day, each task staying where it was first seen', async () => {
    const writer = kit.open({ clock });
    const [sent, received, started, succeeded] = life('midnight', DAY / 2 - 2);
    if (!sent || !received || !started || !succeeded) throw new Error('no life');
    await writer.write(batch(sent, received));
    clock.set(NOON + DAY / 2 + 5);
    await writer.write(batch(started, succeeded, ...life('next', DAY / 2 + 3)));
    expect(await placed('celery_task_events')).toEqual([
      { at: 'celery_task_events_p20260310', n: 2 },
      { at: 'celery_task_events_p20260311', n: 6 },
    ]);
    expect(await kit.rows('select task_id, seen_on::text, state from celery_tasks order by 1')).toEqual([
      { task_id: 'midnight', seen_on: '2026-03-10', state: 'SUCCESS' },
      { task_id: 'next', seen_on: '2026-03-11', state: 'SUCCESS' },
    ]);
  });

  it('are not made for days out of the range: the default one takes those', async () => {
    const writer = kit.open({ clock });
    await writer.write(
      batch(...life('old', -40 * DAY), ...life('ahead', 8 * DAY), ...life('edge', -30 * DAY), ...life('soon', 7 * DAY)),
    );
    expect(await placed('celery_task_events')).toEqual([
      { at: 'celery_task_events_default', n: 8 },
      { at: 'celery_task_events_p20260208', n: 4 },
      { at: 'celery_task_events_p20260317', n: 4 },
    ]);
  });

  it('take over what lies in the default one when they are made', async () => {
    const writer = kit.open({ clock });
    await writer.write(batch(...life('ahead', 9 * DAY), ...life('later', 10 * DAY)));
    clock.set(NOON + 4 * DAY);
    await writer.write(batch(event('task-custom', 'ahead', 9 * DAY + 50)));
    expect(await placed('celery_task_events')).toEqual([
      { at: 'celery_task_events_default', n: 4 },
      { at: 'celery_task_events_p20260319', n: 5 },
    ]);
    expect(await placed('celery_tasks')).toEqual([
      { at: 'celery_tasks_default', n: 1 },
      { at: 'celery_tasks_p20260319', n: 1 },
    ]);
  });

  it('can be made by several agents at once', async () => {
    await Promise.all([1, 2, 3].map(() => partitions().prepareAhead()));
    expect(await tables('celery_tasks_p%')).toHaveLength(8);
  });

  it('are there a week ahead: five days without a look later, nobody waits for one', async () => {
    await partitions().prepareAhead();
    const before = await tables();
    clock.set(NOON + 5 * DAY);
    await kit.open({ clock }).write(batch(...life('later', 5 * DAY), ...life('a day ahead', 6 * DAY)));
    expect(await tables()).toEqual(before);
    expect(await placed('celery_task_events_default')).toEqual([]);
    expect(await placed('celery_tasks_default')).toEqual([]);
  });

  it('leave the rows to the default one while they cannot be made, and take them later', async () => {
    await kit.rows('create table celery_task_events_p20260310 (x int)');
    await kit.rows('alter table celery_worker_events_default rename to celery_worker_events_other');
    const writer = kit.open({ clock });
    await expect(writer.write(batch(event('task-custom', 'x', 1)))).resolves.toMatchObject({ inserted: 1 });
    await kit.rows('drop table celery_task_events_p20260310');
    await kit.rows('alter table celery_worker_events_other rename to celery_worker_events_default');
    clock.set(NOON + 61);
    await writer.write(batch(event('task-custom', 'x', 2)));
    expect(await placed('celery_task_events')).toEqual([{ at: 'celery_task_events_p20260310', n: 2 }]);
  });
});

describe('retention', () => {
  it('keeps events and tasks for times of their own', async () => {
    const keeper = partitions({ eventDays: 3, taskDays: 90, rollupDays: 900 });
    await kit.open({ clock, partitions: keeper }).write(batch(...life('a', 0)));
    clock.set(NOON + 5 * DAY);
    expect((await keeper.dropOldPartitions()).dropped).toEqual([
      'celery_task_events_p20260310',
      'celery_worker_events_p20260310',
    ]);
    expect(await kit.rows('select task_id, state from celery_tasks')).toEqual([{ task_id: 'a', state: 'SUCCESS' }]);
    // Named and seen as long as the tasks are there.
    expect(await kit.rows('select name from celery_task_names')).toEqual([{ name: 'app.add' }]);
    clock.set(NOON + 92 * DAY);
    expect((await keeper.dropOldPartitions()).dropped).toEqual(['celery_tasks_p20260310']);
    expect(await kit.rows('select name from celery_task_names')).toEqual([]);
    expect(await kit.rows('select count(*)::int as n from celery_task_rollups where worker <> $1', [''])).toEqual([
      { n: 1 },
    ]);
  });

  it('goes on after a jump of the clock: what is due goes, the days ahead are there', async () => {
    const keeper = partitions();
    const writer = kit.open({ clock, partitions: keeper });
    await keeper.prepareAhead();
    await writer.write(batch(...life('a', 0)));
    clock.set(NOON + 100 * DAY);
    await keeper.prepareAhead();
    expect((await keeper.dropOldPartitions()).dropped).toHaveLength(24);
    expect(await tables('celery_tasks_p%')).toEqual(
      [18, 19, 20, 21, 22, 23, 24, 25].map((day) => `celery_tasks_p202606${day}`),
    );
    await writer.write(batch(...life('b', 100 * DAY)));
    expect(await placed('celery_tasks')).toEqual([{ at: 'celery_tasks_p20260618', n: 1 }]);
  });

  it('drops what arrives late as if it had a partition, and rows of the default one only', async () => {
    const keeper = partitions();
    const writer = kit.open({ clock, partitions: keeper });
    await writer.write(batch(...life('late', -31 * DAY), ...life('recent', -29 * DAY), ...life('ahead', 20 * DAY)));
    expect(await placed('celery_task_events_default')).toEqual([{ at: 'celery_task_events_default', n: 8 }]);
    await keeper.dropOldPartitions();
    expect(await kit.rows('select distinct task_id from celery_task_events order by 1')).toEqual([
      { task_id: 'ahead' },
      { task_id: 'recent' },
    ]);
    expect(await kit.rows('select task_id from celery_tasks order by 1')).toEqual([
      { task_id: 'ahead' },
      { task_id: 'recent' },
    ]);
  });

  it('drops whole partitions that are older, and keeps roll-ups longer', async () => {
    const writer = kit.open({ clock });
    await writer.write(batch(...life('a', 0)));
    await kit.rows(
      `insert into umbel_gaps (agent, from_at, to_at, cause) values ('a', '2020-01-01', '2020-01-02', 'old')`,
    );
    const keeper = partitions();
    expect(await keeper.dropOldPartitions()).toEqual({ dropped: [], deleted: 1 });
    const after = NOON + 31 * DAY;
    clock.set(after);
    const report = await keeper.dropOldPartitions();
    expect(report.dropped).toEqual([
      'celery_task_events_p20260310',
      'celery_worker_events_p20260310',
      'celery_tasks_p20260310',
    ]);
    expect(report.deleted).toBe(2);
    expect(await kit.rows('select name from celery_task_names union all select hostname from celery_workers')).toEqual(
      [],
    );
    expect(await kit.rows('select succeeded::int from celery_task_rollups where worker <> $1', [''])).toEqual([
      { succeeded: 1 },
    ]);
    expect((await keeper.dropOldPartitions((NOON + 430 * DAY) * 1000)).dropped).toEqual([
      'celery_task_rollups_p202603',
      'celery_task_rollups_hourly_p202603',
    ]);
  });

  it('deletes from the default partitions by the time of receipt', async () => {
    const writer = kit.open({ clock });
    const broken = { ...event('task-received', 'broken', 0, { name: 'app.x' }), timestamp: 0 };
    await writer.write(batch(broken, ...life('old', -40 * DAY), ...life('now', 0)));
    await kit.rows(
      `update celery_task_events_default set received_at = to_timestamp(${NOON - 40 * DAY}) where task_id = 'old'`,
    );
    expect(await partitions().dropOldPartitions()).toMatchObject({ dropped: [], deleted: 5 });
    expect(await kit.rows('select task_id from celery_tasks order by 1')).toEqual([
      { task_id: 'broken' },
      { task_id: 'now' },
    ]);
    clock.set(NOON + 32 * DAY);
    await partitions().dropOldPartitions();
    expect(await kit.rows('select task_id from celery_tasks union all select task_id from celery_task_events')).toEqual(
      [],
    );
  });

  it('writes on after a day was dropped under the writer', async () => {
    const keeper = partitions();
    const writer = kit.open({ clock, partitions: keeper });
    const [sent, received, ...others] = life('open', 0);
    if (!sent || !received) throw new Error('no life');
    await writer.write(batch(sent));
    clock.set(NOON + 31 * DAY);
    await keeper.dropOldPartitions();
    await writer.write(
      batch(
        { ...received, timestamp: NOON + 31 * DAY },
        ...others.map((one, i) => ({ ...one, timestamp: NOON + 31 * DAY + i })),
      ),
    );
    expect(await kit.rows('select seen_on::text, state from celery_tasks')).toEqual([
      { seen_on: '2026-03-10', state: 'SUCCESS' },
    ]);
  });
});
