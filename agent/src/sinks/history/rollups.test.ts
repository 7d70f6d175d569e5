import { beforeAll, describe, expect, it } from '@jest/globals';
import type { SeriesDimension, SeriesQuery } from '../../core/query/filter.ts';
import { Chance } from '../../../../test/differential/streams.testkit.ts';
import { migrate } from './database.ts';
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
import { openHistoryReader } from './read/reader.ts';

const HOUR_MS = 3_600_000;
const COUNTS = 'sent received started succeeded failed retried revoked rejected other runtime_count'.split(' ');

/** The roll-ups by the hour, and the same made from those by the minute. */
async function bothOf(kit: HistoryKit): Promise<{ hours: unknown[]; fromMinutes: unknown[] }> {
  const columns = COUNTS.map((column) => `sum(${column})::int as ${column}`).join(', ');
  const buckets = Array.from({ length: 57 }, (_, index) => `coalesce(sum(runtime_buckets[${index + 1}]), 0)::int`).join(
    ', ',
  );
  const select = (time: string, table: string): string =>
    `select extract(epoch from ${time})::int / 3600 as hour, name, queue, ${columns}, round(sum(runtime_sum)::numeric, 6) as runtime,
      array[${buckets}] as buckets from ${table} group by 1, 2, 3 order by 1, 2, 3`;
  return {
    hours: await kit.rows(select('hour', 'celery_task_rollups_hourly')),
    fromMinutes: await kit.rows(select('minute', 'celery_task_rollups')),
  };
}

describe('roll-ups by the hour', () => {
  let kit: HistoryKit;
  beforeAll(async () => {
    kit = await openHistoryKit();
    const chance = new Chance(7);
    const events = Array.from({ length: 300 }, (_, index) => {
      const [name, worker] = [`app.task_${chance.below(4)}`, `celery@w${chance.below(3)}`];
      const at = chance.below(5 * 3600) - 9000;
      const lived = life(`t${index}`, at, name, worker).slice(chance.below(2));
      if (!chance.yes(0.2)) return lived;
      const end = { hostname: worker, exception: `ValueError('${index}')` };
      return [
        ...lived.slice(0, -1),
        event(chance.yes(0.5) ? 'task-failed' : 'task-retried', `t${index}`, at + 70, end),
      ];
    }).flat();
    events.push(event('task-custom', 'odd', 60), {
      ...event('task-received', 'odd', 0, { name: 'app.odd' }),
      timestamp: 0,
    });
    const [one, two] = [kit.open(), kit.open()];
    for (let from = 0; from < events.length; from += 90) {
      const some = events.slice(from, from + 90);
      await Promise.all([one.write(batch(...some)), two.write(batch(...some.slice(30)))]);
    }
  });

  it('hold what those by the minute add up to, two writers and doubled events or not', async () => {
    const { hours, fromMinutes } = await bothOf(kit);
    expect(hours.length).toBeGreaterThan(20);
    expect(hours).toEqual(fromMinutes);
  });

  it('are filled from those by the minute in a history that had none', async () => {
    const before = await bothOf(kit);
    await kit.rows('drop table celery_task_rollups_hourly');
    await kit.rows(`delete from umbel_migrations where name = '0007_hourly_rollups'`);
    await kit.rows(`alter database ${new URL(kit.url).pathname.slice(1)} set timezone = 'Asia/Kolkata'`);
    await migrate(kit.url, quietLogger);
    expect(await bothOf(kit)).toEqual(before);
  });

  // Asked for workers, series read minutes; every worker is asked for.
  const byMinutes = (query: SeriesQuery): SeriesQuery => ({ ...query, workers: ['*'] });
  const DIMENSIONS: readonly (readonly SeriesDimension[])[] = [
    [],
    ['name'],
    ['queue', 'state'],
    ['state'],
    ['name', 'queue'],
  ];

  it('give series the same answer as those by the minute, whatever the range', async () => {
    const reader = openHistoryReader({
      pool: kit.pool,
      clock: settableClock(),
      logger: quietLogger,
      statementTimeoutMs: 30_000,
    });
    const chance = new Chance(11);
    for (let round = 0; round < 40; round++) {
      const fromMs = (NOON - 3 * 3600 + chance.below(4 * 3600)) * 1000;
      const query: SeriesQuery = {
        fromMs,
        toMs: chance.yes(0.3) ? NOON * 1000 + HOUR_MS : fromMs + chance.below(5 * HOUR_MS),
        stepMs: [HOUR_MS, 2 * HOUR_MS, 5 * 60_000, 90 * 60_000, 24 * HOUR_MS][chance.below(5)] ?? HOUR_MS,
        by: DIMENSIONS[chance.below(DIMENSIONS.length)] ?? [],
        columns: chance.yes(0.5) ? ['count', 'rate'] : ['count', 'p50', 'p95'],
        limit: chance.yes(0.3) ? 2 : 100,
        ...(chance.yes(0.3) && { names: ['app.task_1', '*_3'] }),
        ...(chance.yes(0.3) && { notQueues: [''] }),
      };
      expect({ query, series: await reader.series(query) }).toEqual({
        query,
        series: await reader.series(byMinutes(query)),
      });
    }
  });
});

