import { consumerCount, isEmpty, type LengthHistory, marksOf, sortRows, toQueueRows, track } from './model';

const worker = (hostname: string, queues: string[] | undefined, online = true) => ({ hostname, online, queues });

describe('rows', () => {
  it('leave out what the broker does not tell', () => {
    expect(toQueueRows([{ name: 'a', messages: 3, consumers: null, oldestMs: null }, {}], [])).toEqual([
      { name: 'a', messages: 3 },
    ]);
  });

  it('name the workers that are online and consume the queue', () => {
    const workers = [worker('w2', ['a', 'b']), worker('w1', ['a']), worker('gone', ['a'], false)];
    const rows = toQueueRows([{ name: 'a' }, { name: 'c' }], workers);
    expect(rows.map((row) => row.workers)).toEqual([['w1', 'w2'], []]);
  });

  it('do not guess while a worker has not told its queues', () => {
    const [row] = toQueueRows([{ name: 'a', messages: 1 }], [worker('w1', undefined), worker('w2', [])]);
    expect(row?.workers).toBeUndefined();
    expect(row && marksOf(row)).toEqual([]);
  });
});

describe('marks', () => {
  it.each([
    ['the broker counts none', { name: 'q', messages: 1, consumers: 0, workers: ['w1'] }, ['no-consumers']],
    ['no worker consumes it', { name: 'q', messages: 0, workers: [] }, ['no-consumers']],
    ['nothing is known', { name: 'q', messages: 1 }, []],
    ['only its name is known', { name: 'q', workers: [] }, []],
    [
      'more comes in than goes out',
      { name: 'q', messages: 9, consumers: 1, publishRate: 5, deliverRate: 3 },
      ['growing'],
    ],
    ['nothing waits', { name: 'q', messages: 0, consumers: 1, publishRate: 5, deliverRate: 3 }, []],
  ])('where %s', (_, row, expected) => {
    expect(marksOf(row)).toEqual(expected);
  });

  const marksAfter = (lengths: number[]) => {
    let history: LengthHistory = new Map();
    lengths.forEach((messages, index) => (history = track(history, [{ name: 'q', messages }], 1000 + index * 10_000)));
    return marksOf({ name: 'q', messages: lengths.at(-1) ?? 0, consumers: 1 }, history.get('q'));
  };

  it.each([
    [[10, 20, 30], ['growing']],
    [[10, 30, 20], []],
    [[10, 30], []],
    [[1000, 1002, 1008], []],
    [[0, 1, 2], []],
    [[30, 20, 10], []],
  ])('of the lengths %j are %j', (lengths, expected) => {
    expect(marksAfter(lengths)).toEqual(expected);
  });
});

it('the history forgets old answers, queues that are gone, and answers that follow at once', () => {
  let history = track(
    new Map(),
    [
      { name: 'q', messages: 1 },
      { name: 'gone', messages: 1 },
    ],
    0,
  );
  history = track(history, [{ name: 'q', messages: 2 }], 500);
  expect([...history]).toEqual([['q', [{ atMs: 500, messages: 2 }]]]);
  expect(track(history, [{ name: 'q', messages: 3 }], 3_600_000).get('q')).toHaveLength(1);
});

it('sorts by any column, the unknown last either way', () => {
  const rows = [
    { name: 'b', messages: 2, oldestMs: 50, consumers: 1 },
    { name: 'a' },
    { name: 'c', messages: 7, oldestMs: 90, workers: [] },
  ];
  const names = (by: Parameters<typeof sortRows>[1], descending: boolean) =>
    sortRows(rows, by, descending)
      .map(({ name }) => name)
      .join('');
  expect(names('messages', true)).toBe('cba');
  expect(names('messages', false)).toBe('bca');
  expect(names('name', false)).toBe('abc');
  expect(names('consumers', true)).toBe('bca');
  expect(names('oldestMs', true)).toBe('bca');
});

it('consumers are counted by the broker, else by the workers', () => {
  expect(
    [{ name: 'q', consumers: 3, workers: ['w'] }, { name: 'q', workers: ['w'] }, { name: 'q' }].map(consumerCount),
  ).toEqual([3, 1, undefined]);
  expect(isEmpty({ name: 'q', messages: 0, unacked: 1 })).toBe(false);
});
