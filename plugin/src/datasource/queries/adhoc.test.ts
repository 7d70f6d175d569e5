import { withAdHocFilters } from './adhoc';
import { NothingMatches } from './kind';

const one = (key: string, operator: string, value: string, values?: string[]) => ({ key, operator, value, values });

it.each([
  [{}, [one('name', '=', 'a')], { names: ['a'] }],
  [{ names: ['a', 'b'] }, [one('name', '=', 'a')], { names: ['a'] }],
  [{ names: ['app.*'] }, [one('name', '=', 'app.add')], { names: ['app.add'] }],
  [{}, [one('state', '=|', 'x', ['A', 'B']), one('state', '=', 'B')], { states: ['B'] }],
  [{}, [one('worker', '=~', '^(w1@h|w2@h)$')], { workers: ['w1@h', 'w2@h'] }],
  [{}, [one('name', '=~', 'app\\.mail.*|.*add')], { names: ['app.mail*', '*add'] }],
  [{}, [one('queue', '=', ''), one('', '=', 'x')], {}],
  [{}, [one('taskId', '=', 'x')], { ids: ['x'] }],
  [{}, [one('worker', '=~', 'celery@web.*')], { workers: ['celery@web*'] }],
  [{ names: ['a'] }, [one('state', '!=', 'SUCCESS')], { names: ['a'], notStates: ['SUCCESS'] }],
  [{}, [one('queue', '!=|', 'x', ['a', 'b']), one('queue', '!=', 'b')], { notQueues: ['a', 'b'] }],
  [{}, [one('name', '!~', 'app\\..*|.+add')], { notNames: ['app.*', '*add'] }],
  [{}, [one('exceptionType', '!=', 'ValueError')], { notExceptionTypes: ['ValueError'] }],
])('%j with %j', (filter, filters, expected) => {
  expect(withAdHocFilters(filter, filters)).toEqual(expected);
});

it('finds nothing where filters exclude each other', () => {
  expect(() => withAdHocFilters({ names: ['a'] }, [one('name', '=', 'b')])).toThrow(NothingMatches);
});

it.each([
  [one('name', '<', 'a'), 'use =, !=, =~'],
  [one('taskId', '!=', 'a'), 'cannot be applied'],
  [one('name', '=~', 'a[bc]'), 'values joined by |, with'],
  [one('state', '=~', 'F.*'), 'use values joined by |.'],
  [one('colour', '=', 'a'), 'Use one of name, state'],
])('%j says what cannot be done', (filter, text) => {
  expect(() => withAdHocFilters({}, [filter])).toThrow(text);
});
