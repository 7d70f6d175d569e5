import { catchError, concat, map, type Observable, of, switchMap, throwError } from 'rxjs';
import { AgentError } from '../../../shared/client';
import type { Workflow } from '../../../shared/api';
import type { Kind } from '../kind';
import { graphFrames, traceFrame, workflowFrame } from './frame';
import { stepsOf } from './model';

const MOST_TASKS = 10_000;
/** So many are shown at once, while the rest is on its way. */
const FIRST_TASKS = 1000;
/** Grafana's own node graph and trace view take seconds to draw more. */
const MOST_NODES = 300;

type Part = Workflow & { readonly partial?: boolean };

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
      switchMap((root) => {
        const most = show === 'table' ? MOST_TASKS : MOST_NODES;
        const ask = (limit: number): Observable<Part> => client.workflow(root, { limit }, requestId);
        return most <= FIRST_TASKS ? ask(most) : wholeAfter(ask(FIRST_TASKS), () => ask(most));
      }),
      map(({ rootId, truncated, groupsKnown, partial, ...workflow }) => {
        const info = { refId, rootId, truncated, groupsKnown };
        const found = stepsOf(workflow, nowMs);
        switch (show) {
          case 'graph':
            return { frames: graphFrames(info, found, links) };
          case 'trace':
            return { frames: [traceFrame(info, found.steps)] };
          default:
            return { frames: [workflowFrame(info, found.steps, links)], partial };
        }
      }),
    ),
};

/** The first tasks, and then all of them where those are not. */
function wholeAfter(first: Observable<Part>, whole: () => Observable<Part>): Observable<Part> {
  return first.pipe(switchMap((part) => (part.truncated ? concat(of({ ...part, partial: true }), whole()) : of(part))));
}
