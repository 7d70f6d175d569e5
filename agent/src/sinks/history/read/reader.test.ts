import { beforeAll, describe, expect, it } from '@jest/globals';
import type { TaskFilter } from '../../../core/query/filter.ts';
import { parseSearch } from '../../../core/query/search-parser.ts';
import { NOON } from '../history.testkit.ts';
import { idsOf, openReadKit, type ReadKit } from './read.testkit.ts';

const UUID = '0b9f1c2e-7d0a-4a43-9a34-5c9a2f0d1e11';
let kit: ReadKit;

beforeAll(async () => {
  kit = await openReadKit();
  await kit.insertTasks([
    {
      ...{ task_id: UUID, name: 'app.root', state: 'SUCCESS', worker: 'celery@one', client: 'gen1@web', queue: 'fast' },
      ...{
        exchange: '',
        routing_key: 'fast',
        root_id: UUID,
        args: '(1,)',
        kwargs: "{'n': 1}",
        result: '2',
        retries: 0,
      },
      ...{
        runtime: 0.25,
        sent: NOON - 3,
        received: NOON - 2,
        started: NOON - 1,
        succeeded: NOON,
        clock: 9007199254740991,
      },
      ...{ pid: 77, eta: '2026-03-10T12:00:00', timestamp: NOON + 0.123456, oddities: { retries: 'two' } },
    },
    {
      task_id: 'child-2',
      root_id: UUID,
      parent_id: UUID,
      name: 'app.child',
      sent: NOON - 1,
      queue: 'slow',
      timestamp: NOON - 5,
    },
    { task_id: 'child-1', root_id: UUID, parent_id: UUID, name: 'app.child', sent: NOON - 2, worker: 'celery@two' },
    { task_id: 'loop', parent_id: 'loop', root_id: 'elsewhere', timestamp: NOON - 100, received: NOON - 500 },
    ...[1, 2, 3].map((n) => ({
      ...{
        task_id: `bad-${n}`,
        name: n === 3 ? 'app.other' : 'app.bad',
        state: 'FAILURE',
        exception_type: 'ValueError',
      },
      ...{
        failure_message: 'bad <n>',
        fingerprint: 'f1',
        exception: `ValueError('bad ${n}')`,
        traceback: `trace ${n}`,
      },
      ...{ timestamp: NOON - 50 + n, kwargs: `{'n': ${n}}`, received: NOON - 60, runtime: n },
    })),
    { task_id: 'lost', state: 'FAILURE', timestamp: NOON - 70, args: `('${UUID}',)` },
    {
      task_id: 'again',
      state: 'RETRY',
      exception_type: 'KeyError',
      failure_message: '',
      fingerprint: 'f2',
      timestamp: NOON - 80,
    },
  ]);
});

