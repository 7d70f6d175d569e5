import { type DataFrame, DataFrameType, FieldType } from '@grafana/data';
import type { Audit, Failures, Gaps, Series, Status, Task, Worker } from '../../shared/api';
import { readRows } from '../../shared/frames/rows';
import { burstMarks, actionMarks, annotationsFrame, gapMarks, workerMarks } from './annotations/frame';
import { auditFrame } from './audit/frame';
import { type Event, eventsFrame } from './events/frame';
import { failuresFrame } from './failures/frame';
import { gapsFrame } from './gaps/frame';
import { queuesFrame } from './queues/frame';
import { seriesFrames } from './series/frame';
import { stepOf } from './series/request';
import { statusFrame } from './status/frame';
import { taskFrame, timelineFrame } from './task/frame';
import { tasksFrame } from './tasks/frame';
import { inspectFrame } from './worker/frame';
import { workersFrame } from './workers/frame';
import { graphFrames, traceFrame, workflowFrame } from './workflow/frame';
import { stepsOf } from './workflow/model';

const links = { uid: 'u', loki: { uid: 'l', name: 'Loki' }, tempo: { uid: 't', name: 'Tempo' } };
const task = (taskId: string, change: Partial<Task> = {}): Task =>
  ({
    ...{ taskId, name: 'app.add', state: 'SUCCESS', worker: 'w@h', queue: 'q', rootId: 'r', parentId: null, eta: null },
    ...{
      traceId: 'aa',
      timestampMs: 900,
      sentMs: 100,
      receivedMs: 150,
      startedMs: 200,
      succeededMs: 900,
      failedMs: null,
    },
    ...{
      retriedMs: null,
      revokedMs: null,
      rejectedMs: null,
      runtimeMs: 700,
      retries: 0,
      args: '(1,)',
      exception: null,
    },
    ...change,
  }) as Task;

/** What tells frames apart at a glance: kind, view, and per field its name, type, title, unit. */
const shapeOf = ({ meta, fields, length }: DataFrame) => ({
  kind: meta?.custom?.['celery'],
  view: meta?.preferredVisualisationType,
  rows: length,
  fields: fields.map(({ name, type, config: { displayName, unit } }) =>
    [name, type, displayName, unit].filter(Boolean).join(' '),
  ),
});
const field = (frame: DataFrame | undefined, name: string) => frame?.fields.find((one) => one.name === name);

it('tasks: a row each, under the names of the agent, with links that need nothing else', () => {
  const answer = {
    tasks: [task('a'), task('b', { state: 'PROGRESS' }), task('c', { state: 'STARTED' })],
    filter: { from: '1' },
    nextCursor: 'c',
    total: 9,
  };
  const frame = tasksFrame('A', answer, links, 5000);
  expect(shapeOf(frame)).toMatchSnapshot();
  expect(readRows<Task>(frame)[0]).toMatchObject({ taskId: 'a', runtimeMs: 700, traceId: 'aa' });
  expect(frame.meta?.custom).toMatchObject({ celery: 'tasks', filter: { from: '1' }, nextCursor: 'c', total: 9 });
  expect(frame.meta?.notices).toEqual([{ severity: 'info', text: expect.stringContaining('Shows 3 tasks; 9 match.') }]);
  expect(field(frame, 'taskId')?.config.links).toEqual([
    {
      title: 'Task',
      url: '/d/umbel-task?var-datasource=u&var-task_id=${__value.raw:percentencode}&${__url_time_range}',
    },
    {
      ...{ title: 'Logs', url: '' },
      internal: {
        ...{ datasourceUid: 'l', datasourceName: 'Loki' },
        query: { refId: 'A', expr: '{service_name=~".+"} |= `${__value.raw}`', queryType: 'range' },
      },
    },
    {
      ...{ title: 'Trace', url: '' },
      internal: {
        ...{ datasourceUid: 't', datasourceName: 'Tempo' },
        query: { refId: 'A', query: '${__data.fields["traceId"]}', queryType: 'traceql' },
      },
    },
  ]);
  expect(field(frame, 'traceback')?.config.custom).toMatchObject({ hideFrom: { viz: true } });
  expect(field(frame, 'runningMs')?.values).toEqual([null, null, 4800]);
});

