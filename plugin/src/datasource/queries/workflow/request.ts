import { catchError, map, of, switchMap, throwError } from 'rxjs';
import { AgentError } from '../../../shared/client';
import type { Kind } from '../kind';
import { graphFrames, traceFrame, workflowFrame } from './frame';
import { stepsOf } from './model';

const MOST_TASKS = 10_000;
/** More nodes than this no graph shows. */
const MOST_NODES = 1000;

export const workflowKind: Kind<'workflow'> = {
  isComplete: ({ taskId = '' }) => taskId.trim() !== '',
  text: ({ taskId = '', show = 'table' }) => `Workflow of ${taskId}, ${show}`,
  run: ({ taskId = '', show = 'table' }, { client, refId, requestId, links, nowMs }) =>
    client.task(taskId.trim(), requestId).pipe(
      map((task) => task.rootId ?? task.taskId),
      // Events of the root itself may not have been heard; its tasks still name it.
      catchError((error: unknown) =>
        error instanceof AgentError && error.status === 404 ? of(taskId.trim()) : throwError(() => error),
      ),
      switchMap((root) => client.workflow(root, { limit: show === 'table' ? MOST_TASKS : MOST_NODES }, requestId)),
      map(({ rootId, truncated, groupsKnown, ...workflow }) => {
        const info = { refId, rootId, truncated, groupsKnown };
        const found = stepsOf(workflow, nowMs);
        switch (show) {
          case 'graph':
            return { frames: graphFrames(info, found, links) };
          case 'trace':
            return { frames: [traceFrame(info, found.steps)] };
          default:
            return { frames: [workflowFrame(info, found.steps, links)] };
        }
      }),
    ),
};
