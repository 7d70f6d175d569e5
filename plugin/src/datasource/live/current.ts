import {
  catchError,
  defer,
  EMPTY,
  filter,
  merge,
  type Observable,
  scan,
  Subject,
  switchMap,
  tap,
  throttleTime,
} from 'rxjs';

/** What became of a state by one step. */
export interface Progress {
  /** There is something new to show */
  readonly draw: boolean;
  /** The agent is to be asked again: the stream does not tell all, or lost some */
  readonly ask: boolean;
}

/**
 * An answer kept current: by the steps of the stream, and now and then by asking again. Does not end.
 *
 * @param steps the first answers, and what the stream tells
 * @param check asks again; one that fails is made up for by the next
 * @param checkEveryMs the agent is asked at most so often
 * @param next the state after a step; it is handed a state that neither draws nor asks
 * @returns the states that give something to show
 */
export function keepCurrent<State extends Progress, Step>({
  steps,
  check,
  checkEveryMs,
  start,
  next,
}: {
  readonly steps: Observable<Step>;
  readonly check: () => Observable<Step>;
  readonly checkEveryMs: number;
  readonly start: State;
  readonly next: (state: State, step: Step) => State;
}): Observable<State> {
  return defer(() => {
    const asks = new Subject<void>();
    const checks = asks.pipe(
      throttleTime(checkEveryMs, undefined, { leading: false, trailing: true }),
      switchMap(() => check().pipe(catchError(() => EMPTY))),
    );
    return merge(steps, checks).pipe(
      scan((state: State, step: Step) => next({ ...state, draw: false, ask: false }, step), start),
      tap(({ ask }) => {
        if (ask) {
          asks.next();
        }
      }),
      filter(({ draw }) => draw),
    );
  });
}
