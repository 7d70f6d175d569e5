import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { waitFor } from '../../../../test/support/wait.ts';
import { HistoryDown } from './errors.ts';
import {
  batch,
  event,
  everything,
  type HistoryKit,
  life,
  openHistoryKit,
  quietLogger,
  settableClock,
} from './history.testkit.ts';
import { openPool } from './database.ts';
import { type HistoryWriterOptions, openHistoryWriter } from './writer.ts';

let kit: HistoryKit;
beforeAll(async () => {
  kit = await openHistoryKit();
});
beforeEach(() => empty());

async function empty(): Promise<void> {
  await kit.rows(
    'truncate celery_task_events, celery_tasks, celery_task_rollups, celery_task_rollups_hourly, celery_task_names, celery_workers',
  );
}

/** A few hundred tasks of every kind of end, their events mixed as several workers mix them. */
function mixedStream(tasks: number) {
  const events = [];
  for (let i = 0; i < tasks; i++) {
    const uuid = `task-${String(i).padStart(4, '0')}`;
    const [sent, received, started, succeeded] = life(uuid, i, `app.t${i % 3}`, `celery@w${i % 2}`);
    const failed = event('task-failed', uuid, i + 3, {
      hostname: `celery@w${i % 2}`,
      exception: `ValueError('no ${i}')`,
      traceback: 'T',
    });
    const retried = event('task-retried', uuid, i + 2.5, {
      hostname: `celery@w${i % 2}`,
      exception: "OSError('x')",
      traceback: 'T',
    });
    const last = i % 5 === 0 ? failed : succeeded;
    for (const [offset, one] of [sent, received, started, ...(i % 7 === 0 ? [retried] : []), last].entries()) {
      if (one !== undefined) events.push({ at: i * 10 + offset * 77, one });
    }
  }
  return events.sort((a, b) => a.at - b.at).map(({ one }) => one);
}

function slices<T>(list: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, i) => list.slice(i * size, (i + 1) * size));
}