it('a task and its timeline', () => {
  expect(readRows(taskFrame('A', { ...task('a'), children: ['b'] }, links))[0]).toMatchObject({ children: ['b'] });
  const event = (type: string, timestampMs: number) => ({
    ...{ type, timestampMs, worker: 'w@h', receivedMs: timestampMs, clock: 1, attempt: 1, fields: { type } },
  });
  const events = [event('task-received', 100), event('task-started', 130)];
  const frame = timelineFrame('A', { taskId: 'a', events }, links);
  expect(shapeOf(frame)).toMatchSnapshot();
  expect(field(frame, 'sinceMs')?.values).toEqual([0, 30]);
});

describe('series', () => {
  const series: Series = {
    ...{ fromMs: 0, toMs: 240_000, stepMs: 60_000, columns: ['count', 'p95'] },
    series: [
      { labels: { state: 'FAILURE' }, points: [{ timeMs: 60_000, values: [3, 12.5] }] },
      { labels: { state: '' }, points: [] },
    ],
  };
  const info = { limit: 50, nowMs: 200_000, ignored: [] };

  it('have every step that has begun: 0 for no events, nothing for no percentile', () => {
    const [first, second] = seriesFrames('A', series, info);
    expect(first?.fields.map(({ name, values }) => [name, values])).toEqual([
      ['timeMs', [0, 60_000, 120_000, 180_000]],
      ['count', [0, 3, 0, 0]],
      ['p95', [null, 12.5, null, null]],
    ]);
    expect(field(first, 'p95')?.config).toMatchObject({ unit: 'ms', displayNameFromDS: 'FAILURE p95' });
    expect(field(first, 'count')?.config.color).toEqual({ mode: 'fixed', fixedColor: 'red' });
    expect(field(second, 'count')?.config.displayNameFromDS).toBe('(none) count');
  });

  it('take the legend of the query, and say what is left out', () => {
    const [first, ...rest] = seriesFrames('A', series, {
      ...info,
      limit: 1,
      ignored: ['search'],
      legend: '{{state}}: {{ column }}',
    });
    expect(rest).toEqual([]);
    expect(field(first, 'count')?.config.displayNameFromDS).toBe('FAILURE: count');
    expect(first?.meta?.notices?.map(({ severity }) => severity)).toEqual(['info', 'warning']);
  });

  it('keep percentiles apart by colour where nothing else does, and leave the others to the palette', () => {
    const columns = ['p50', 'p95', 'p99'];
    const coloursOf = (labels: Record<string, string>) =>
      seriesFrames('A', { ...series, columns, series: [{ labels, points: [] }] }, info)[0]?.fields.map(
        ({ config }) => config.color?.fixedColor,
      );
    expect(coloursOf({})).toEqual([undefined, 'green', 'orange', 'red']);
    expect(coloursOf({ name: 'app.add' })).toEqual([undefined, undefined, undefined, undefined]);
  });

  it('are one of zeros when nothing happened', () => {
    expect(seriesFrames('A', { ...series, columns: ['count'], series: [] }, info)[0]?.fields[1]?.values).toEqual([
      0, 0, 0, 0,
    ]);
  });

  it.each([
    [{}, 3_600_000, 15_000, 60_000],
    [{}, 24 * 3_600_000, 60_000, 120_000],
    [{ step: '90s' }, 3_600_000, 15_000, 120_000],
    [{ step: '7m' }, 3_600_000, 15_000, 420_000],
    [{ step: 'nonsense' }, 3_600_000, 15_000, 60_000],
  ])('step of %j over %d ms', (query, span, intervalMs, expected) => {
    expect(stepOf(query, { fromMs: 0, toMs: span, intervalMs, maxDataPoints: 1000 } as never)).toBe(expected);
  });
});

