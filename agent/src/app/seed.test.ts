import { describe, expect, it } from '@jest/globals';
import type { HistoryReader } from '../core/query/reader.ts';
import type { TaskRecord } from '../core/query/records.ts';
import { WHOLE } from '../core/events/slice.ts';
import { ClusterState } from '../core/state/cluster.ts';
import { makeEvent } from '../core/state/event.testkit.ts';
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
    maxTasks: 50,
    clock,
    logger: quietLogger,
    isStored,
    onReady: () => isReady(),
  });
  cluster.apply(makeEvent('task-started', { uuid: 'held' }), 1);
  return { cluster, seeding, ready };
}

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