describe('one task', () => {
  it('comes back as it was stored', async () => {
    expect(await kit.reader.findTask(UUID)).toEqual({
      ...{ taskId: UUID, name: 'app.root', state: 'SUCCESS', worker: 'celery@one', client: 'gen1@web', queue: 'fast' },
      ...{
        exchange: '',
        routingKey: 'fast',
        rootId: UUID,
        parentId: null,
        args: '(1,)',
        kwargs: "{'n': 1}",
        result: '2',
      },
      ...{ exception: null, traceback: null, eta: '2026-03-10T12:00:00', expires: null, retries: 0, runtime: 0.25 },
      ...{ sent: NOON - 3, received: NOON - 2, started: NOON - 1, succeeded: NOON, failed: null, retried: null },
      ...{ revoked: null, rejected: null, timestamp: NOON + 0.123456, clock: 9007199254740991, pid: 77 },
      ...{ exceptionType: null, oddities: { retries: 'two' }, healed: null, orphaned: null },
      ...{ retriedAs: null, markedMs: null },
    });
    expect(await kit.reader.findTask('nope')).toBeUndefined();
    expect(await kit.reader.findTask("x' or '1'='1")).toBeUndefined();
    expect(await kit.reader.findTask('a\0b')).toBeUndefined();
  });

  it('has a timeline with the whole bodies', async () => {
    const row = (n: number, type: string, worker: string, at: number, fields: object) => ({
      ...{ occurred_at: new Date((NOON + at) * 1000), received_at: new Date((NOON + at) * 1000 + 4), identity: n },
      ...{ timestamp: NOON + at, clock: 10 + n, task_id: UUID, type, worker, fields },
    });
    await kit.insert('celery_task_events', [
      row(4, 'task-succeeded', 'celery@one', 2.5, { result: '2' }),
      row(1, 'task-received', 'celery@one', 1, { name: 'app.root', retries: 0 }),
      row(2, 'task-started', 'celery@one', 2, { clock: 'odd' }),
      row(9, 'task-sent', 'gen1@web', 0, { name: 'app.root', queue: 'fast', retries: 0 }),
    ]);
    const timeline = await kit.reader.taskTimeline(UUID);
    expect(timeline.map(({ type, attempt }) => [type, attempt])).toEqual([
      ...[
        ['task-sent', 1],
        ['task-received', 1],
        ['task-started', 1],
        ['task-succeeded', 1],
      ],
    ]);
    expect(timeline[1]).toEqual({
      ...{
        taskId: UUID,
        type: 'task-received',
        worker: 'celery@one',
        timestampMs: (NOON + 1) * 1000,
        clock: 11,
        attempt: 1,
      },
      receivedMs: (NOON + 1) * 1000 + 4,
      fields: {
        ...{ type: 'task-received', hostname: 'celery@one', timestamp: NOON + 1, clock: 11, uuid: UUID },
        ...{ name: 'app.root', retries: 0 },
      },
    });
    expect(timeline[2]?.fields['clock']).toBe('odd');
    expect(await kit.reader.taskTimeline(UUID, 2)).toHaveLength(2);
    expect(await kit.reader.taskTimeline('nope')).toEqual([]);
  });

  it('has a workflow and children', async () => {
    expect((await kit.reader.workflow([UUID], 10)).map((task) => task.taskId)).toEqual([UUID, 'child-1', 'child-2']);
    expect((await kit.reader.workflow([UUID], 2)).map((task) => task.taskId)).toEqual([UUID, 'child-1']);
    const several = await kit.reader.workflow(['bad-1', UUID, 'nope\0'], 10);
    expect(several.map((task) => task.taskId).sort()).toEqual(['bad-1', 'child-1', 'child-2', UUID].sort());
    expect(await kit.reader.workflow([], 10)).toEqual([]);
    const children = await kit.reader.childrenOf([UUID, 'loop', 'nope']);
    expect([...children]).toEqual(
      expect.arrayContaining([
        [UUID, ['child-1', 'child-2']],
        ['loop', ['loop']],
      ]),
    );
    expect(children.size).toBe(2);
  });
});