describe('write', () => {
  it('stores events, merged task, roll-ups, names and worker of one life', async () => {
    const report = await kit.open().write(batch(...life('a', 10)));
    expect(report).toMatchObject({ events: 4, inserted: 4, doubled: 0, tasks: 1, poisoned: 0 });
    expect(await kit.rows('select * from celery_tasks')).toMatchObject([
      {
        task_id: 'a', state: 'SUCCESS', name: 'app.add', worker: 'celery@one', client: 'gen1@web', queue: 'high', args: '(1, 2)',
        result: '3', runtime: 0.5, retries: 0, pid: '7', root_id: 'a', parent_id: null, exception_type: null, oddities: null,
      },
    ]); // prettier-ignore
    const events = await kit.rows<{ type: string; fields: unknown }>(
      'select * from celery_task_events order by occurred_at',
    );
    expect(events.map(({ type }) => type)).toEqual(['task-sent', 'task-received', 'task-started', 'task-succeeded']);
    expect(events[3]?.fields).toEqual({ pid: 7, result: '3', runtime: 0.5 });
    expect(await kit.rows(`select worker, queue, name, sent::int, received::int, succeeded::int, runtime_count::int, runtime_sum,
      (select sum(n)::int from unnest(runtime_buckets) n) as bucketed from celery_task_rollups order by worker`)).toEqual([
      { worker: '', queue: 'high', name: 'app.add', sent: 1, received: 0, succeeded: 0, runtime_count: 0, runtime_sum: 0, bucketed: null },
      { worker: 'celery@one', queue: 'high', name: 'app.add', sent: 0, received: 1, succeeded: 1, runtime_count: 1, runtime_sum: 0.5, bucketed: 1 },
    ]); // prettier-ignore
    expect(await kit.rows('select name from celery_task_names')).toEqual([{ name: 'app.add' }]);
    expect(await kit.rows('select hostname, online from celery_workers')).toEqual([
      { hostname: 'celery@one', online: true },
    ]);
  });

  it('adds roll-ups of several writes element by element', async () => {
    const writer = kit.open();
    for (let i = 0; i < 3; i++) await writer.write(batch(...life(`r${i}`, i * 5)));
    expect(
      await kit.rows(`select succeeded::int, runtime_count::int, array_length(runtime_buckets, 1) as buckets,
        array_position(runtime_buckets, 3) as bucket from celery_task_rollups where worker <> ''`),
    ).toEqual([{ succeeded: 3, runtime_count: 3, buckets: 57, bucket: 19 }]);
  });

  it('lets a doubled event change nothing: same call, later call, another process', async () => {
    const stream = mixedStream(60);
    const writer = kit.open();
    await writer.write(batch(...stream));
    const before = await everything(kit);
    expect(await writer.write(batch(...stream))).toMatchObject({ inserted: 0, doubled: stream.length, tasks: 0 });
    expect(await kit.open().write(batch(...stream.slice(5), ...stream))).toMatchObject({ inserted: 0, tasks: 0 });
    expect(await everything(kit)).toEqual(before);
    const more = life('more', 100);
    expect(await writer.write(batch(...more, ...more, ...stream))).toMatchObject({
      inserted: 4,
      doubled: stream.length + 4,
    });
    expect(await kit.rows("select sent::int from celery_task_rollups where name = 'app.add' and sent > 0")).toEqual([
      { sent: 1 },
    ]);
  });

  it.each([
    ['restarted for every write', { restart: true }],
    ['that can hold three tasks', { memory: { openTasks: 2, finishedTasks: 1 } }],
    ['with the recall filter', { recall: true }],
  ])(
    'gives the same rows by a writer %s',
    async (_, { restart, ...options }: Partial<HistoryWriterOptions> & { restart?: boolean }) => {
      const stream = mixedStream(150);
      const plain = () => kit.open();
      await writeAll(plain, false);
      const expected = await everything(kit);
      await empty();
      await writeAll(() => kit.open(options), restart === true);
      expect(await everything(kit)).toEqual(expected);

      async function writeAll(open: () => ReturnType<HistoryKit['open']>, reopen: boolean): Promise<void> {
        let writer = open();
        if (open !== plain && 'recall' in options) await waitFor(() => writer.stats().recallLoaded);
        for (const slice of slices(stream, 40)) {
          if (reopen) writer = open();
          await writer.write(batch(...slice));
        }
      }
    },
  );

  it('stays right while two writers hear the same stream, shifted, at once', async () => {
    const stream = mixedStream(150);
    const alone = kit.open();
    for (const slice of slices(stream, 50)) await alone.write(batch(...slice));
    const expected = await everything(kit);
    await empty();

    const [one, two] = [kit.open({ recall: true }), kit.open({ recall: true })];
    const reports = await Promise.all([
      ...slices(stream, 50).map((slice) => one.write(batch(...slice))),
      ...slices(stream, 35).map((slice) => two.write(batch(...slice))),
    ]);
    expect(reports.reduce((sum, { inserted }) => sum + inserted, 0)).toBe(stream.length);
    const found = await everything(kit);
    expect(found['events']).toEqual(expected['events']);
    expect(found['tasks']).toEqual(expected['tasks']);
    const total = `select sum(sent + received + started + succeeded + failed + retried + other)::int as events,
      sum(runtime_count)::int as runtimes from celery_task_rollups`;
    const succeeded = stream.filter(({ subject }) => subject === 'succeeded').length;
    expect(await kit.rows(total)).toEqual([{ events: stream.length, runtimes: succeeded }]);
  });

  it('sees what another writer did to a task that it holds itself', async () => {
    const [one, two] = [kit.open(), kit.open()];
    const [sent, received, started, succeeded] = life('shared', 1);
    if (!sent || !received || !started || !succeeded) throw new Error('no life');
    await one.write(batch(sent));
    await two.write(batch(received));
    await one.write(batch(started));
    await two.write(batch(succeeded));
    expect(await kit.rows('select state, args, client, received, started, result from celery_tasks')).toMatchObject([
      {
        state: 'SUCCESS',
        args: '(1, 2)',
        client: 'gen1@web',
        received: received.timestamp,
        started: started.timestamp,
        result: '3',
      },
    ]);
  });
});

