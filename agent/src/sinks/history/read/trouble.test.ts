import { beforeAll, describe, expect, it } from '@jest/globals';
import { HistoryUnavailable } from '../../../core/query/reader.ts';
import { parseSearch } from '../../../core/query/search-parser.ts';
import { NOON } from '../history.testkit.ts';
import { idsOf, NEWEST, openReadKit, type ReadKit } from './read.testkit.ts';

const FIRST = 'bulk-1';
let kit: ReadKit;

beforeAll(async () => {
  kit = await openReadKit();
  await kit.rows(`insert into celery_tasks (seen_on, timestamp, task_id, state, args, kwargs)
    select '2026-03-10', ${NOON - 10_000} - n / 3 * 180, 'bulk-' || n, 'SUCCESS',
      case when n % 5000 < 2 or n > 44990 then 'needle' else repeat('lorem ipsum ', 20) end,
      case when n % 9000 = 0 then '{''rare'': True}' end
    from generate_series(1, 45000) n`);
});

describe('rare texts', () => {
  it('are found behind more candidates than one walk looks at, once and in order', async () => {
    const needles = await kit.rows<{ task_id: string }>(
      `select task_id from celery_tasks where args = 'needle' order by timestamp desc, task_id desc`,
    );
    const expected = needles.map((row) => row.task_id);
    expect(expected).toHaveLength(27);
    for (const text of ['needle', 'args:NEEDLE', 'needle bulk']) {
      const search = parseSearch(text);
      if (search === undefined) throw new Error('not a search');
      expect(await idsOf(kit.reader, { search })).toEqual(expected);
      expect(await idsOf(kit.reader, { search }, { key: 'timestamp', descending: false })).toEqual(
        [...expected].reverse(),
      );
      const found: string[] = [];
      for (let cursor: string | undefined; ;) {
        const page = await kit.reader.searchTasks({ search }, NEWEST, 4, cursor);
        found.push(...page.tasks.map((task) => task.taskId));
        if ((cursor = page.nextCursor) === undefined) break;
      }
      expect(found).toEqual(expected);
    }
    const search = parseSearch('kwargs:rare=true');
    if (search === undefined) throw new Error('not a search');
    expect(await idsOf(kit.reader, { search })).toEqual([9000, 18000, 27000, 36000, 45000].map((n) => `bulk-${n}`));
  }, 30_000);
});

describe('trouble', () => {
  it('is told: a query that takes too long, and the next one is answered', async () => {
    const hasty = kit.openReader(300);
    const holder = await kit.pool.connect();
    await holder.query('begin; lock table celery_tasks in access exclusive mode');
    await expect(hasty.searchTasks({}, NEWEST, 50)).rejects.toMatchObject({
      code: 'timeout',
      message: expect.stringContaining('narrow the time range') as unknown,
    });
    await holder.query('rollback');
    holder.release();
    await expect(hasty.findTask(FIRST)).resolves.toBeDefined();
  }, 20_000);

  it('is told: no server, and the reader works again afterwards', async () => {
    const nobody = kit.openReader(1000, 'postgres://nobody@127.0.0.1:9/none');
    await expect(nobody.findTask('x')).rejects.toBeInstanceOf(HistoryUnavailable);
    await expect(nobody.exportTasks({}, NEWEST, 1)[Symbol.asyncIterator]().next()).rejects.toBeInstanceOf(
      HistoryUnavailable,
    );
    const reader = kit.openReader(30_000);
    const rows = reader.exportTasks({}, NEWEST, 30_000)[Symbol.asyncIterator]();
    await rows.next();
    await kit.rows(`select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and state = 'idle in transaction'`);
    const rest = (async () => {
      while ((await rows.next()).done !== true);
    })();
    await expect(rest).rejects.toBeInstanceOf(HistoryUnavailable);
    expect(await reader.findTask(FIRST)).toBeDefined();
  }, 20_000);

  it('does not stay: an export that is left ends its transaction at once', async () => {
    let seen = 0;
    for await (const task of kit.reader.exportTasks({}, NEWEST, 30_000)) {
      expect(task.taskId).not.toBe('');
      if (++seen === 3) break;
    }
    const open = await kit.rows(`select 1 from pg_stat_activity
      where datname = current_database() and state like 'idle in transaction%'`);
    expect(open).toEqual([]);
    expect(kit.pool.waitingCount).toBe(0);
    expect(kit.pool.idleCount).toBe(kit.pool.totalCount);
  });

  it('never reaches the tables: they are all still there', async () => {
    expect((await kit.rows('select from celery_tasks')).length).toBeGreaterThan(40_000);
  });
});
