import { frameOfRows, panelProps } from '../../shared/testing/panel.testkit';
import { filterOf, type Group, isNew, peakOf, readFailures, sortGroups } from './model';
import { migrateOptions } from './options';

const group = (fingerprint: string, over: Partial<Group> = {}): Group => ({
  exceptionType: 'ValueError',
  message: '',
  fingerprint,
  count: 1,
  firstMs: 0,
  lastMs: 0,
  names: [],
  sampleTaskId: 't',
  sampleTraceback: null,
  trend: [],
  ...over,
});

const read = (series: Parameters<typeof panelProps>[0]['series']) =>
  readFailures(panelProps({ series, options: {} }).data);

it('reads groups, filter and trend of the panel’s query, and completes what a transformation took away', () => {
  const frame = frameOfRows('failures', [{ fingerprint: 'a', count: 3 }], {
    filter: { names: ['x'] },
    trendFromMs: 5,
    trendStepMs: 2,
  });
  expect(read([frame])).toEqual({
    groups: [group('a', { count: 3, exceptionType: '', sampleTaskId: '' })],
    filter: { names: ['x'] },
    trendFromMs: 5,
    trendStepMs: 2,
  });
  expect(read([])).toBeUndefined();
});

it('orders by how many, by the last, and by what is new', () => {
  const groups = [
    group('a', { count: 1, lastMs: 9, firstMs: 2 }),
    group('b', { count: 5, lastMs: 3, firstMs: 1 }),
    group('c', { count: 2, lastMs: 5, firstMs: 4 }),
  ];
  const order = (sort: Parameters<typeof sortGroups>[1]) =>
    sortGroups(groups, sort).map(({ fingerprint }) => fingerprint);
  expect(order('count')).toEqual(['b', 'c', 'a']);
  expect(order('last')).toEqual(['a', 'c', 'b']);
  expect(order('new')).toEqual(['c', 'a', 'b']);
});

it('knows what began lately, and when it was worst', () => {
  expect(isNew(group('a', { firstMs: 95 }), 0, 100)).toBe(true);
  expect(isNew(group('a', { firstMs: 80 }), 0, 100)).toBe(false);
  expect(peakOf([0, 4, 4, 1], 100, 10)).toEqual({ count: 4, atMs: 110 });
  expect(peakOf([], 0, 1)).toBeUndefined();
});

it('finds the failed tasks of a group within the filter of the panel', () => {
  expect(filterOf({ groups: [], filter: { names: ['x'], from: '1' } }, group('f'))).toEqual({
    names: ['x'],
    from: '1',
    states: ['FAILURE'],
    fingerprint: 'f',
  });
});

it('reads saved options', () => {
  expect(migrateOptions(undefined)).toEqual({ version: 1, sortBy: 'count' });
  expect(migrateOptions({ sortBy: 'last' })).toEqual({ version: 1, sortBy: 'last' });
  expect(migrateOptions({ sortBy: 'gone' as never }).sortBy).toBe('count');
});