it('failures, workers, queues, gaps, status, audit', () => {
  const group = {
    ...{ exceptionType: 'ValueError', message: 'no <n>', fingerprint: 'f', count: 2, firstMs: 1, lastMs: 2 },
    ...{ names: ['app.add'], sampleTaskId: 'a', sampleTraceback: null, trend: [0, 2] },
  };
  const failures: Failures = { groups: [group, group], trendFromMs: 0, trendStepMs: 1000 };
  const failed = failuresFrame('A', failures, { filter: {}, limit: 1 }, links);
  const worker = {
    hostname: 'w@h',
    online: true,
    loadavg: [0.5, 0, 0],
    queues: ['q'],
    pool: 'prefork',
  } as unknown as Worker;
  const gaps: Gaps = {
    gaps: [{ id: 1, fromMs: 10, toMs: null, cause: 'broker away', agent: 'x', coveredBy: null, healed: null }],
  };
  const status: Status = {
    role: 'leader',
    standingBy: false,
    slice: null,
    ...{
      version: '0.1.0',
      startedMs: 1,
      uptimeMs: 2,
      demo: false,
      otlp: [],
      shedding: [],
      limits: [],
      warnings: ['Look.'],
      counts: { taskEvents: 7 },
    },
    broker: { displayUrl: 'redis://h', connected: true, sinceMs: 1, reconnects: 0 },
    history: { enabled: true, connected: false, lagMs: 3, queuedBatches: 0, spilledBytes: 0, problem: 'away' },
    live: { subscribers: 1, maxSubscribers: 100 },
  };
  const entry = {
    ...{
      id: 1,
      atMs: 5,
      address: '::1',
      action: 'task.revoke',
      target: 'a',
      arguments: {},
      outcome: 'ok',
      detail: null,
    },
    principal: {
      name: 't',
      role: 'editor',
      via: 'token',
      verified: true,
      grafanaUser: { login: 'ann', verified: false },
    },
  } as Audit['entries'][number];
  const frames = [
    failed,
    workersFrame('A', [worker], links, { live: 'behind' }),
    queuesFrame('A', { queues: [{ name: 'q', messages: 3, oldestMs: 40 }], problem: 'away' }, 100, links),
    gapsFrame('A', gaps, { nowMs: 25, limit: 10 }),
    statusFrame('A', status),
    auditFrame('A', [entry], false),
  ];
  expect(frames.map(shapeOf)).toMatchSnapshot();
  const [, workers, queues, gap, state, audit] = frames;
  expect([failed.length, failed.meta?.notices?.length]).toEqual([1, 1]);
  expect(readRows(workers)[0]).toMatchObject({ load1: 0.5, queues: ['q'], pool: 'prefork', concurrency: null });
  expect(workers?.meta?.custom?.['live']).toBe('behind');
  expect(readRows(queues)[0]).toMatchObject({ messages: 3, unacked: null, oldestAgeMs: 60 });
  expect(queues?.meta?.notices?.[0]?.severity).toBe('warning');
  expect(readRows(gap)[0]).toMatchObject({ durationMs: 15, toMs: null });
  expect(readRows(state)[0]).toMatchObject({ brokerConnected: true, historyProblem: 'away', taskEvents: 7 });
  expect(readRows(audit)[0]).toMatchObject({ user: 'ann', verified: false, role: 'editor' });
});

