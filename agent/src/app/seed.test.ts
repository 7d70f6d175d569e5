import { describe, expect, it } from '@jest/globals';
import type { HistoryReader } from '../core/query/reader.ts';
import type { TaskRecord, WorkerRecord } from '../core/query/records.ts';
import { WHOLE } from '../core/events/slice.ts';
import { ClusterState } from '../core/state/cluster.ts';
import { makeEvent } from '../core/state/event.testkit.ts';
import { WorkerState } from '../core/state/worker.ts';
import { workerRecord } from '../http/testing/memory-history.testkit.ts';
import { systemClock } from '../lib/clock.ts';
import { quietLogger } from '../sinks/history/history.testkit.ts';
import { seedingOf, type Seeding } from './seed.ts';

/** A history of these open tasks. */
function historyOf(...taskIds: readonly string[]): HistoryReader {
  const tasks = taskIds.map((taskId) => ({ taskId, state: 'STARTED', name: 't', clock: 1 }) as TaskRecord);
  return {
    workers: () => Promise.resolve([]),
    searchTasks: () => Promise.resolve({ tasks }),
  } as unknown as HistoryReader;
}

function scene(isStored: () => boolean): {
  readonly cluster: ClusterState;
  readonly seeding: Seeding;
  ready: Promise<void>;
} {
  const cluster = new ClusterState({ openTasks: 100, finishedTasks: 100, workers: 10, recentEvents: 100 });
  let now = 0;
  const clock = {
    ...systemClock,
    now: () => now,
    sleep: (ms: number) => {
      now += ms;
      return Promise.resolve();
    },
  };
  let isReady = (): void => undefined;
  const ready = new Promise<void>((resolve) => (isReady = resolve));
  const seeding = seedingOf({
    cluster,
    slice: WHOLE,
    eventsKeptMs: 100_000,
    maxTasks: 50,
    clock,
    logger: quietLogger,
    isStored,
    onReady: () => isReady(),
  });
  cluster.apply(makeEvent('task-started', { uuid: 'held' }), 1);
  return { cluster, seeding, ready };
}

const worker = (hostname: string, isGone: boolean, lastHeartbeatMs: number): WorkerRecord =>
  workerRecord({ hostname, isGone, lastHeartbeatMs });

describe('workers of the history', () => {
  it('are online until it is told, or turns out, that they are not', async () => {
    const { cluster, seeding } = scene(() => true);
    const records = [worker('lives', false, 1000), worker('gone', true, 1000), worker('forgotten', false, -100_001)];
    await seeding.first({ ...historyOf(), workers: () => Promise.resolve(records) });
    const online = (): string[] => cluster.workers().flatMap(({ hostname, online }) => (online ? [hostname] : []));
    expect(online()).toContain('lives');
    expect(online()).not.toContain('gone');
    expect(online()).not.toContain('forgotten');
    expect(cluster.sweep(30_000, 20_000)).toEqual([]);
    const lost = cluster.sweep(36_000, 20_000).map(({ worker: { hostname, isHeard } }) => [hostname, isHeard]);
    expect(lost).toEqual([['lives', false]]);
  });

  it('are known anew where another agent heard them later', () => {
    const { cluster } = scene(() => true);
    cluster.apply(makeEvent('worker-heartbeat', { hostname: 'w', timestamp: 5 }, 5000), 5000);
    const older = Object.assign(new WorkerState('w'), { lastSeenMs: 4000 });
    const younger = Object.assign(new WorkerState('w'), { lastSeenMs: 6000 });
    cluster.seedWorker(older);
    expect(cluster.worker('w')?.lastSeenMs).toBe(5000);
    cluster.seedWorker(younger);
    expect(cluster.worker('w')).toBe(younger);
  });
});

const open = (cluster: ClusterState): string[] => [...cluster.openTasks()].map(({ uuid }) => uuid).sort();

describe('when the turn comes after another agent had it', () => {
  it('open tasks are read anew, once the history has all that was heard, and nothing is taken meanwhile', async () => {
    let looks = 0;
    const { cluster, seeding, ready } = scene(() => ++looks > 3);
    seeding.again(historyOf('a', 'b'));
    expect(seeding.isUnderWay()).toBe(true);
    await ready;
    expect(seeding.isUnderWay()).toBe(false);
    expect(open(cluster)).toEqual(['a', 'b']);
  });

  it('what is held is kept while the database is away', async () => {
    const { cluster, seeding, ready } = scene(() => false);
    seeding.again(historyOf('a'));
    await ready;
    expect(open(cluster)).toEqual(['held']);
  });

  it('nothing is read again that was read just now', async () => {
    const { cluster, seeding } = scene(() => true);
    await seeding.first(historyOf('a'));
    seeding.again(historyOf('b'));
    expect(seeding.isUnderWay()).toBe(false);
    expect(open(cluster)).toEqual(['a', 'held']);
  });
});