describe('filters', () => {
  const cases: readonly [TaskFilter, readonly string[]][] = [
    [{ ids: ['child-1', 'loop'] }, ['child-1', 'loop']],
    [{ ids: [] }, []],
    [{ names: ['app.root', 'app.bad'] }, [UUID, 'bad-1', 'bad-2']],
    [{ names: ['app.*'], states: ['FAILURE'] }, ['bad-1', 'bad-2', 'bad-3']],
    [{ names: ['*child', 'app.root'] }, [UUID, 'child-1', 'child-2']],
    [{ names: ['*.b*'] }, ['bad-1', 'bad-2']],
    [{ names: ['app_*'] }, []],
    [{ states: ['RETRY'] }, ['again']],
    [{ workers: ['celery@two'] }, ['child-1']],
    [{ queues: ['slow', 'fast'] }, [UUID, 'child-2']],
    [{ rootId: UUID }, [UUID, 'child-1', 'child-2']],
    [{ parentId: UUID }, ['child-1', 'child-2']],
    [{ exceptionTypes: ['KeyError'] }, ['again']],
    [{ exceptionTypes: ['Key*'] }, ['again']],
    [{ workers: ['*@one'], queues: ['f*'] }, [UUID]],
    [{ workers: ['*two'] }, ['child-1']],
    [{ states: ['FAILURE'], notNames: ['*.bad'] }, ['bad-3', 'lost']],
    [{ notStates: ['SUCCESS', 'FAILURE'] }, ['again']],
    [{ notStates: ['SUCCESS'], notExceptionTypes: ['Value*'] }, ['again', 'lost']],
    [{ rootId: UUID, notWorkers: ['celery@two'], notQueues: ['slow'] }, [UUID]],
    [{ notNames: ['app.*'], notStates: [] }, ['again', 'loop', 'lost']],
    [{ fingerprint: 'f1' }, ['bad-1', 'bad-2', 'bad-3']],
    [{ fromMs: (NOON - 49) * 1000, toMs: (NOON - 47) * 1000 }, ['bad-1', 'bad-2']],
    [{ receivedFrom: NOON - 500, receivedTo: NOON - 60, states: ['SUCCESS'] }, ['child-1', 'child-2', 'loop']],
    [{ receivedFrom: NOON - 500, receivedTo: NOON - 60, receivedOnly: true, states: ['SUCCESS'] }, ['loop']],
    [{ runtimeMin: 1, runtimeMax: 2 }, ['bad-1', 'bad-2']],
    [{ exceptionText: "VALUEERROR('BAD 2" }, ['bad-2']],
    [{ resultText: '2', kwargsText: 'N' }, [UUID]],
    [{ names: ["app.root' or true --"] }, []],
    [{ names: ['app.root\0'], ids: ["\\'; drop table celery_tasks"] }, []],
    [{ argsText: '%' }, []],
  ];

  it.each(cases)('%j', async (filter, expected) => {
    expect((await idsOf(kit.reader, filter)).sort()).toEqual([...expected].sort());
    expect(await kit.reader.countTasks(filter, 100)).toBe(expected.length);
  });

  it('count up to the limit', async () => {
    expect(await kit.reader.countTasks({}, 3)).toBe(3);
  });

  it('take the whole id of a task for that task, and any other id for a text', async () => {
    const find = (text: string) => {
      const search = parseSearch(text);
      return search === undefined ? [] : idsOf(kit.reader, { search });
    };
    expect(await find(UUID.toUpperCase())).toEqual([UUID]);
    expect(await find(`args:${UUID}`)).toEqual(['lost']);
    expect(await find(`${UUID} state:FAILURE`)).toEqual([]);
    await kit.insertTasks([
      { task_id: 'far', name: 'far', kwargs: "{'o': '11111111-2222-4333-8444-555555555555'}", timestamp: NOON - 1000 },
    ]);
    expect(await find('11111111-2222-4333-8444-555555555555')).toEqual(['far']);
  });
});

describe('failures', () => {
  it('are grouped, largest first', async () => {
    const groups = await kit.reader.failures({}, 10);
    expect(groups.map(({ fingerprint, count }) => [fingerprint, count])).toEqual([
      ...[
        ['f1', 3],
        ['', 1],
        ['f2', 1],
      ],
    ]);
    expect(groups[0]).toEqual({
      ...{
        exceptionType: 'ValueError',
        message: 'bad <n>',
        fingerprint: 'f1',
        count: 3,
        names: ['app.bad', 'app.other'],
      },
      ...{ firstMs: (NOON - 49) * 1000, lastMs: (NOON - 47) * 1000, sampleTaskId: 'bad-3', sampleTraceback: 'trace 3' },
      trend: [],
    });
    expect(groups[1]).toMatchObject({
      exceptionType: 'Unknown',
      message: '',
      sampleTaskId: 'lost',
      sampleTraceback: null,
    });
    expect(await kit.reader.failures({}, 1)).toHaveLength(1);
  });

  it('are counted by steps, those outside in the nearest', async () => {
    const trend = { fromMs: (NOON - 49) * 1000, toMs: (NOON - 46) * 1000, steps: 3 };
    expect(await kit.reader.failures({}, 1, trend)).toMatchObject([{ count: 3, trend: [1, 1, 1] }]);
    const late = { fromMs: (NOON - 48) * 1000, toMs: (NOON - 47.5) * 1000, steps: 2 };
    expect(await kit.reader.failures({}, 1, late)).toMatchObject([{ count: 3, trend: [2, 1] }]);
  });

  it('leave out a task that ended well after a retry, unless its state is asked for', async () => {
    await kit.rows(`update celery_tasks set exception_type = 'OSError', fingerprint = 'f3' where task_id = 'loop'`);
    expect((await kit.reader.failures({}, 10)).map(({ fingerprint }) => fingerprint)).toEqual(['f1', '', 'f2']);
    expect(await kit.reader.failures({ states: ['SUCCESS'] }, 10)).toMatchObject([{ fingerprint: 'f3', count: 1 }]);
    await kit.rows(`update celery_tasks set exception_type = null, fingerprint = null where task_id = 'loop'`);
  });

  it('obey the filter', async () => {
    expect(await kit.reader.failures({ names: ['app.other'] }, 10)).toMatchObject([
      { count: 1, sampleTaskId: 'bad-3' },
    ]);
    const search = parseSearch('kwargs:n=2');
    if (search === undefined) throw new Error('not a search');
    expect(await kit.reader.failures({ search }, 10)).toMatchObject([{ count: 1, sampleTaskId: 'bad-2' }]);
  });
});

