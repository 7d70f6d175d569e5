import { expect, it } from '@jest/globals';
import { buildServer } from './server.ts';
import { memoryControl } from './testing/control.testkit.ts';
import { testDeps } from './testing/deps.testkit.ts';
import { taskRecord } from './testing/memory-history.testkit.ts';

const RECEIVED = 1_795_405_139;
let received = RECEIVED;

function ran(taskId: string, rootId = taskId, parentId: string | null = null) {
  return taskRecord({ taskId, rootId, parentId, received: received++ });
}

/** As Celery sends it by itself: every task of the header is a root, and the last one publishes the callback. */
const CHORD = [ran('a'), ran('b'), ran('c'), ran('total', 'c', 'c')];
const CHORD_GROUPS = { a: 'g', b: 'g', c: 'g', total: 'g' };
const OTHERS = Array.from({ length: 1500 }, (_, index) => ran(`other${index}`));

async function workflow(tasks: ReturnType<typeof ran>[], groups: Record<string, string> | undefined, path: string) {
  const deps = testDeps({ tasks });
  const control = memoryControl(groups === undefined ? {} : { groups });
  const asked: string[] = [];
  const groupsOf: typeof control.groupsOf = (taskIds) => {
    asked.push(...taskIds);
    return control.groupsOf(taskIds);
  };
  const app = await buildServer({ ...deps, control: { ...control, groupsOf } });
  const answer = (await app.inject(`/api/v1/workflows/${path}`)).json<{
    rootId: string;
    tasks: { taskId: string }[];
    groups: { groupId: string; taskIds: string[] }[];
    groupsKnown: boolean;
    truncated: boolean;
  }>();
  expect(asked).toHaveLength(new Set(asked).size);
  const searches = deps.history.calls.filter(([name]) => name === 'searchTasks').length;
  return { ...answer, tasks: answer.tasks.map(({ taskId }) => taskId), searches };
}

it.each(['a', 'b', 'c'])('a chord that was sent by itself is found whole from the root %s', async (root) => {
  const { tasks, groups, groupsKnown, truncated } = await workflow([...CHORD, ...OTHERS], CHORD_GROUPS, root);
  expect(tasks[0]).toBe(root);
  expect(new Set(tasks)).toEqual(new Set(['a', 'b', 'c', 'total']));
  expect(groups.map(({ groupId, taskIds }) => [groupId, [...taskIds].sort()])).toEqual([['g', ['a', 'b', 'c']]]);
  expect([groupsKnown, truncated]).toEqual([true, false]);
});

it('is found by the id of any of its tasks', async () => {
  const found = await workflow(CHORD, CHORD_GROUPS, 'total');
  expect(found.rootId).toBe('c');
  expect(found.tasks.toSorted()).toEqual(['a', 'b', 'c', 'total']);
});

it('chains of a group and chords of a chord’s header are joined, too', async () => {
  const chains = [ran('a1'), ran('b1'), ran('a2', 'a1', 'a1'), ran('b2', 'b1', 'b1'), ran('sum', 'b1', 'b2')];
  const ofChains = await workflow(chains, { a2: 'g', b2: 'g', sum: 'g' }, 'a1');
  expect(ofChains.tasks.toSorted()).toEqual(['a1', 'a2', 'b1', 'b2', 'sum']);
  expect(ofChains.groups).toEqual([{ groupId: 'g', taskIds: ['a2', 'b2'] }]);

  const inner = [ran('a1'), ran('a2'), ran('b1'), ran('b2'), ran('a', 'a2', 'a2'), ran('b', 'b2', 'b2')];
  const groups = { a1: 'ga', a2: 'ga', b1: 'gb', b2: 'gb', a: 'outer', b: 'outer', all: 'outer' };
  const nested = await workflow([...inner, ran('all', 'b2', 'b')], groups, 'b2');
  expect(nested.tasks.toSorted()).toEqual(['a', 'a1', 'a2', 'all', 'b', 'b1', 'b2']);
});

it('the members of a large group are looked for as far as they lie', async () => {
  const many = Array.from({ length: 3500 }, (_, index) => ran(`m${index}`));
  const groups = Object.fromEntries(many.map(({ taskId }) => [taskId, 'g']));
  const found = await workflow([...OTHERS, ...many], groups, 'm1700?limit=10000');
  expect(found.tasks).toHaveLength(3500);
  const some = await workflow([...OTHERS, ...many], groups, 'm1700?limit=100');
  expect([some.tasks.length, some.groups[0]?.taskIds.length, some.truncated]).toEqual([100, 100, true]);
});

it('nothing is looked for where a task sent the group: its members have one root', async () => {
  const sent = [ran('root'), ran('a', 'root', 'root'), ran('b', 'root', 'root'), ran('total', 'root', 'b')];
  const found = await workflow(sent, { a: 'g', b: 'g', total: 'g' }, 'root');
  expect(found).toMatchObject({ tasks: ['root', 'a', 'b', 'total'], groups: [], groupsKnown: true, searches: 0 });
});

it('says that groups are not known where results cannot be read', async () => {
  const found = await workflow(CHORD, undefined, 'c');
  expect(found).toMatchObject({ tasks: ['c', 'total'], groups: [], groupsKnown: false });
});
