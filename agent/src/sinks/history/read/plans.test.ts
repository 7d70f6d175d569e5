import { beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { closeAtEnd } from '../../../../../test/support/cleanup.ts';
import { freshDatabase } from '../../../../../test/support/database.ts';
import { fillHistory } from '../../../../../test/bench/fill.ts';
import { healStoreOf } from '../../../app/heal-store.ts';
import type { HealStore } from '../../../core/heal/store.ts';
import type { AuditFilter } from '../../../core/identity/audit.ts';
import type { EventFilter } from '../../../core/query/events.ts';
import type { SeriesColumn, SeriesDimension, TaskFilter, TaskSort, TaskSortKey } from '../../../core/query/filter.ts';
import type { HistoryReader } from '../../../core/query/reader.ts';
import { systemClock } from '../../../lib/clock.ts';
import { openAuditTrail } from '../audit.ts';
import { openPool } from '../database.ts';
import { quietLogger } from '../history.testkit.ts';
import { type Catalogue, type PlanNode, recordingPool, type Statement, wholeScans } from './plans.testkit.ts';
import { openHistoryReader } from './reader.ts';

/*
 * What the planner may do at any size is asked for with sequential scans and sorts made expensive: on tables that a test
 * can fill
 * it would take them because they are small. So this tells whether an index or a prune of partitions exists for each
 * statement (but the scan of what is left of a text search, which docs/decisions/0002 has chosen); how long they take on ten million events is measured by `npm run bench -- --only scale`.
 *
 * The statements are those that the reader sends. The tables below are typed by the query's own types: a filter, a sort
 * or a method that is added to them does not compile here until it is listed.
 */
const TASKS = 2_000;
const DAYS = 3;
/** Noon of today: how full the first and the last day are decides what a plan costs. */
const now = Math.floor(Date.now() / 86_400_000) * 86_400_000 + 43_200_000;
const FROM = now - 3_600_000;
/** Before most of what is stored: an index is no help to find nearly all. */
const EARLY = now - (DAYS - 0.5) * 86_400_000;

const FILTERS: { readonly [K in keyof Required<TaskFilter>]: TaskFilter } = {
  ids: { ids: ['0', '1'] },
  names: { names: ['app.module_03.task_4', 'app.module_04.*'] },
  states: { states: ['FAILURE'] },
  workers: { workers: ['celery@worker-07.example'] },
  queues: { queues: ['queue-3'] },
  rootId: { rootId: 'r' },
  parentId: { parentId: 'p' },
  exceptionTypes: { exceptionTypes: ['ValueError'] },
  notNames: { notNames: ['app.module_03.task_4'] },
  notStates: { notStates: ['SUCCESS'] },
  notWorkers: { notWorkers: ['celery@worker-07.example'] },
  notQueues: { notQueues: ['queue-3'] },
  notExceptionTypes: { notExceptionTypes: ['ValueError'] },
  fingerprint: { fingerprint: 'f' },
  fromMs: { fromMs: FROM },
  toMs: { toMs: FROM },
  receivedFrom: { receivedFrom: FROM / 1000, receivedOnly: true },
  receivedTo: { receivedTo: EARLY / 1000, receivedOnly: true },
  receivedOnly: { receivedOnly: false, receivedFrom: FROM / 1000 },
  runtimeMin: { runtimeMin: 1 },
  runtimeMax: { runtimeMax: 0.1 },
  argsText: { argsText: 'nowhere' },
  kwargsText: { kwargsText: 'nowhere' },
  resultText: { resultText: 'nowhere' },
  exceptionText: { exceptionText: 'nowhere' },
  orphaned: { orphaned: true },
  healed: { healed: true },
  search: { search: { kind: 'term', field: 'any', text: 'nowhere' } },
};
const SORTS: Readonly<Record<TaskSortKey, true>> = {
  ...{ timestamp: true, name: true, state: true, received: true, started: true, runtime: true, worker: true },
};
const EVENTS: { readonly [K in keyof Required<EventFilter>]: Partial<EventFilter> } = {
  fromMs: {},
  toMs: { toMs: now },
  names: { names: ['app.module_03.task_4'] },
  states: { states: ['FAILURE'] },
  types: { types: ['task-failed', 'worker-heartbeat'] },
  workers: { workers: ['celery@worker-07.example'] },
  notNames: { notNames: ['app.module_03.task_4'] },
  notStates: { notStates: ['SUCCESS'] },
  notWorkers: { notWorkers: ['celery@worker-07.example'] },
  taskId: { taskId: 't' },
  text: { text: 'nowhere' },
  ascending: { ascending: true },
};
const DIMENSIONS: Readonly<Record<SeriesDimension, true>> = { name: true, worker: true, queue: true, state: true };
const COLUMNS: Readonly<Record<SeriesColumn, true>> = { count: true, rate: true, p50: true, p95: true, p99: true };

const keys = <K extends string>(table: Readonly<Record<K, unknown>>): K[] => Object.keys(table) as K[];
const NEWEST: TaskSort = { key: 'timestamp', descending: true };
const OLDEST_FIRST: TaskSort = { key: 'timestamp', descending: false };

let pool: pg.Pool;
let reader: HistoryReader;
let database: pg.Client;
let catalogue: Catalogue;
const sent: Statement[] = [];

beforeAll(async () => {
  const { url } = await freshDatabase();
  await fillHistory(url, { tasks: TASKS, days: DAYS, endMs: now });
  pool = openPool({ databaseUrl: url, logger: quietLogger });
  closeAtEnd({ close: () => pool.end() });
  reader = openReader();
  database = new pg.Client({ connectionString: url });
  await database.connect();
  closeAtEnd({ close: () => database.end() });
  await database.query(
    `insert into umbel_audit (entry_id, at, user_name, role, via, verified, address, action, target, arguments, outcome)
     select gen_random_uuid(), now() - n * interval '1 hour', 'ada', 'operator', 'token', true, '::1', 'task.revoke', 't', '{}', 'ok'
     from generate_series(1, 2000) n`,
  );
  await database.query('analyze umbel_audit');
  await database.query(
    'set enable_seqscan = off; set enable_sort = off; set max_parallel_workers_per_gather = 0; set jit = off',
  );
  catalogue = {
    partial: await names('select indexrelid::regclass::text as name from pg_index where indpred is not null'),
    empty: await names(`select relname::text as name from pg_class where relkind in ('r', 'i') and reltuples <= 0`),
  };
});

const recorded = (): pg.Pool => recordingPool(pool, (statement) => void sent.push(statement));

/** A reader of its own has every statement explained again, which another one has sent before. */
function openReader(): HistoryReader {
  return openHistoryReader({
    pool: recorded(),
    clock: systemClock,
    logger: quietLogger,
    statementTimeoutMs: 30_000,
  });
}

async function names(sql: string): Promise<Set<string>> {
  return new Set((await database.query<{ name: string }>(sql)).rows.map(({ name }) => name));
}

/** Carries out the work, and tells which scans of whole partitions the statements that it sent would make. */
async function scansOf(work: () => Promise<unknown>): Promise<string[]> {
  sent.length = 0;
  await work();
  const found: string[] = [];
  for (const { text, values } of sent) {
    const { rows } = await database.query<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(`explain (format json) ${text}`, [
      ...values,
    ]);
    const [plan] = rows[0]?.['QUERY PLAN'] ?? [];
    if (plan === undefined) throw new Error(`no plan of ${text}`);
    found.push(...wholeScans(plan.Plan, catalogue).map((scan) => `${scan}: ${text}`));
  }
  return found;
}

async function twoPages(filter: TaskFilter, sort: TaskSort): Promise<void> {
  const { nextCursor } = await reader.searchTasks(filter, sort, 2);
  if (nextCursor !== undefined) await reader.searchTasks(filter, sort, 2, nextCursor);
}

async function all(rows: AsyncIterable<unknown>): Promise<void> {
  for await (const row of rows) if (row === undefined) return;
}

/** `filter by sort` of the searches that scan. Both directions of a sort read the same index. */
async function scannedSearches(more: TaskFilter, filters = keys(FILTERS), sorts = keys(SORTS)): Promise<string[]> {
  const scanned: string[] = [];
  for (const filter of filters) {
    for (const key of sorts) {
      const scans = await scansOf(() => twoPages({ ...FILTERS[filter], ...more }, { key, descending: true }));
      if (scans.length > 0) scanned.push(`${filter} by ${key}`);
    }
  }
  return scanned;
}

/** Sorts that no index gives, and filters that none narrows: see docs/decisions/0013-scale-of-the-history.md. */
const UNINDEXED_SORTS: readonly TaskSortKey[] = ['name', 'state', 'started', 'runtime', 'worker'];
const WIDE_FILTERS: readonly (keyof TaskFilter)[] = [
  ...(['exceptionTypes', 'notNames', 'notWorkers', 'notQueues', 'notExceptionTypes'] as const),
  ...(['runtimeMin', 'runtimeMax', 'argsText', 'kwargsText', 'resultText', 'exceptionText'] as const),
  'search',
];

describe('the plans of what the API asks', () => {
  it('are seen for what they are', async () => {
    expect(await scansOf(() => reader.searchTasks({}, { key: 'runtime', descending: true }, 10))).not.toEqual([]);
    expect(await scansOf(() => reader.searchTasks({}, NEWEST, 10))).toEqual([]);
  });

  it('of a search scan only where a sort without an index meets a filter without one', async () => {
    const expected = WIDE_FILTERS.flatMap((filter) => UNINDEXED_SORTS.map((sort) => `${filter} by ${sort}`));
    expect(new Set(await scannedSearches({}))).toEqual(new Set(expected));
  });

  it('of these never scan within a range of time', async () => {
    expect(await scannedSearches({ fromMs: FROM, toMs: now }, [...WIDE_FILTERS], [...UNINDEXED_SORTS])).toEqual([]);
  });

  it('of everything else', async () => {
    const range = { fromMs: FROM, toMs: now };
    const minutes = { ...range, stepMs: 60_000, limit: 10 };
    const hours = { fromMs: now - 20 * 3_600_000, toMs: now, stepMs: 3_600_000, limit: 10 };
    const work: { readonly [K in keyof HistoryReader]: () => Promise<unknown> } = {
      searchTasks: () => twoPages({}, NEWEST),
      listTasks: () => reader.listTasks({}, NEWEST, 10, 10),
      exportTasks: () => all(reader.exportTasks(range, NEWEST, 10)),
      countTasks: () => reader.countTasks(range, 10_000),
      findTask: () => reader.findTask('t'),
      taskTimeline: () => reader.taskTimeline('t'),
      childrenOf: () => reader.childrenOf(['t']),
      workflow: () => reader.workflow(['r', 's'], 100),
      taskNames: () => reader.taskNames(),
      series: async () => {
        for (const by of [undefined, ...keys(DIMENSIONS)]) {
          for (const column of keys(COLUMNS)) {
            const asked = { by: by === undefined ? [] : [by], columns: [column] };
            for (const range of [minutes, hours]) await reader.series({ ...range, ...asked });
          }
        }
      },
      failures: async () => {
        await reader.failures({}, 10);
        await reader.failures(range, 10, { ...range, steps: 30 });
      },
      workers: () => reader.workers(),
      events: async () => {
        for (const filter of keys(EVENTS)) {
          const asked = { fromMs: FROM, ...EVENTS[filter] };
          const { nextCursor } = await reader.events(asked, 2);
          if (nextCursor !== undefined) await reader.events(asked, 2, nextCursor);
        }
      },
      workerEvents: () => reader.workerEvents('celery@worker-07.example', FROM, now, 10),
      queueNames: () => reader.queueNames(),
      gaps: () => reader.gaps(FROM, now, 10),
    };
    const scanned: Record<string, string[]> = {};
    for (const method of keys(work)) {
      const scans = await scansOf(work[method]);
      if (scans.length > 0) scanned[method] = scans;
    }
    expect(scanned).toEqual({});
  });

  it('of Flower’s listing scan only where those of a search do', async () => {
    const listing = openReader();
    const scanned: string[] = [];
    for (const filter of keys(FILTERS)) {
      for (const key of keys(SORTS)) {
        const scans = await scansOf(() => listing.listTasks(FILTERS[filter], { key, descending: true }, 10, 10));
        if (scans.length > 0) scanned.push(`${filter} by ${key}`);
      }
    }
    const expected = WIDE_FILTERS.flatMap((filter) => UNINDEXED_SORTS.map((sort) => `${filter} by ${sort}`));
    expect(new Set(scanned)).toEqual(new Set(expected));
  });

  // It reads all that match, so a sort of them costs less than a walk through the others in order.
  async function scannedBulks(states: string[]): Promise<string[]> {
    const bulk = openReader();
    await database.query('set enable_sort = on');
    const scanned: string[] = [];
    for (const filter of keys(FILTERS)) {
      const scans = await scansOf(() => all(bulk.exportTasks({ ...FILTERS[filter], states }, OLDEST_FIRST, 10)));
      if (scans.length > 0) scanned.push(filter);
    }
    await database.query('set enable_sort = off');
    return scanned;
  }

  it('of what a bulk action takes scan only where it is to retry what succeeded, by a filter without an index', async () => {
    expect(await scannedBulks(['PENDING', 'RECEIVED', 'STARTED', 'RETRY'])).toEqual([]);
    expect(await scannedBulks(['FAILURE'])).toEqual([]);
    expect(await scannedBulks(['SUCCESS', 'FAILURE', 'REVOKED'])).toEqual(
      keys(FILTERS).filter((filter) => filter === 'states' || WIDE_FILTERS.includes(filter)),
    );
  });

  it('of healing never scan', async () => {
    const store = healStoreOf(recorded(), () => undefined);
    const work: { readonly [K in Exclude<keyof HealStore, 'settle'>]: () => Promise<unknown> } = {
      takeGaps: () => store.takeGaps(now),
      closeGap: () => store.closeGap(1, {}),
      customStates: () => store.customStates(),
      openTasks: async () => {
        for (const state of ['STARTED', 'RECEIVED', 'PENDING', 'RETRY', 'own']) {
          await store.openTasks(state, 10);
          await store.openTasks(state, 10, { timestamp: now / 1000, taskId: 't' });
        }
      },
      unknownAmong: () => store.unknownAmong(['t', 'u']),
      unnamedAmong: () => store.unnamedAmong(['t', 'u']),
      countOrphaned: () => store.countOrphaned(),
    };
    const scanned: Record<string, string[]> = {};
    for (const method of keys(work)) {
      const scans = await scansOf(work[method]);
      if (scans.length > 0) scanned[method] = scans;
    }
    expect(scanned).toEqual({});
  });

  it('of the audit never scan', async () => {
    const audit = openAuditTrail({ pool: recorded(), clock: systemClock, logger: quietLogger });
    closeAtEnd(audit);
    const filters: { readonly [K in keyof Required<AuditFilter>]: AuditFilter } = {
      fromMs: { fromMs: FROM },
      toMs: { toMs: FROM },
      user: { user: 'ada' },
      actions: { actions: ['task.revoke'] },
      outcomes: { outcomes: ['ok'] },
      target: { target: 't' },
    };
    const scanned: string[] = [];
    for (const filter of keys(filters)) {
      for (const before of [undefined, 900])
        scanned.push(...(await scansOf(() => audit.read(filters[filter], 10, before))));
    }
    scanned.push(...(await scansOf(() => audit.removeOld())));
    expect(scanned).toEqual([]);
  });
});
