import { useCallback, useEffect, useReducer, useRef } from 'react';
import { concatMap, type Observable, retry, Subscription, switchMap, takeWhile, timer } from 'rxjs';
import type { CeleryDataSource } from '../../datasource/datasource';
import type { Bulk } from '../api';
import { messageOf } from '../ui/Answers';
import { ASKING, bulkFlow, type BulkOrder, type BulkState, requestOf } from './bulkFlow';

const LOOK_MS = 500;

export interface BulkControls {
  readonly state: BulkState;
  readonly plan: () => void;
  readonly edit: () => void;
  readonly start: () => void;
  readonly cancel: () => void;
}

/** A bulk action from the question to its end. It goes on at the agent even where nobody looks on any more. */
export function useBulk(source: CeleryDataSource, order: BulkOrder): BulkControls {
  const [state, move] = useReducer(bulkFlow, ASKING);
  const looking = useRef(new Subscription());
  useEffect(() => () => looking.current.unsubscribe(), []);

  const follow = useCallback(
    (bulks: Observable<Bulk>, onEnd?: () => void) => {
      looking.current.unsubscribe();
      looking.current = bulks.pipe(switchMap((bulk) => progress(source, bulk))).subscribe({
        next: (bulk) => move({ move: 'told', bulk }),
        error: (error: unknown) => move({ move: 'failed', problem: messageOf(error) }),
        complete: onEnd,
      });
    },
    [source],
  );

  const id = state.step === 'running' ? state.bulk.id : undefined;
  return {
    state,
    plan: () => {
      move({ move: 'plan' });
      follow(source.client.startBulk(requestOf(order, true)));
    },
    edit: () => {
      looking.current.unsubscribe();
      move({ move: 'edit' });
    },
    start: () => {
      move({ move: 'start' });
      follow(source.client.startBulk(requestOf(order, false)), () => source.refresh());
    },
    cancel: () => {
      if (id !== undefined) {
        move({ move: 'cancel' });
        source.client.cancelBulk(id).subscribe({
          next: (bulk) => move({ move: 'told', bulk }),
          error: (error: unknown) => move({ move: 'failed', problem: messageOf(error) }),
        });
      }
    },
  };
}

/** How it stands, until it has ended. A look that fails is tried again for a while. */
function progress(source: CeleryDataSource, started: Bulk): Observable<Bulk> {
  return timer(0, LOOK_MS).pipe(
    concatMap((count) =>
      count === 0 ? [started] : source.client.bulk(started.id).pipe(retry({ count: 3, delay: LOOK_MS })),
    ),
    takeWhile((bulk) => bulk.state === 'running', true),
  );
}
