import {
  catchError,
  EMPTY,
  filter as where,
  map,
  merge,
  type Observable,
  scan,
  Subject,
  switchMap,
  tap,
  throttleTime,
} from 'rxjs';
import type { LiveWorker, Worker } from '../../../shared/api';
import type { LiveState } from '../../../shared/ui/LiveBadge';
import { follow, type Tick } from '../../live/follow';
import { applyWorkerMessages } from '../../live/workers';
import type { WorkersQuery } from '../../query';
import { covers } from '../adhoc';
import type { Kind, QueryContext } from '../kind';
import { workersFrame } from './frame';

const DRAW_EVERY_MS = 500;
/** What workers are asked for by the agent on a timer (pool, queues, memory) comes with the list alone. */
const CHECK_EVERY_MS = 10_000;

export const workersKind: Kind<'workers'> = {
  text: ({ workers = [] }) => `Workers ${workers.join(', ')}`.trim(),
  run: (query, context) => {
    const { client, refId, requestId, links } = context;
    const { workers: names = [] } = query;
    if (query.live === true && context.lasting) {
      return liveWorkers(query, context).pipe(
        map(({ workers, live }) => ({
          frames: [workersFrame(refId, chosen(workers, names), links, { live })],
          streaming: true,
        })),
      );
    }
    return client
      .workers({}, requestId)
      .pipe(map(({ workers }) => ({ frames: [workersFrame(refId, chosen(workers, names), links)] })));
  },
};

/** The agent tells all workers; names may have a `*` at an end. */
export function chosen(all: readonly Worker[], names: readonly string[]): Worker[] {
  return all.filter(({ hostname }) => names.length === 0 || names.some((name) => covers(name, hostname)));
}

interface State {
  readonly workers?: readonly Worker[];
  readonly live: LiveState;
  readonly draw: boolean;
}

type Step = Tick | { readonly kind: 'read'; readonly workers: readonly Worker[] };

function liveWorkers(
  _query: WorkersQuery,
  { client, requestId, live: stream }: QueryContext,
): Observable<{ workers: readonly Worker[]; live: LiveState }> {
  const asks = new Subject<void>();
  const again = asks.pipe(
    throttleTime(CHECK_EVERY_MS, undefined, { leading: false, trailing: true }),
    switchMap(() => client.workers({}, `${requestId}-check`).pipe(catchError(() => EMPTY))),
  );
  return merge(
    merge(client.workers({}, requestId), again).pipe(map(({ workers }): Step => ({ kind: 'read', workers }))),
    follow(stream, stream.ring.next, DRAW_EVERY_MS),
  ).pipe(
    tap((step) => {
      if (step.kind === 'messages' || step.kind === 'gap') {
        asks.next();
      }
    }),
    scan((state: State, step: Step): State => nextState(state, step), { live: stream.current, draw: false }),
    where(({ draw }) => draw),
    map(({ workers = [], live }) => ({ workers, live })),
  );
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
      return { ...state, draw, workers: workers === undefined ? undefined : applyWorkerMessages(workers, told) };
    }
    default:
      return { ...state, draw: false };
  }
}
