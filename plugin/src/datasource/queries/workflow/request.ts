import { concat, map, type Observable, of, switchMap, tap } from 'rxjs';
import type { AgentClient } from '../../../shared/client';
import type { Workflow } from '../../../shared/api';
import type { Kind } from '../kind';
import { graphFrames, traceFrame, workflowFrame } from './frame';
import { stepsOf } from './model';

const MOST_TASKS = 10_000;
/** So many are shown at once, while the rest is on its way. */
const FIRST_TASKS = 1000;
/** Grafana's own node graph and trace view take seconds to draw more. */
const MOST_NODES = 150;

/** Id of the large workflow that a target shows whole, by request: asked again it is not cut to its first tasks. */
const shownWhole = new Map<string, string>();

type Part = Workflow & { readonly partial?: boolean };

export const workflowKind: Kind<'workflow'> = {
  isComplete: ({ taskId = '' }) => taskId.trim() !== '',
  text: ({ taskId = '', show = 'table' }) => `Workflow of ${taskId}, ${show}`,
  run: ({ taskId = '', show = 'table' }, { client, refId, requestId, links, nowMs }) =>
    tasksOf(client, taskId.trim(), show === 'table' ? MOST_TASKS : MOST_NODES, requestId).pipe(
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
function tasksOf(client: AgentClient, id: string, most: number, requestId: string): Observable<Part> {
  const ask = (limit: number): Observable<Part> => client.workflow(id, { limit }, requestId);
  if (most <= FIRST_TASKS || shownWhole.get(requestId) === id) {
    return ask(most);
  }
  const whole = () => ask(most).pipe(tap(() => shownWhole.set(requestId, id)));
  return ask(FIRST_TASKS).pipe(
    switchMap((part) => (part.truncated ? concat(of({ ...part, partial: true }), whole()) : of(part))),
  );
}
