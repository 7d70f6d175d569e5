import { createDataFrame, FieldType, getDefaultTimeRange, LoadingState } from '@grafana/data';
import { joinPages, narrow, NO_NARROWING, readFound } from './taskRows';

const data = (custom: object) => ({
  state: LoadingState.Done,
  timeRange: getDefaultTimeRange(),
  series: [
    createDataFrame({
      meta: { custom },
      fields: [
        { name: 'taskId', type: FieldType.string, values: ['a', null] },
        { name: 'state', type: FieldType.string, values: ['SUCCESS', 'SUCCESS'] },
      ],
    }),
  ],
});

it('takes the tasks of a workflow as they come, which is no order by any column', () => {
  expect(readFound(data({ celery: 'workflow', filter: { rootId: 'a' } }))).toMatchObject({ sort: undefined });
});

it('reads rows, filter, cursor and count of the panel’s query, and leaves out what is no task', () => {
  expect(
    readFound(
      data({ celery: 'tasks', filter: { names: ['a'] }, nextCursor: 'c', total: 10, totalExact: false, live: 'live' }),
    ),
  ).toEqual({
    rows: [{ taskId: 'a', state: 'SUCCESS' }],
    filter: { names: ['a'] },
    sort: { key: 'timestamp', descending: true },
    nextCursor: 'c',
    total: { count: 10, exact: false },
    live: 'live',
  });
  expect(readFound(data({}))).toBeUndefined();
});

it('narrows what the query found', () => {
  const filter = { names: ['a'], search: 'x OR y', states: ['FAILURE', 'RETRY'] };
  expect(narrow(filter, NO_NARROWING)).toEqual(filter);
  expect(narrow(filter, { search: ' z ', states: ['RETRY', 'SUCCESS'] })).toEqual({
    names: ['a'],
    search: '(x OR y) (z)',
    states: ['RETRY'],
  });
  expect(narrow({}, { search: 'z', states: [] })).toEqual({ search: 'z' });
});

it('finds nothing where no state is in both', () => {
  expect(narrow({ states: ['FAILURE'] }, { search: '', states: ['SUCCESS'] }).states).toEqual(['(none)']);
});

it('shows a task once that is on two pages', () => {
  const [a, b, c] = ['a', 'b', 'c'].map((taskId) => ({ taskId, state: 'SUCCESS' }));
  expect(joinPages([a, b] as never, [b, c] as never)).toEqual([a, b, c]);
});