it('what a worker answers: tasks, names, settings, and who was silent', () => {
  const outcome = (reply: unknown, silent: string[] = []) => ({
    ...{ command: 'x', says: '', sent: true, workers: ['w@h'], silent },
    answers: [{ worker: 'w@h', ok: true, reply }],
  });
  const active = { id: 'a', name: 'app.add', args: [1], time_start: 2, delivery_info: { priority: 3 }, worker_pid: 9 };
  expect(readRows(inspectFrame('A', 'active', outcome([active]), links))[0]).toMatchObject({
    ...{ taskId: 'a', args: '[1]', startedMs: 2000, priority: 3, pid: 9 },
  });
  const scheduled = { eta: '2026-01-01T00:00:00', priority: 6, request: { id: 'b' } };
  expect(readRows(inspectFrame('A', 'scheduled', outcome([scheduled]), links))[0]).toMatchObject({
    ...{ taskId: 'b', eta: '2026-01-01T00:00:00', priority: 6 },
  });
  expect(readRows(inspectFrame('A', 'registered', outcome(['app.mail [rate_limit=10/m]']), links))).toEqual([
    { name: 'app.mail' },
  ]);
  expect(readRows(inspectFrame('A', 'stats', outcome({ pool: { n: 4 }, pid: 7 }), links))).toEqual([
    { key: 'pool.n', value: '4' },
    { key: 'pid', value: '7' },
  ]);
  const silent = inspectFrame('A', 'conf', { ...outcome({}), answers: [], silent: ['w@h'] }, links);
  expect(silent.meta?.notices?.[0]?.text).toContain('w@h did not answer');
});

describe('a workflow', () => {
  const tasks = [
    task('r', { rootId: 'r' }),
    task('s', { parentId: 'r', sentMs: 900, startedMs: 1000, succeededMs: 1500, eta: null }),
    task('f', {
      parentId: 'r',
      sentMs: 900,
      startedMs: 950,
      succeededMs: null,
      failedMs: 1200,
      state: 'FAILURE',
      exception: 'E',
    }),
    task('x', { parentId: 'gone', eta: new Date(180).toISOString() }),
  ];
  const found = stepsOf({ tasks, groups: [] }, 2000);
  const { steps } = found;
  const info = { refId: 'A', rootId: 'r', truncated: false, groupsKnown: true };

  it('knows depth, wait and the critical path', () => {
    expect(steps.map(({ taskId, depth, critical, queueWaitMs }) => [taskId, depth, critical, queueWaitMs])).toEqual([
      ['r', 0, true, 100],
      ['s', 1, true, 100],
      ['f', 1, false, 50],
      ['x', 0, false, 20],
    ]);
    const tasks = [task('a', { parentId: 'b' }), task('b', { parentId: 'a' })];
    const ring = stepsOf({ tasks, groups: [] }, 2000);
    expect(ring.steps.map(({ depth }) => depth)).toEqual([1, 0]);
  });

  it('goes through the one of a chord’s header that ended last, and joins the callback to all of it', () => {
    const header = [1500, 4000, 2000].map((succeededMs, index) =>
      task(`h${index}`, { parentId: 'r', sentMs: 1000, receivedMs: 1000, startedMs: 1000, succeededMs }),
    );
    const callback = task('callback', { parentId: 'h1', sentMs: 4000, receivedMs: 4000, startedMs: 4100, succeededMs: 5000 }); // prettier-ignore
    const chord = stepsOf({ tasks: [task('r', { rootId: 'r' }), ...header, callback], groups: [] }, 9000);
    expect(chord.steps.filter(({ critical }) => critical).map(({ taskId }) => taskId)).toEqual(['r', 'h1', 'callback']);
    const edges = readRows(graphFrames(info, chord, links)[1]);
    expect(edges.map((edge) => Object.values(edge).slice(1, 3).join('→'))).toEqual(
      expect.arrayContaining(['h0→callback', 'h1→callback', 'h2→callback']),
    );
  });

  it('is a table, a graph and a trace', () => {
    const [nodes, edges] = graphFrames(info, found, links);
    const trace = traceFrame(info, steps);
    expect(
      [workflowFrame(info, steps, links), nodes, edges, trace].map((frame) => frame && shapeOf(frame)),
    ).toMatchSnapshot();
    expect(field(nodes, 'arc__failure')?.values).toEqual([0, 0, 1, 0]);
    expect(readRows(edges).map((edge) => Object.values(edge).slice(1, 3))).toEqual([['r', 'f'], ['r', 's']]); // prettier-ignore
    expect(field(trace, 'parentSpanID')?.values).toEqual([undefined, 'r', 'r', 's', 'r', 'f', undefined, 'x']);
    const failed = readRows<{ statusCode: number; tags: unknown[] }>(trace)[4];
    expect(failed).toMatchObject({ statusCode: 2, tags: expect.arrayContaining([{ key: 'error', value: true }]) });
  });
});

