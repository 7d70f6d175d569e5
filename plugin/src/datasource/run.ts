import {
  CoreApp,
  type DataFrame,
  type DataQueryError,
  type DataQueryRequest,
  type DataQueryResponse,
  LoadingState,
} from '@grafana/data';
import { catchError, defer, map, merge, NEVER, type Observable, of, startWith, switchMap, concat } from 'rxjs';
import { AgentError } from '../shared/client';
import { NothingMatches, type Answer, type QueryContext } from './queries/kind';
import { kindOf } from './queries';
import type { CeleryQuery } from './query';

/** Where an answer is looked at for a while: there it is asked again after an action, and kept current. */
const LASTING: readonly string[] = [CoreApp.Dashboard, CoreApp.PanelEditor, CoreApp.PanelViewer, CoreApp.Explore];
/** Grafana's mixed data source waits for the end of every query (MixedDataSource.ts). */
const MIXED = 'mixed-';

/** Whether a request may stay open after its answer. Annotations, variables and log volumes wait for the end. */
export function isLasting({ app, requestId }: Pick<DataQueryRequest, 'app' | 'requestId'>): boolean {
  return LASTING.includes(app) && !requestId.startsWith(MIXED) && !requestId.includes('_log_volume');
}

export interface Target {
  readonly query: CeleryQuery;
  readonly context: QueryContext;
}

/**
 * The packets of a request: one key per target, so that a later packet replaces the earlier one of its target alone.
 *
 * @param refreshes asks every target anew; absent: the observable completes after the answers
 */
export function runTargets(targets: readonly Target[], refreshes?: Observable<unknown>): Observable<DataQueryResponse> {
  const waiting = new Set(targets.map(({ context }) => context.refId));
  return merge(...targets.map((target) => runTarget(target, refreshes))).pipe(
    map(({ partial, ...packet }) => {
      if (!partial) {
        waiting.delete(packet.key ?? '');
      }
      // Grafana takes the state of the last packet for that of the whole panel.
      const isWaiting = packet.state === LoadingState.Done && waiting.size > 0;
      return isWaiting ? { ...packet, state: LoadingState.Loading } : packet;
    }),
  );
}

interface Packet extends DataQueryResponse {
  /** Another answer of the target follows */
  readonly partial: boolean;
}

function runTarget({ query, context }: Target, refreshes: Observable<unknown> | undefined): Observable<Packet> {
  const { refId } = context;
  // What asks in vain after an answer keeps the answer on the screen.
  let shown: DataFrame[] = [];
  const ask = defer(() => kindOf(query).run(query as never, context)).pipe(
    map((answer) => packetOf(context, answer)),
    catchError((error: unknown) => of(failureOf(refId, error, shown))),
    map((packet) => {
      shown = packet.data as DataFrame[];
      return packet;
    }),
  );
  return refreshes === undefined
    ? ask
    : refreshes.pipe(
        startWith(undefined),
        switchMap(() => concat(ask, NEVER)),
      );
}

function packetOf({ refId, lasting }: QueryContext, { frames, partial = false, streaming }: Answer): Packet {
  return { key: refId, data: frames, state: stateOf(partial, streaming === true, lasting), partial };
}

/** Dashboards draw nothing of a first answer that is still loading, but what streams (Grafana's SceneQueryRunner.ts). */
function stateOf(partial: boolean, streaming: boolean, lasting: boolean): LoadingState {
  if (partial) {
    return lasting ? LoadingState.Streaming : LoadingState.Loading;
  }
  return streaming ? LoadingState.Streaming : LoadingState.Done;
}

function failureOf(refId: string, error: unknown, shown: DataFrame[]): Packet {
  const failed = { key: refId, partial: false };
  if (error instanceof NothingMatches) {
    return { ...failed, data: [], state: LoadingState.Done };
  }
  return { ...failed, data: shown, state: LoadingState.Error, errors: [errorOf(refId, error)] };
}

export function errorOf(refId: string, error: unknown): DataQueryError {
  if (error instanceof AgentError) {
    const { message, status } = error;
    return { refId, status, message };
  }
  return { refId, message: error instanceof Error ? error.message : 'The query failed.' };
}