describe('failures', () => {
  afterEach(async () => {
    await kit.rows('alter table celery_task_events drop constraint if exists refuse');
  });

  it('keeps nothing half-merged of a transaction that failed', async () => {
    const writer = kit.open();
    const [sent, received, started, succeeded] = life('half', 1);
    if (!sent || !received || !started || !succeeded) throw new Error('no life');
    await writer.write(batch(sent));
    await kit.rows('alter table celery_task_rollups rename to gone');
    await expect(writer.write(batch(received, started))).rejects.toThrow(HistoryDown);
    await kit.rows('alter table gone rename to celery_task_rollups');
    expect(await kit.rows('select state, started from celery_tasks')).toEqual([{ state: 'PENDING', started: null }]);
    await writer.write(batch(received));
    expect(await kit.rows('select state, started from celery_tasks')).toEqual([{ state: 'RECEIVED', started: null }]);
    await writer.write(batch(started, succeeded));
    expect(await kit.rows('select state, started from celery_tasks')).toEqual([
      { state: 'SUCCESS', started: started.timestamp },
    ]);
    expect(
      await kit.rows('select sum(received)::int as received, sum(started)::int as started from celery_task_rollups'),
    ).toEqual([{ received: 1, started: 1 }]);
  });

  it('throws HistoryDown while Postgres is away, and stores the same batch afterwards', async () => {
    const pool = openPool({ databaseUrl: kit.url, maxConnections: 1, logger: quietLogger });
    const writer = openHistoryWriter({ pool, clock: settableClock(), logger: quietLogger, recall: false });
    await writer.write(batch(...life('first', 1)));
    await kit.rows(
      'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
    );
    const name = new URL(kit.url).pathname.slice(1);
    const server = new pg.Client({ connectionString: new URL('/postgres', kit.url).href });
    await server.connect();
    await server.query(`alter database ${name} allow_connections false`);
    await expect(writer.write(batch(...life('second', 9)))).rejects.toThrow(HistoryDown);
    await server.query(`alter database ${name} allow_connections true`);
    await server.end();
    expect(await writer.write(batch(...life('second', 9)))).toMatchObject({ inserted: 4 });
    await writer.close();
    await pool.end();
  });

  it('stores again what a crash may have undone, and tells of what it has not', async () => {
    let isCrashing = true;
    const pool = openPool({ databaseUrl: kit.url, logger: quietLogger });
    // In place of a server that dies between the commit and its flush: what it undoes is deleted below.
    pool.on('connect', (client) => {
      const query: unknown = Reflect.get(client, 'query');
      const crashing = (...given: unknown[]): unknown =>
        isCrashing && String(given[0]).includes('pg_logical_emit_message')
          ? Promise.reject(new Error('Connection terminated unexpectedly'))
          : Reflect.apply(query as pg.Client['query'], client, given);
      Object.assign(client, { query: crashing });
    });
    const writer = openHistoryWriter({ pool, clock: settableClock(), logger: quietLogger, recall: false });
    const kept = life('kept', 1);
    await expect(writer.write(batch(...kept))).rejects.toThrow(HistoryDown);
    const twice = life('twice', 1);
    await expect(writer.write(batch(...twice))).rejects.toThrow(HistoryDown);
    await expect(writer.write(batch(...life('undone', 1)))).rejects.toThrow(HistoryDown);
    isCrashing = false;
    expect(await writer.write(batch(...twice, ...twice))).toMatchObject({ inserted: 4, doubled: 4 });
    // Nobody else stored them, so they are this writer's to tell of.
    const report = await writer.write(batch(...kept));
    expect(report).toMatchObject({ inserted: 4, doubled: 0 });
    expect(report.stored().map(({ type }) => type)).toEqual(kept.map(({ type }) => type));
    expect(await writer.write(batch(...kept))).toMatchObject({ inserted: 0, doubled: 4 });
    await kit.rows(`truncate celery_task_events, celery_tasks, celery_task_rollups, celery_task_rollups_hourly,
      celery_task_names, celery_workers`);
    expect(await writer.write(batch(...life('undone', 1)))).toMatchObject({ inserted: 4, tasks: 1 });
    expect(await kit.rows('select name from celery_task_names')).toEqual([{ name: 'app.add' }]);
    expect(await kit.rows('select hostname from celery_workers')).toEqual([{ hostname: 'celery@one' }]);
    await writer.close();
    await pool.end();
  });

  it('survives a connection that breaks in the middle of a COPY', async () => {
    await kit.rows(`alter table celery_task_events
      add constraint refuse check (type <> 'task-kill' or pg_terminate_backend(pg_backend_pid()))`);
    const writer = kit.open();
    const events = [...mixedStream(30), event('task-kill', 'task-0001', 60), ...life('after', 9)];
    await expect(writer.write(batch(...events))).rejects.toThrow(HistoryDown);
    await kit.rows('alter table celery_task_events drop constraint refuse');
    expect(await writer.write(batch(...events))).toMatchObject({ inserted: events.length, doubled: 0 });
  });

  it('finds the one event that Postgres refuses, keeps it without its fields, and all others whole', async () => {
    await kit.rows(`alter table celery_task_events add constraint refuse check (fields::text not like '%poison%')`);
    const stream = mixedStream(20);
    const bad = event('task-custom', 'task-0003', 50, { note: 'poison' });
    stream.splice(33, 0, bad);
    const report = await kit.open().write(batch(...stream));
    expect(report).toMatchObject({ events: stream.length, inserted: stream.length, poisoned: 1, doubled: 0 });
    const [kept] = await kit.rows<{ fields: Record<string, unknown> }>(
      `select fields from celery_task_events where type = 'task-custom'`,
    );
    expect(kept?.fields['umbel:refused']).toMatch(/^23514: /);
    expect(
      await kit.rows(`select count(*)::int as n from celery_task_events where fields::text like '%refused%'`),
    ).toEqual([{ n: 1 }]);
  });

  it('leaves out and counts what is refused even without its fields', async () => {
    await kit.rows(`alter table celery_task_events add constraint refuse check (type <> 'task-poison')`);
    const report = await kit.open().write(batch(...life('ok', 1), event('task-poison', 'ok', 5), ...life('fine', 2)));
    expect(report).toMatchObject({ events: 9, inserted: 8, poisoned: 1, doubled: 0 });
    expect(await kit.rows('select state from celery_tasks')).toEqual([{ state: 'SUCCESS' }, { state: 'SUCCESS' }]);
  });
});
