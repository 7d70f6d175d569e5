import { criticalPath } from './criticalPath';
import { relate } from './relations';
import { CHORD, ran, taskOf } from './workflows.testkit';

const pathOf = (tasks: Parameters<typeof relate>[0], nowMs = 0) => criticalPath(relate(tasks), nowMs);

it('goes through the one of a chord’s header that ended last', () => {
  expect(pathOf(CHORD)).toEqual({
    ids: ['root', 'part2', 'merge', 'tell'],
    totalMs: 11_000,
    // root 1, part2 4, merge 1, tell 1
    runMs: 7000,
    waitMs: 4000,
  });
});

it('is decided by real times, not by the number of tasks', () => {
  const tasks = [
    ran('root', [0, 0, 1]),
    ran('short1', [1, 1, 2], { parentId: 'root' }),
    ran('short2', [2, 2, 3], { parentId: 'short1' }),
    ran('long', [1, 5, 20], { parentId: 'root' }),
  ];
  expect(pathOf(tasks).ids).toEqual(['root', 'long']);
});

it('ends with a parent that outlives its children', () => {
  const tasks = [ran('root', [0, 0, 9]), ran('child', [1, 1, 3], { parentId: 'root' })];
  expect(pathOf(tasks)).toMatchObject({ ids: ['root'], totalMs: 9000, runMs: 9000, waitMs: 0 });
});

it('counts overlapping runs once', () => {
  const tasks = [ran('root', [0, 0, 4]), ran('child', [1, 2, 6], { parentId: 'root' })];
  expect(pathOf(tasks)).toMatchObject({ ids: ['root', 'child'], totalMs: 6000, runMs: 6000 });
});

it('of a workflow that is under way ends with what is longest under way', () => {
  const open = taskOf({ taskId: 'open', state: 'STARTED', parentId: 'root', sentMs: 2000, startedMs: 3000 });
  const later = taskOf({ taskId: 'later', state: 'PENDING', parentId: 'root', sentMs: 4000 });
  expect(pathOf([ran('root', [0, 0, 2]), later, open], 10_000)).toEqual({
    ids: ['root', 'open'],
    totalMs: 10_000,
    runMs: 9000,
    waitMs: 1000,
  });
});

it('of nothing is nothing', () => {
  expect(pathOf([])).toEqual({ ids: [], totalMs: 0, runMs: 0, waitMs: 0 });
});
