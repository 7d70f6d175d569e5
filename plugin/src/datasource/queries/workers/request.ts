import { map, merge, type Observable } from 'rxjs';
import type { LiveWorker, Worker } from '../../../shared/api';
import type { LiveState } from '../../../shared/ui/LiveBadge';
import { keepCurrent, type Progress } from '../../live/current';
import { follow, type Tick } from '../../live/follow';
import { applyWorkerMessages } from '../../live/workers';
import { covers, passesAdHoc } from '../adhoc';
import type { Kind, QueryContext } from '../kind';
import { workersFrame } from './frame';

const DRAW_EVERY_MS = 500;
/** What workers are asked for by the agent on a timer (pool, queues, memory) comes with the list alone. */
const CHECK_EVERY_MS = 10_000;

export const workersKind: Kind<'workers'> = {
  text: ({ workers = [] }) => `Workers ${workers.join(', ')}`.trim(),
  run: ({ workers: names = [], live }, context) => {
    const { client, refId, requestId, links, adHocFilters } = context;
    const frameOf = (workers: readonly Worker[], state?: LiveState) =>
      workersFrame(refId, chosen(workers, names, adHocFilters), links, { live: state });
    if (live === true && context.lasting) {
      return liveWorkers(context).pipe(
        map(({ workers = [], live: state }) => ({ frames: [frameOf(workers, state)], streaming: true })),
      );
    }
    return client.workers({}, requestId).pipe(map(({ workers }) => ({ frames: [frameOf(workers)] })));
  },
};

/** The agent tells all workers; names may have a `*` at an end. */
function chosen(
  all: readonly Worker[],
  names: readonly string[],
  adHoc: QueryContext['adHocFilters'],
): readonly Worker[] {
  return all.filter(
    ({ hostname }) =>
      (names.length === 0 || names.some((name) => covers(name, hostname))) && passesAdHoc('worker', hostname, adHoc),
  );
}

interface State extends Progress {
  readonly workers?: readonly Worker[];
  readonly live: LiveState;
}

type Step = Tick | { readonly kind: 'read'; readonly workers: readonly Worker[] };

function liveWorkers({ client, requestId, live: stream }: QueryContext): Observable<State> {
  const ask = (id: string) => client.workers({}, id).pipe(map(({ workers }): Step => ({ kind: 'read', workers })));
  return keepCurrent<State, Step>({
    steps: merge(ask(requestId), follow(stream, stream.ring.next, DRAW_EVERY_MS)),
    check: () => ask(`${requestId}-check`),
    checkEveryMs: CHECK_EVERY_MS,
    start: { live: stream.current, draw: false, ask: false },
    next: nextState,
  });
}

function nextState(state: State, step: Step): State {
  const { workers } = state;
  switch (step.kind) {
    case 'read':
      return { ...state, workers: step.workers, draw: true };
    case 'state':
      return { ...state, live: step.state, draw: workers !== undefined };
    case 'messages': {
      const told = step.messages.filter((message): message is LiveWorker => message.kind === 'worker');
      const draw = workers !== undefined && told.length > 0;
      return {
        ...state,
        draw,
        ask: true,
        workers: workers === undefined ? undefined : applyWorkerMessages(workers, told),
      };
    }
    case 'gap':
      return { ...state, ask: true };
    default:
      return state;
  }
}