describe('events of a task whose name is heard later', () => {
  const select = `select name, queue, worker, sent::int, received::int, started::int, succeeded::int, other::int,
    runtime_count::int, runtime_sum::float8 as runtime from celery_task_rollups order by name, queue, worker, minute`;
  const none = { sent: 0, received: 0, started: 0, succeeded: 0, other: 0, runtime_count: 0, runtime: 0 };
  const w = { queue: '', worker: 'w@h', ...none };
  const from = (type: string, uuid: string, at: number, fields = {}) =>
    event(type, uuid, at, { hostname: 'w@h', ...fields });

  it('move to the name, once, with two writers and after a restart; what came with the name stays', async () => {
    const kit = await openHistoryKit();
    const [started, succeeded, custom, received] = [
      from('task-started', 'late', 5),
      from('task-succeeded', 'late', 130, { runtime: 2.5 }),
      from('task-custom', 'late', 131),
      from('task-received', 'late', 4, { name: 'app.late' }),
    ];
    await kit.open().write(batch(started, from('task-started', 'other', 5)));
    await kit.open().write(batch(succeeded));
    const [one, two] = [kit.open(), kit.open()];
    await Promise.all([one.write(batch(custom, received)), two.write(batch(received, custom))]);
    await two.write(batch(started, succeeded, from('task-received', 'late', 4.5, { name: 'app.late' })));
    expect(await kit.rows(select)).toEqual([
      { ...w, name: '', started: 1 },
      { ...w, name: 'app.late', received: 2, started: 1 },
      { ...w, name: 'app.late', succeeded: 1, other: 1, runtime_count: 1, runtime: 2.5 },
    ]);
    const { hours, fromMinutes } = await bothOf(kit);
    expect(hours).toEqual(fromMinutes);
  });

  it('move under the queue that came with the name, and stay where a name was taken away again', async () => {
    const kit = await openHistoryKit();
    const writer = kit.open();
    await writer.write(
      batch(from('task-started', 'queued', 5), from('task-received', 'renamed', 5, { name: 'app.one' })),
    );
    await writer.write(batch(from('task-received', 'renamed', 6, { name: null })));
    await writer.write(
      batch(
        event('task-sent', 'queued', 4, { name: 'app.queued', queue: 'mails', hostname: 'gen1@web' }),
        from('task-received', 'renamed', 7, { name: 'app.two' }),
      ),
    );
    expect(await kit.rows(select)).toEqual([
      { ...w, name: '', received: 1 },
      { ...w, name: 'app.one', received: 1 },
      { ...w, queue: 'mails', name: 'app.queued', worker: '', sent: 1 },
      { ...w, queue: 'mails', name: 'app.queued', started: 1 },
      { ...w, name: 'app.two', received: 1 },
    ]);
  });
});
