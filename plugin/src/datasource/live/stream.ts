import {
  BehaviorSubject,
  catchError,
  defer,
  distinctUntilChanged,
  EMPTY,
  endWith,
  finalize,
  mergeMap,
  type Observable,
  of,
  repeat,
  retry,
  share,
  Subject,
  switchMap,
  takeWhile,
  tap,
  timeout,
  timer,
} from 'rxjs';
import type { LiveMessage } from '../../shared/api';
import type { LiveState } from '../../shared/ui/LiveBadge';
import { Ring } from './ring';
import { sseParser } from './sse';

/** Messages kept: half a minute of a busy cluster, for readers that come late or are slow. */
const CAPACITY = 20_000;
/** The stream outlives its readers so long: a refresh of a dashboard leaves and comes back. */
const LINGER_MS = 15_000;
/** The agent sends something every 15 s. */
const SILENCE_MS = 45_000;
/** So long after the last loss the stream counts as behind. */
const BEHIND_MS = 5000;
const RECONNECT_MS = { least: 1000, most: 30_000 };

export interface LiveSource {
  /** Opens the stream; its body as it comes. Errors where the agent refuses it. */
  readonly connect: () => Observable<Uint8Array>;
  /** Asked before each further attempt: Grafana renews a session that ran out only for plain requests */
  readonly probe: () => Observable<unknown>;
  readonly random?: () => number;
}

/** What the stream tells its readers beside the messages in `ring`. */
export type LiveNews = 'messages' | 'reconnected';

/**
 * The one stream of a data source instance in a tab. It opens with the first reader of `news$`, stays a while after the
 * last, comes back by itself, and keeps the newest messages in `ring`. There is no replay in the agent: after
 * `reconnected` a reader asks the history.
 *
 * States: `stopped` (no connection) → `live` (first byte) ⇄ `behind` (messages were lost in the last seconds).
 */
export class LiveStream {
  readonly ring = new Ring<LiveMessage>(CAPACITY);
  private readonly state = new BehaviorSubject<LiveState>('stopped');
  private readonly lost = new Subject<void>();
  private connections = 0;

  readonly state$: Observable<LiveState> = this.state.pipe(distinctUntilChanged());
  readonly news$: Observable<LiveNews>;

  constructor(source: LiveSource) {
    const recovery = this.lost.pipe(
      tap(() => this.state.next('behind')),
      switchMap(() => timer(BEHIND_MS)),
      tap(() => this.state.next('live')),
      mergeMap(() => EMPTY),
    );
    const connection = defer(() => this.connection(source)).pipe(
      repeat({ delay: () => again(source, 0) }),
      retry({ delay: (_error, attempt) => again(source, attempt), resetOnSuccess: true }),
      finalize(() => this.state.next('stopped')),
    );
    this.news$ = defer(() => {
      const watching = recovery.subscribe();
      return connection.pipe(finalize(() => watching.unsubscribe()));
    }).pipe(share({ resetOnRefCountZero: () => timer(LINGER_MS) }));
  }

  get current(): LiveState {
    return this.state.value;
  }

  /** A reader could not keep up. */
  noteLoss(): void {
    if (this.state.value !== 'stopped') {
      this.lost.next();
    }
  }

  private connection(source: LiveSource): Observable<LiveNews> {
    const decoder = new TextDecoder();
    const parse = sseParser();
    let isOpen = false;
    return source.connect().pipe(
      timeout({ each: SILENCE_MS }),
      mergeMap((bytes) => {
        const opened = !isOpen;
        isOpen = true;
        if (opened) {
          this.state.next('live');
          this.connections += 1;
        }
        const news: LiveNews[] = opened && this.connections > 1 ? ['reconnected'] : [];
        return of(...news, ...this.take(parse(decoder.decode(bytes, { stream: true }))));
      }),
      finalize(() => this.state.next('stopped')),
    );
  }

  private take(events: ReturnType<ReturnType<typeof sseParser>>): LiveNews[] {
    let hasMessages = false;
    for (const { event, data } of events) {
      if (event === 'dropped') {
        this.noteLoss();
      } else if (event === 'task' || event === 'worker') {
        this.ring.push(JSON.parse(data) as LiveMessage);
        hasMessages = true;
      }
    }
    return hasMessages ? ['messages'] : [];
  }
}

/** Waits before the next attempt, the longer the more failed, never many tabs at once; then renews the session. */
function again({ probe, random = Math.random }: LiveSource, attempt: number): Observable<unknown> {
  const base = Math.min(RECONNECT_MS.least * 2 ** Math.max(attempt - 1, 0), RECONNECT_MS.most);
  return timer(base * (0.5 + random())).pipe(
    switchMap(() =>
      probe().pipe(
        catchError(() => of(undefined)),
        takeWhile(() => false),
        endWith(undefined),
      ),
    ),
  );
}
