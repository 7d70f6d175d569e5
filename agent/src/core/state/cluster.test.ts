import { describe, expect, it } from '@jest/globals';
import { ClusterState } from './cluster.ts';
import { makeEvent } from './event.testkit.ts';
import { RecentIdentities } from './recent-identities.ts';
import { TaskState } from './task.ts';
import { WorkerState } from './worker.ts';

const LIMITS = { openTasks: 3, finishedTasks: 2, workers: 4, recentEvents: 100 };
const cluster = (limits: Partial<typeof LIMITS> = {}) => new ClusterState({ ...LIMITS, ...limits });
const task = (subject: string, uuid: string, timestamp = 1000, body: object = {}) =>
  makeEvent(`task-${subject}`, { uuid, timestamp, ...body });

describe('ClusterState', () => {
  it('tells what an event did to its task', () => {
    const state = cluster();
    const received = task('received', 'a');
    const first = state.apply(received, received.receivedMs);
    expect(first).toMatchObject({
      kind: 'task',
      before: undefined,
      workerBefore: null,
      revived: { hostname: 'celery@a' },
    });
    const started = task('started', 'a', 1001);
    expect(state.apply(started, started.receivedMs)).toEqual({
      kind: 'task',
      event: started,
      task: state.task('a'),
      before: 'RECEIVED',
      workerBefore: 'celery@a',
      revived: undefined,
    });
  });

  it('takes no event twice', () => {
    const state = cluster();
    const event = task('failed', 'a');
    expect(state.apply(event, 0)).toBeDefined();
    state.apply(task('retried', 'a', 1001), 0);
    expect(state.apply({ ...event, receivedMs: 5 }, 0)).toBeUndefined();
    expect(state.task('a')?.state).toBe('RETRY');
    expect(state.counts().doubledEvents).toBe(1);
  });

  it('does not take publishers for workers', () => {
    const state = cluster();
    state.apply(task('sent', 'a', 1000, { hostname: 'gen1@c' }), 0);
    expect(state.workers()).toEqual([]);
    expect(state.task('a')).toMatchObject({ client: 'gen1@c', worker: null });
  });

  it('holds as many open and finished tasks as it may, the youngest ones', () => {
    const state = cluster();
    for (const uuid of ['a', 'b', 'c']) state.apply(task('received', uuid), 0);
    state.apply(task('started', 'a', 1001), 0);
    state.apply(task('received', 'd'), 0);
    expect(['a', 'b', 'c', 'd'].filter((uuid) => state.task(uuid))).toEqual(['b', 'c', 'd']);
    for (const uuid of ['b', 'c', 'd']) state.apply(task('succeeded', uuid, 1002), 0);
    expect(['b', 'c', 'd'].filter((uuid) => state.task(uuid))).toEqual(['c', 'd']);
    expect(state.counts()).toMatchObject({ openTasks: 0, finishedTasks: 2, evictedOpen: 1, evictedFinished: 1 });
  });

  it('opens a finished task again when it is retried', () => {
    const state = cluster();
    state.apply(task('failed', 'a'), 0);
    expect(state.counts()).toMatchObject({ openTasks: 0, finishedTasks: 1 });
    state.apply(task('retried', 'a', 1001), 0);
    expect(state.counts()).toMatchObject({ openTasks: 1, finishedTasks: 0 });
  });

  it('goes on with a task from the history, but not over one it holds', () => {
    const state = cluster();
    const seed = new TaskState('a');
    seed.state = 'SUCCESS';
    expect(state.seedTask(seed)).toBe(true);
    expect(state.apply(task('started', 'a'), 0)).toMatchObject({ before: 'SUCCESS', task: { state: 'SUCCESS' } });
    expect(state.seedTask(new TaskState('a'))).toBe(false);
    expect(state.task('a')?.started).toBe(1000);
  });

  it('takes in open tasks that were found, of which it knows nothing, but not ends', () => {
    const state = cluster();
    const found = (taskId: string, healedState: string) => ({
      ...{ taskId, basis: undefined, foundAt: 1000 },
      verdict: { kind: 'healed', source: 'inspect', state: healedState, at: null, name: 'app.add' } as const,
    });
    expect(state.settle(found('a', 'STARTED'))).toMatchObject({ before: undefined, task: { name: 'app.add' } });
    expect(state.settle(found('a', 'STARTED'))).toBeUndefined();
    expect(state.settle(found('b', 'SUCCESS'))).toBeUndefined();
    state.apply(task('succeeded', 'a', 1001), 0);
    expect(state.task('a')).toMatchObject({ state: 'SUCCESS', name: 'app.add', mark: null });
    expect(state.counts()).toMatchObject({ openTasks: 0, finishedTasks: 1 });
  });

  it('tells workers that come, go, fall silent and start anew', () => {
    const state = cluster();
    const event = (subject: string, timestamp: number, pid: number) =>
      makeEvent(`worker-${subject}`, { timestamp, pid, freq: 2 });
    const apply = (made: ReturnType<typeof event>) => state.apply(made, made.receivedMs);
    expect(apply(event('online', 1000, 1))).toMatchObject({
      wasOnline: false,
      restarted: false,
      worker: { online: true },
    });
    expect(apply(event('heartbeat', 1002, 1))).toMatchObject({ wasOnline: true, restarted: false });
    expect(state.sweep(1_017_000)).toEqual([]);
    expect(state.sweep(1_017_001)).toEqual([
      { kind: 'worker', worker: state.worker('celery@a'), wasOnline: true, restarted: false },
    ]);
    expect(state.sweep(1_017_002)).toEqual([]);
    expect(apply(event('heartbeat', 1020, 2))).toMatchObject({ wasOnline: false, restarted: true });
    expect(apply(event('offline', 1021, 2))).toMatchObject({ wasOnline: true, worker: { online: false } });
    expect(state.sweep(9_000_000)).toEqual([]);
  });

  it('does not keep a worker that it first hears of when that goes', () => {
    const state = cluster();
    expect(state.apply(makeEvent('worker-offline'), 0)).toMatchObject({ wasOnline: false, worker: { online: false } });
    expect(state.workers()).toEqual([]);
  });

  it('keeps the workers heard of last', () => {
    const state = cluster();
    const known = new WorkerState('old');
    known.lastSeenMs = 1;
    state.seedWorker(known);
    state.seedWorker(new WorkerState('old'));
    expect(state.worker('old')).toBe(known);
    for (let i = 0; i < 4; i++) state.apply(makeEvent('worker-online', { hostname: `w${i}`, timestamp: 100 + i }), 0);
    expect(state.workers().map((worker) => worker.hostname)).toEqual(['w0', 'w1', 'w2', 'w3']);
    expect(state.counts()).toMatchObject({ workers: 4, evictedWorkers: 1 });
  });

  it('stays within its limits under a flood', () => {
    const state = cluster({ openTasks: 100, finishedTasks: 50, workers: 32 });
    for (let i = 0; i < 5000; i++) {
      state.apply(task(i % 3 === 0 ? 'succeeded' : 'received', `u${i}`, i + 1, { hostname: `w${i}` }), 0);
    }
    const { openTasks, finishedTasks } = state.counts();
    expect([openTasks, finishedTasks]).toEqual([100, 50]);
    expect(state.counts().workers).toBeLessThanOrEqual(32);
  });
});

describe('RecentIdentities', () => {
  it('remembers at least its capacity and forgets after twice as many', () => {
    const recent = new RecentIdentities(1000);
    for (let i = 1; i <= 10_000; i++) expect(recent.add(i * 8_388_608)).toBe(true);
    for (let i = 9001; i <= 10_000; i++) expect(recent.add(i * 8_388_608)).toBe(false);
    expect(recent.add(8_388_608)).toBe(true);
  });
});
