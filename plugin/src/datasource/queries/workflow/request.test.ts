import { firstValueFrom, of, toArray } from 'rxjs';
import type { QueryContext } from '../kind';
import { workflowKind } from './request';

const nothing = (rootId: string) =>
  of({ rootId, tasks: [] as object[], truncated: false, groups: [], groupsKnown: true });
const workflow = jest.fn<ReturnType<typeof nothing>, [string, { limit: number }]>(nothing);

function answers(show?: 'graph' | 'trace') {
  const context = { client: { workflow }, refId: 'A', requestId: 'r', links: { uid: 'u' }, nowMs: 0 };
  const query = { refId: 'A', kind: 'workflow', taskId: ' task ', show } as const;
  return workflowKind.run(query, context as unknown as QueryContext);
}

beforeEach(() => workflow.mockClear());

it('asks for the workflow by the id of any of its tasks', async () => {
  await firstValueFrom(answers());
  expect(workflow.mock.calls).toEqual([['task', { limit: 1000 }, 'r']]);
});

it('shows the first tasks of a large one at once, and then all; a graph of few', async () => {
  const tasks = Array.from({ length: 1500 }, (_, index) => ({ taskId: `${index}`, parentId: null, startedMs: null }));
  workflow.mockImplementation((rootId: string, { limit }: { limit: number }) => {
    return of({ rootId, tasks: tasks.slice(0, limit), truncated: limit < 1500, groups: [], groupsKnown: true });
  });
  const shown = await firstValueFrom(answers().pipe(toArray()));
  expect(shown.map(({ frames, partial }) => [frames[0]?.length, partial])).toEqual([
    [1000, true],
    [1500, undefined],
  ]);
  const again = await firstValueFrom(answers().pipe(toArray()));
  expect(again.map(({ frames }) => frames[0]?.length)).toEqual([1500]);
  const [graph] = await firstValueFrom(answers('graph').pipe(toArray()));
  expect(graph?.frames[0]?.length).toBe(150);
});
