import type { Task } from '../../../shared/api';
import { CHORD } from '../../../shared/workflow/workflows.testkit';
import { stepsOf } from './model';

/** As Celery sends it by itself: each task of the header is a root of its own. */
const tasks = CHORD.slice(1, 5).map((task) => ({ ...task, parentId: task.parentId === 'root' ? null : task.parentId }));
const edgesOf = (groups: Array<{ groupId: string; taskIds: string[] }>) =>
  stepsOf({ tasks: tasks as unknown as Task[], groups }, 20_000).edges.map(({ from, to, kind }) => [from, to, kind]);

it('joins the callback of a chord to its whole header by the group alone', () => {
  expect(edgesOf([{ groupId: 'g', taskIds: ['part1', 'part2', 'part3'] }])).toEqual([
    ['part1', 'merge', 'join'],
    ['part2', 'merge', 'join'],
    ['part3', 'merge', 'join'],
  ]);
  expect(edgesOf([])).toEqual([['part2', 'merge', 'parent']]);
});
