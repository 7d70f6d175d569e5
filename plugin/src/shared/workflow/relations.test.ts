import { relate } from './relations';
import { readTasks } from './tasks';
import { CHORD, ran } from './workflows.testkit';

const pairs = (tasks: Parameters<typeof relate>[0]) =>
  relate(tasks).edges.map(({ from, to, kind }) => `${from} ${kind === 'join' ? '=>' : '->'} ${to}`);

it('a chain goes from parent to child, whatever the order of the rows', () => {
  const chain = [ran('c', [2, 2, 3], { parentId: 'b' }), ran('a', [0, 0, 1]), ran('b', [1, 1, 2], { parentId: 'a' })];
  expect(pairs(chain)).toEqual(['a -> b', 'b -> c']);
  expect(relate(chain).roots).toEqual(['a']);
});

it('the callback of a chord comes after the whole header, not after the task that happened to publish it', () => {
  expect(pairs(CHORD)).toEqual([
    ...['root -> part1', 'root -> part2', 'root -> part3'],
    ...['part1 => merge', 'part2 => merge', 'part3 => merge', 'merge -> tell'],
  ]);
});

it('a chord is recognised also where its parent was not heard of', () => {
  const { edges, roots } = relate(CHORD.slice(1));
  expect(roots).toEqual(['part1', 'part2', 'part3']);
  expect(edges.filter(({ kind }) => kind === 'join')).toHaveLength(3);
});

it.each([
  ['two of a group go on by themselves: chains side by side', [ran('next1', [3, 3, 4], { parentId: 'part1' })]],
  ['one of a group has not succeeded', [ran('part4', [2, 2, 3], { parentId: 'root', state: 'FAILURE' })]],
  ['one of a group ended after it was published', [ran('part4', [2, 2, 8.5], { parentId: 'root' })]],
])('there is no chord where %s', (_, more) => {
  expect(pairs([...CHORD, ...more])).toContain('part2 -> merge');
});

it('Celery’s helper of chords is not shown, and tells the header without doubt', () => {
  const tasks = [
    ran('root', [0, 1, 2]),
    ran('part1', [2, 2, 3], { parentId: 'root' }),
    ran('part2', [2, 2, 4], { parentId: 'root' }),
    ran('unlock', [2, 2, 5], { parentId: 'root', name: 'celery.chord_unlock', retries: 3 }),
    ran('merge', [5, 5, 6], { parentId: 'unlock' }),
  ];
  expect(pairs(tasks)).toEqual(['root -> part1', 'root -> part2', 'part1 => merge', 'part2 => merge']);
});

it('parents that are not there, that are oneself or that form a ring do no harm', () => {
  const ring = [ran('a', [0, 0, 1], { parentId: 'b' }), ran('b', [0, 0, 1], { parentId: 'a' })];
  expect(relate(ring).roots).toHaveLength(1);
  expect(relate([ran('a', [0, 0, 1], { parentId: 'a' }), ran('b', [0, 0, 1], { parentId: 'gone' })]).roots).toEqual([
    'a',
    'b',
  ]);
  expect(relate([]).roots).toEqual([]);
});

it('rows without an id and second rows of a task are left out', () => {
  expect(readTasks([{ taskId: 'a', state: 'SUCCESS' }, {}, { taskId: '' }, { taskId: 'a' }])).toHaveLength(1);
});
