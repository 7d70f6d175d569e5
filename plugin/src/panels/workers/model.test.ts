import { createDataFrame, FieldType } from '@grafana/data';
import {
  matches,
  rateOf,
  ratesOfSeries,
  sortRows,
  targetOf,
  toWorkerRows,
  trackRates,
  type RateHistory,
} from './model';

const NOW_MS = 1_000_000;
const online = { online: true, lastHeartbeatMs: NOW_MS - 1000, heartbeatEveryMs: 2000 };

describe('the status', () => {
  it.each([
    ['online', online],
    ['online', { ...online, lastHeartbeatMs: NOW_MS - 9000 }],
    ['silent', { ...online, lastHeartbeatMs: NOW_MS - 11_000 }],
    ['online', { ...online, lastHeartbeatMs: NOW_MS - 60_000, heartbeatEveryMs: 30_000 }],
    ['online', { online: true, lastHeartbeatMs: null }],
    ['offline', { ...online, online: false }],
  ])('is %s for %j', (status, worker) => {
    expect(toWorkerRows([{ hostname: 'w', ...worker }], NOW_MS)[0]?.status).toBe(status);
  });
});

it('rows without a name are left out, and so are members that are not known', () => {
  expect(toWorkerRows([{ hostname: 'w', ...online, pid: null }, {}, { hostname: '' }], NOW_MS)).toEqual([
    { hostname: 'w', ...online, status: 'online' },
  ]);
});

it('a search looks into names, queues, pool, version and status, for every word', () => {
  const [row] = toWorkerRows([{ hostname: 'celery@Web-1', queues: ['mail'], pool: 'prefork', ...online }], NOW_MS);
  const found = ['web', 'mail', 'web PREFORK', 'online', '', 'web batch'].map((text) => row && matches(row, text));
  expect(found).toEqual([true, true, true, true, true, false]);
});

describe('the rate', () => {
  const after = (...heartbeats: Array<[atMs: number, processed: number]>) => {
    let history: RateHistory = new Map();
    for (const [lastHeartbeatMs, processed] of heartbeats) {
      history = trackRates(history, [{ hostname: 'w', lastHeartbeatMs, processed }]);
    }
    return rateOf(history.get('w'));
  };

  it.each([
    ['needs two heartbeats', [[0, 5]], undefined],
    [
      'is tasks per second between them',
      [
        [0, 0],
        [2000, 10],
      ],
      5,
    ],
    [
      'does not count one heartbeat twice',
      [
        [0, 0],
        [2000, 10],
        [2000, 10],
      ],
      5,
    ],
    [
      'looks back over a minute',
      [
        [0, 0],
        [50_000, 500],
        [100_000, 500],
      ],
      0,
    ],
    [
      'begins anew after a restart',
      [
        [0, 1000],
        [2000, 4],
        [4000, 8],
      ],
      2,
    ],
  ] as Array<[string, Array<[number, number]>, number | undefined]>)('%s', (_, heartbeats, expected) => {
    expect(after(...heartbeats)).toBe(expected);
  });

  it('is the last of a series by worker, where a query gives one', () => {
    const frame = createDataFrame({
      meta: { custom: { celery: 'series' } },
      fields: [
        { name: 'timeMs', type: FieldType.time, values: [1, 2, 3] },
        { name: 'rate', type: FieldType.number, labels: { worker: 'w' }, values: [1, 2.5, null] },
        { name: 'count', type: FieldType.number, labels: { worker: 'v' }, values: [1, 2, 3] },
      ],
    });
    expect([...ratesOfSeries([frame])]).toEqual([['w', 2.5]]);
  });
});

it('sorts by any column, the unknown last either way', () => {
  const rows = toWorkerRows(
    [
      { hostname: 'a', ...online, active: 1 },
      { hostname: 'b', ...online, active: 5, loadavg: [2, 1, 1] },
      { hostname: 'c', online: false },
    ],
    NOW_MS,
  );
  const names = (by: Parameters<typeof sortRows>[1], descending: boolean) =>
    sortRows(rows, by, descending, new Map([['a', 9]]))
      .map(({ hostname }) => hostname)
      .join('');
  expect(names('hostname', true)).toBe('cba');
  expect(names('active', true)).toBe('bac');
  expect(names('active', false)).toBe('abc');
  expect(names('status', false)).toBe('cab');
  expect(names('rate', false)).toBe('abc');
  expect(names('load', true)).toBe('bac');
});

describe('a command goes', () => {
  const many = (count: number) =>
    toWorkerRows(
      Array.from({ length: count }, (_, index) => ({ hostname: `w${index}`, ...online })),
      NOW_MS,
    );

  it('to those that are not offline, by name', () => {
    const rows = toWorkerRows(
      [
        { hostname: 'a', ...online },
        { hostname: 'b', online: false },
      ],
      NOW_MS,
    );
    expect(targetOf(rows, true)).toEqual({ target: { workers: ['a'] }, count: 1 });
    expect(targetOf(rows.slice(1), true)).toEqual({ reason: 'nobody', count: 0 });
  });

  it('to everybody when there are too many to name, never to more than are meant', () => {
    expect(targetOf(many(2000), true)).toEqual({ target: { all: true }, count: 2000 });
    expect(targetOf(many(2000), false)).toEqual({ reason: 'too-many', count: 2000 });
  });
});
