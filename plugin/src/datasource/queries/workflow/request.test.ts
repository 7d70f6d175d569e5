import { firstValueFrom, of, throwError, toArray } from 'rxjs';
import { AgentError } from '../../../shared/client';
import type { QueryContext } from '../kind';
import { workflowKind } from './request';

const nothing = (rootId: string) =>
  of({ rootId, tasks: [] as object[], truncated: false, groups: [], groupsKnown: true });
const workflow = jest.fn<ReturnType<typeof nothing>, [string, { limit: number }]>(nothing);

function answers(task: () => unknown, show?: 'graph' | 'trace') {
  const context = { client: { task, workflow }, refId: 'A', requestId: 'r', links: { uid: 'u' }, nowMs: 0 };
  const query = { refId: 'A', kind: 'workflow', taskId: ' root ', show } as const;
  return workflowKind.run(query, context as unknown as QueryContext);
}

const ask = (task: () => unknown) => firstValueFrom(answers(task));

beforeEach(() => workflow.mockClear());

it('asks for the workflow of any of its tasks', async () => {
  await ask(() => of({ taskId: 'child', rootId: 'other' }));
  expect(workflow).toHaveBeenCalledWith('other', { limit: 1000 }, 'r');
});

it('asks for it by its root also when no event of the root itself was heard', async () => {
  await ask(() => throwError(() => new AgentError('No task', 404, 'task-not-found')));
  expect(workflow).toHaveBeenCalledWith('root', { limit: 1000 }, 'r');
});

it('shows the first tasks of a large one at once, and then all; a graph of few', async () => {
  const tasks = Array.from({ length: 1500 }, (_, index) => ({ taskId: `${index}`, parentId: null, startedMs: null }));
  workflow.mockImplementation((rootId: string, { limit }: { limit: number }) => {
    return of({ rootId, tasks: tasks.slice(0, limit), truncated: limit < 1500, groups: [], groupsKnown: true });
  });
  const task = () => of({ taskId: 'root', rootId: null });
  const shown = await firstValueFrom(answers(task).pipe(toArray()));
  expect(shown.map(({ frames, partial }) => [frames[0]?.length, partial])).toEqual([
    [1000, true],
    [1500, undefined],
  ]);
  const [graph] = await firstValueFrom(answers(task, 'graph').pipe(toArray()));
  expect(graph?.frames[0]?.length).toBe(300);
});

it('passes on what else went wrong', async () => {
  await expect(ask(() => throwError(() => new AgentError('Away', 503, 'history-off')))).rejects.toThrow('Away');
  expect(workflow).not.toHaveBeenCalled();
});