describe('lists', () => {
  it('of workers, told online by their heartbeats', async () => {
    const ago = (seconds: number): Date => new Date((NOON - seconds) * 1000);
    const row = (hostname: string, seconds: number, freq: number | null, online = true) => ({
      ...{ hostname, first_seen_at: ago(1000), last_heartbeat_at: ago(seconds), online, freq },
    });
    await kit.insert('celery_workers', [
      { ...row('a', 14, 2), active: 1, processed: 5, clock: 9, pid: 7, loadavg: [0.5, 0.25, 0], sw_ident: 'py-celery' },
      ...[row('b', 16, 2), row('c', 29, 10), row('d', 31, 10), row('e', 1, 2, false), row('f', 14, null)],
      { ...row('g', 1, 2), last_heartbeat_at: null },
    ]);
    const workers = await kit.reader.workers();
    expect(workers.filter(({ online }) => online).map(({ hostname }) => hostname)).toEqual(['a', 'c', 'f']);
    expect(workers[0]).toEqual({
      ...{
        hostname: 'a',
        online: true,
        isGone: false,
        lastHeartbeatMs: (NOON - 14) * 1000,
        firstSeenMs: (NOON - 1000) * 1000,
        pid: 7,
      },
      ...{
        freq: 2,
        active: 1,
        processed: 5,
        loadavg: [0.5, 0.25, 0],
        swIdent: 'py-celery',
        swVer: null,
        swSys: null,
        clock: 9,
      },
    });
  });

  it('of worker events, names, queues and gaps', async () => {
    const at = (seconds: number): Date => new Date((NOON + seconds) * 1000);
    await kit.insert(
      'celery_worker_events',
      [1, 2, 3].map((n) => ({
        ...{ occurred_at: at(n), received_at: at(n), identity: n, timestamp: NOON + n, clock: n, hostname: 'a' },
        ...{ type: 'worker-heartbeat', fields: { active: n } },
      })),
    );
    const events = await kit.reader.workerEvents('a', (NOON + 1) * 1000, (NOON + 3) * 1000, 5);
    expect(events.map(({ fields }) => fields['active'])).toEqual([2, 1]);
    expect(events[0]?.fields).toMatchObject({ type: 'worker-heartbeat', hostname: 'a', clock: 2 });
    await kit.insert(
      'celery_task_names',
      ['b', 'B', 'a'].map((name) => ({ name, first_seen_at: at(0), last_seen_at: at(0) })),
    );
    expect(await kit.reader.taskNames()).toEqual(['B', 'a', 'b']);
    expect(await kit.reader.queueNames()).toEqual(['fast', 'slow']);
    await kit.rows(`insert into umbel_gaps (agent, from_at, to_at, cause, healed) values
      ('x', to_timestamp(${NOON}), to_timestamp(${NOON + 10}), 'one', '{"tasks": 2}'),
      ('x', to_timestamp(${NOON + 20}), null, 'two', null)`);
    const gaps = (from: number, to: number) => kit.reader.gaps((NOON + from) * 1000, (NOON + to) * 1000, 10);
    expect((await gaps(5, 100)).map(({ cause, toMs }) => [cause, toMs])).toEqual([['two', null], ['one', (NOON + 10) * 1000]]); // prettier-ignore
    expect((await gaps(5, 20)).map(({ healed }) => healed)).toEqual([{ tasks: 2 }]);
    expect((await gaps(11, 20)).length).toBe(0);
  });
});
