import { firstValueFrom, of, throwError } from 'rxjs';
import { AgentError } from '../../../shared/client';
import type { QueryContext } from '../kind';
import { workflowKind } from './request';

const workflow = jest.fn((rootId: string) =>
  of({ rootId, tasks: [], truncated: false, groups: [], groupsKnown: true }),
);

function ask(task: () => unknown) {
  const context = { client: { task, workflow }, refId: 'A', requestId: 'r', links: { uid: 'u' } };
  const query = { refId: 'A', kind: 'workflow', taskId: ' root ' } as const;
  return firstValueFrom(workflowKind.run(query, context as unknown as QueryContext));
}

beforeEach(() => workflow.mockClear());

it('asks for the workflow of any of its tasks', async () => {
  await ask(() => of({ taskId: 'child', rootId: 'other' }));
  expect(workflow).toHaveBeenCalledWith('other', { limit: 10_000 }, 'r');
});

it('asks for it by its root also when no event of the root itself was heard', async () => {
  await ask(() => throwError(() => new AgentError('No task', 404, 'task-not-found')));
  expect(workflow).toHaveBeenCalledWith('root', { limit: 10_000 }, 'r');
});

it('passes on what else went wrong', async () => {
  await expect(ask(() => throwError(() => new AgentError('Away', 503, 'history-off')))).rejects.toThrow('Away');
  expect(workflow).not.toHaveBeenCalled();
});