it('events are log lines', () => {
  const event = (type: string, change: Partial<Event> = {}): Event => ({
    ...{
      id: type,
      type,
      worker: 'w@h',
      taskId: 'a',
      name: 'app.add',
      timestampMs: 1,
      receivedMs: 2,
      clock: 1,
      fields: {},
    },
    ...change,
  });
  const frame = eventsFrame(
    'A',
    [
      event('task-failed', { fields: { exception: "ValueError('x')", traceback: 'Traceback' } }),
      event('task-succeeded', { fields: { runtime: 0.5, result: '3' } }),
      event('worker-online', { taskId: null, name: null }),
    ],
    links,
  );
  expect(frame.meta).toMatchObject({ type: DataFrameType.LogLines, preferredVisualisationType: 'logs' });
  expect(frame.fields.slice(0, 5).map(({ name, type }) => [name, type])).toEqual([
    ['timestamp', FieldType.time],
    ['body', FieldType.string],
    ['severity', FieldType.string],
    ['id', FieldType.string],
    ['labels', FieldType.other],
  ]);
  expect(field(frame, 'body')?.values).toEqual([
    "task-failed app.add[a] ValueError('x')\nTraceback",
    'task-succeeded app.add[a] in 0.500 s: 3',
    'worker-online w@h',
  ]);
  expect(field(frame, 'severity')?.values).toEqual(['error', 'info', 'info']);
  expect(field(frame, 'labels')?.values[2]).toEqual({ type: 'worker-online', worker: 'w@h' });
});

describe('annotations', () => {
  it('mark bursts of failures as regions', () => {
    const counts = [0, 1, 0, 30, 40, 1, 0, 0, 2, 0, 0, 1, 0, 0, 0];
    const points = counts.map((count, index) => ({ timeMs: index * 60_000, values: [count] }));
    const series = {
      fromMs: 0,
      toMs: counts.length * 60_000,
      stepMs: 60_000,
      columns: ['count'],
      series: [{ labels: {}, points }],
    };
    expect(burstMarks(series)).toEqual([
      expect.objectContaining({ timeMs: 180_000, timeEndMs: 300_000, text: '70 tasks failed' }),
    ]);
    expect(burstMarks({ ...series, series: [] })).toEqual([]);
    const even = points.map(({ timeMs }) => ({ timeMs, values: [9] }));
    expect(burstMarks({ ...series, series: [{ labels: {}, points: even }] }).length).toBeLessThanOrEqual(1);
  });

  it('mark workers, gaps and what users did', () => {
    const event = { type: 'worker-online', worker: 'w@h', timestampMs: 1 } as Event;
    const gap = { id: 1, fromMs: 10, toMs: null, cause: 'away', agent: 'x', coveredBy: null, healed: null };
    const entry = { atMs: 5, principal: { name: 'ann' }, action: 'task.revoke', target: 'a', outcome: 'ok' } as never;
    const marks = [
      ...workerMarks({ events: [event, { ...event, type: 'worker-lost' }], nextCursor: null }),
      ...gapMarks({ gaps: [gap] }, 25),
      ...actionMarks([entry]),
    ];
    expect(readRows(annotationsFrame('A', marks))).toEqual([
      { time: 1, timeEnd: null, title: 'Worker online', text: 'w@h', tags: ['worker-online'] },
      { time: 1, timeEnd: null, title: 'Worker lost', text: 'w@h: no heartbeat any more', tags: ['worker-lost'] },
      { time: 10, timeEnd: 25, title: 'Events were not heard', text: 'away', tags: ['gap'] },
      { time: 5, timeEnd: null, title: 'task.revoke', text: 'ann: a (ok)', tags: ['ok'] },
    ]);
  });
});
