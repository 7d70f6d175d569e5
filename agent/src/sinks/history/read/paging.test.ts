import { beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { casefold } from '../../../core/query/casefold.ts';
import type { TaskFilter, TaskSort, TaskSortKey } from '../../../core/query/filter.ts';
import { matchesSearch } from '../../../core/query/search-match.ts';
import { parseSearch } from '../../../core/query/search-parser.ts';
import type { TaskRecord } from '../../../core/query/records.ts';
import { NOON } from '../history.testkit.ts';
import { idsOf, NEWEST, openReadKit, type ReadKit } from './read.testkit.ts';

const KEYS: readonly TaskSortKey[] = ['timestamp', 'name', 'state', 'received', 'started', 'runtime', 'worker'];
const pick = <T>(values: readonly T[], index: number): T => values[index % values.length] ?? (values[0] as T);

/** Few values and many nulls, so that nearly every task ties with others; upper and lower case mixed. */
const TASKS = Array.from({ length: 240 }, (_, i) => ({
  task_id: `${['a', 'B', '_', 'ä', '😀'][i % 5] ?? ''}${i * 7919}`,
  timestamp: NOON + Math.floor(i / 7),
  name: pick(['app.add', 'App.add', 'app.a_b', 'app.axb', 'Straße%', null], i * 5),
  state: pick(['SUCCESS', 'FAILURE', 'MY_STATE', 'MYSTATE', 'RETRY'], i * 3),
  worker: pick(['celery@one', 'Celery@two', null], i),
  received: pick([NOON, NOON + 0.25, null], i),
  started: pick([NOON + 1 / 3, null, null, NOON], i * 11),
  runtime: pick([0.1, 2, null], i * 13),
  args: pick(["('x',)", "('100%',)", "('a_b\\\\',)", "('STRASSE',)", null], i * 17),
  kwargs: pick(["{'run': 'r1', 'n': 1}", "{'run': 'r10'}", "{'run': 'r1', ...", "{'k%': 'v_w'}", null], i * 19),
  result: pick(["'İx'", 'None', null], i * 23),
}));

let kit: ReadKit;
let all: readonly TaskRecord[];

beforeAll(async () => {
  kit = await openReadKit();
  await kit.insertTasks(TASKS);
  all = await kit.reader.listTasks({}, NEWEST, undefined, 0);
});

/** Flower's order, written once more without SQL (flower/utils/search.py `_task_sort_key`). */
function expectedOrder(tasks: readonly TaskRecord[], sort: TaskSort): string[] {
  const bytes = (text: string): Buffer => Buffer.from(text);
  const compare = (a: TaskRecord, b: TaskRecord): number => {
    const [left, right] = [a[sort.key], b[sort.key]];
    if ((left === null) !== (right === null)) return left === null ? -1 : 1;
    const byValue =
      typeof left === 'string' && typeof right === 'string'
        ? Buffer.compare(bytes(casefold(left)), bytes(casefold(right)))
        : Number(left) - Number(right);
    return byValue || Buffer.compare(bytes(a.taskId), bytes(b.taskId));
  };
  const sorted = [...tasks].sort(compare).map((task) => task.taskId);
  return sort.descending ? sorted.reverse() : sorted;
}

async function pages(filter: TaskFilter, sort: TaskSort, limit: number): Promise<string[]> {
  const ids: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await kit.reader.searchTasks(filter, sort, limit, cursor);
    expect(page.tasks.length).toBeLessThanOrEqual(limit);
    ids.push(...page.tasks.map((task) => task.taskId));
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return ids;
}

const FILTERS: readonly TaskFilter[] = [
  {},
  { states: ['FAILURE', 'MYSTATE'] },
  { argsText: 'x' },
  ...['kwargs:run=r1', 'add OR kwargs:run=r1'].flatMap((text) => {
    const search = parseSearch(text);
    return search === undefined ? [] : [{ search }];
  }),
];

function passes(filter: TaskFilter, task: TaskRecord): boolean {
  if (filter.states !== undefined && !filter.states.includes(task.state)) return false;
  if (filter.argsText !== undefined && !casefold(task.args ?? '').includes(filter.argsText)) return false;
  return filter.search === undefined || matchesSearch(filter.search, task);
}

describe('pages', () => {
  it('hold every task once, in order, through ties and missing values', async () => {
    const cases = fc.record({
      key: fc.constantFrom(...KEYS),
      descending: fc.boolean(),
      limit: fc.integer({ min: 1, max: 90 }),
      filter: fc.constantFrom(...FILTERS),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({ key, descending, limit, filter }) => {
        const sort = { key, descending };
        const expected = expectedOrder(
          all.filter((task) => passes(filter, task)),
          sort,
        );
        expect(expected.length).toBeGreaterThan(10);
        expect(await pages(filter, sort, Math.max(limit, 5))).toEqual(expected);
      }),
      { numRuns: 40, seed: 3 },
    );
  }, 60_000);

  it.each(KEYS)('agree with the listing and the export by %s', async (key) => {
    for (const descending of [true, false]) {
      const sort = { key, descending };
      const expected = expectedOrder(all, sort);
      const listed = await kit.reader.listTasks({}, sort, 30, 200);
      expect(listed.map((task) => task.taskId)).toEqual(expected.slice(200, 230));
      const exported: string[] = [];
      for await (const task of kit.reader.exportTasks({}, sort, 235)) exported.push(task.taskId);
      expect(exported).toEqual(expected.slice(0, 235));
    }
  });

  it('refuse cursors of another sort and forged ones', async () => {
    const { nextCursor } = await kit.reader.searchTasks({}, NEWEST, 5);
    const other = kit.reader.searchTasks({}, { key: 'name', descending: true }, 5, nextCursor);
    await expect(other).rejects.toMatchObject({ name: 'Error', code: 'bad-cursor', field: 'cursor' });
    const forge = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const forged = [
      ...['', 'x', '%', forge(null), forge([1, 'timestamp', true, "1'; drop table celery_tasks", 'x'])],
      ...[
        forge([1, 'timestamp', true, null, 'x']),
        forge([1, 'timestamp', true, 1, 2]),
        forge([2, 'timestamp', true, 1, 'x']),
      ],
      forge([1, 'timestamp', true, 1, 'a\0']),
    ];
    for (const cursor of forged) {
      await expect(kit.reader.searchTasks({}, NEWEST, 5, cursor)).rejects.toMatchObject({ code: 'bad-cursor' });
    }
  });
});

describe('search', () => {
  const queries = [
    ...[
      'add',
      'ADD',
      'Straße',
      'STRAßE',
      'straße%',
      '100%',
      'a_b',
      '_b\\\\',
      'name:a_b',
      'worker:TWO',
      'state:success',
    ],
    ...['state:my', 'args:straße', 'result:i̇x', 'kwargs:run', 'kwargs:run=r1', 'kwargs:k%=v_w', 'kwargs:N=1', '791'],
    ...[
      '(add OR straße) AND one',
      'kwargs:run=r1 OR args:100%',
      'kwargs:n=1 state:retry',
      '"\u0001\u0001\u0001"',
      '😀71',
    ],
    ...[`"'; drop table celery_tasks; --"`, '"$1 $2 %s"', "\\'; select", 'name:add worker:one state:FAILURE'],
  ];

  it.each(queries)('%s finds what the pure matcher finds', async (text) => {
    const search = parseSearch(text);
    if (search === undefined) throw new Error('not a search');
    const expected = all.filter((task) => matchesSearch(search, task)).map((task) => task.taskId);
    expect((await idsOf(kit.reader, { search })).sort()).toEqual(expected.sort());
    expect(await kit.reader.countTasks({ search }, 1000)).toBe(expected.length);
  });

  it('folds a plain ASCII term by ASCII alone', async () => {
    const search = parseSearch('args:strasse');
    if (search === undefined) throw new Error('not a search');
    expect(await idsOf(kit.reader, { search })).toHaveLength(all.filter((task) => task.args === "('STRASSE',)").length);
    expect(await idsOf(kit.reader, { search: { kind: 'term', field: 'name', text: 'strasse' } })).toEqual([]);
  });

  it('finds something with most of these', () => {
    const found = queries.filter((text) => {
      const search = parseSearch(text);
      return search !== undefined && all.some((task) => matchesSearch(search, task));
    });
    expect(found.length).toBeGreaterThanOrEqual(18);
  });
});
