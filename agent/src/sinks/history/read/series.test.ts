import { beforeAll, describe, expect, it } from '@jest/globals';
import type { SeriesQuery } from '../../../core/query/filter.ts';
import { runtimeBucket, RUNTIME_BUCKETS } from '../../../core/query/runtime-buckets.ts';
import { NOON } from '../history.testkit.ts';
import { openReadKit, type ReadKit } from './read.testkit.ts';

let kit: ReadKit;

beforeAll(async () => {
  kit = await openReadKit();
});

describe('series', () => {
  const minute = (n: number): number => NOON * 1000 + n * 60_000;
  const query = (more: Partial<SeriesQuery>): SeriesQuery => ({
    ...{ fromMs: minute(0), toMs: minute(6), stepMs: 120_000, by: [], columns: ['count'], limit: 10, ...more },
  });
  const buckets = (...runtimes: number[]): number[] => {
    const counts = new Array<number>(RUNTIME_BUCKETS.length + 1).fill(0);
    for (const runtime of runtimes) counts[runtimeBucket(runtime)] = (counts[runtimeBucket(runtime)] ?? 0) + 1;
    return counts;
  };

  beforeAll(async () => {
    const row = (n: number, name: string, more: object) => ({
      ...{ minute: new Date(minute(n)), name, queue: 'q', worker: 'w', sent: 0, received: 0, started: 0, succeeded: 0 },
      ...{ failed: 0, retried: 0, revoked: 0, rejected: 0, other: 0, runtime_count: 0, runtime_sum: 0, ...more },
    });
    await kit.insert('celery_task_rollups', [
      row(-1, 'a', { succeeded: 100 }),
      row(0, 'a', { succeeded: 2, received: 3, runtime_count: 2, runtime_buckets: buckets(0.1, 0.1) }),
      row(1, 'a', { succeeded: 2, failed: 1, runtime_count: 2, runtime_buckets: buckets(10, 10), queue: 'p' }),
      row(4, 'b', { succeeded: 1, runtime_count: 1, runtime_buckets: buckets(1), worker: 'v' }),
      row(4, 'c', { started: 5 }),
      row(6, 'b', { succeeded: 100 }),
    ]);
  });

  it('count what ended, in every step', async () => {
    expect(await kit.reader.series(query({ columns: ['count', 'rate'] }))).toEqual([
      {
        labels: {},
        points: [
          { timeMs: minute(0), values: [5, 5 / 120] },
          { timeMs: minute(2), values: [0, 0] },
          { timeMs: minute(4), values: [1, 1 / 120] },
        ],
      },
    ]);
  });

  it('tell dimensions apart and keep the largest', async () => {
    const totals = async (more: Partial<SeriesQuery>) =>
      (await kit.reader.series(query(more))).map(({ labels, points }) => [
        Object.values(labels).join(),
        points.reduce((sum, point) => sum + (point.values[0] ?? 0), 0),
      ]);
    expect(await totals({ by: ['name'] })).toEqual([['a', 5], ['b', 1]]); // prettier-ignore
    expect(await totals({ by: ['name'], limit: 1, columns: ['count', 'p50'] })).toEqual([['a', 5]]);
    expect(await totals({ by: ['queue', 'worker'] })).toEqual([['p,w', 3], ['q,w', 2], ['q,v', 1]]); // prettier-ignore
    expect(await totals({ by: ['state'] })).toEqual([['SUCCESS', 5], ['STARTED', 5], ['RECEIVED', 3], ['FAILURE', 1]].sort((x, y) => Number(y[1]) - Number(x[1]) || (String(x[0]) < String(y[0]) ? -1 : 1))); // prettier-ignore
    expect(await totals({ by: ['name', 'state'], states: ['FAILURE', 'STARTED'] })).toEqual([['c,STARTED', 5], ['a,FAILURE', 1]]); // prettier-ignore
    expect(await totals({ by: ['name'], names: ['b', 'x'], workers: ['v'] })).toEqual([['b', 1]]);
    expect(await totals({ by: ['name'], queues: ["q' or true --"] })).toEqual([]);
    expect(await totals({ by: ['name'], states: ['NOPE'] })).toEqual([]);
    expect(await totals({ by: ['queue'], notQueues: ['q*'] })).toEqual([['p', 3]]);
    expect(await totals({ by: ['state'], notStates: ['SUCCESS', 'STARTED', 'RECEIVED'] })).toEqual([['FAILURE', 1]]);
    expect(await totals({ notStates: ['SUCCESS'], notNames: ['b'], notWorkers: ['x'] })).toEqual([['', 1]]);
  });

  it('give percentiles within a bucket of the truth', async () => {
    const [series] = await kit.reader.series(query({ columns: ['p50', 'p95'], by: ['name'], names: ['a'] }));
    const [p50, p95] = series?.points[0]?.values ?? [];
    expect(p50).toBeGreaterThan(0.1 / 1.42);
    expect(p50).toBeLessThan(0.1 * 1.42);
    expect(p95).toBeGreaterThan(10 / 1.42);
    expect(p95).toBeLessThan(10 * 1.42);
    expect(series?.points[1]?.values).toEqual([null, null]);
  });

  it('bound the number of steps', async () => {
    await expect(kit.reader.series(query({ fromMs: 0, stepMs: 60_000 }))).rejects.toThrow(RangeError);
  });
});
