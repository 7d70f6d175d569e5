import {
  defer,
  EMPTY,
  interval,
  map,
  merge,
  mergeMap,
  type Observable,
  of,
  filter,
  ignoreElements,
  throttleTime,
} from 'rxjs';
import type { LiveMessage } from '../../shared/api';
import type { LiveState } from '../../shared/ui/LiveBadge';
import type { LiveStream } from './stream';

/** What a reader of the stream gets, at most every `everyMs`. */
export type Tick =
  | { readonly kind: 'messages'; readonly messages: readonly LiveMessage[] }
  | { readonly kind: 'state'; readonly state: LiveState }
  /** Messages were lost, or may have been: the history tells what is true now */
  | { readonly kind: 'gap' };

/** No reader makes the agent answer more often than this, however much is lost. */
const GAP_EVERY_MS = 5000;

/**
 * Messages in batches, from a number of the ring on. A reader that is slower than the stream misses the oldest ones,
 * which counts as a gap and puts the stream behind.
 */
export function follow(stream: LiveStream, from: number, everyMs: number): Observable<Tick> {
  return defer(() => {
    let next = from;
    const batches = interval(everyMs).pipe(
      mergeMap((): Observable<Tick> => {
        const { entries, missed } = stream.ring.since(next);
        next = stream.ring.next;
        if (missed > 0) {
          stream.noteLoss();
        }
        const ticks: Tick[] = [];
        if (entries.length > 0) {
          ticks.push({ kind: 'messages', messages: entries });
        }
        return ticks.length === 0 ? EMPTY : of(...ticks);
      }),
    );
    const gaps = merge(
      stream.news$.pipe(filter((news) => news === 'reconnected')),
      stream.state$.pipe(filter((state) => state === 'behind')),
    ).pipe(
      throttleTime(GAP_EVERY_MS, undefined, { leading: true, trailing: true }),
      map((): Tick => ({ kind: 'gap' })),
    );
    const states = stream.state$.pipe(map((state): Tick => ({ kind: 'state', state })));
    return merge(states, gaps, batches, stream.news$.pipe(ignoreElements()));
  });
}
