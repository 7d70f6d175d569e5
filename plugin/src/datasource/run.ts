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
    map((packet) => {
      if (packet.state !== LoadingState.Loading) {
        waiting.delete(packet.key ?? '');
      }
      // Grafana takes the state of the last packet for that of the whole panel.
      const isWaiting = packet.state === LoadingState.Done && waiting.size > 0;
      return isWaiting ? { ...packet, state: LoadingState.Loading } : packet;
    }),
  );
}

function runTarget(
  { query, context }: Target,
  refreshes: Observable<unknown> | undefined,
): Observable<DataQueryResponse> {
  const { refId } = context;
  // What asks in vain after an answer keeps the answer on the screen.
  let shown: DataFrame[] = [];
  const ask = defer(() => kindOf(query).run(query as never, context)).pipe(
    map((answer) => packetOf(refId, answer)),
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

function packetOf(refId: string, { frames, partial, streaming }: Answer): DataQueryResponse {
  const state =
    partial === true ? LoadingState.Loading : streaming === true ? LoadingState.Streaming : LoadingState.Done;
  return { key: refId, data: frames, state };
}

function failureOf(refId: string, error: unknown, shown: DataFrame[]): DataQueryResponse {
  if (error instanceof NothingMatches) {
    return { key: refId, data: [], state: LoadingState.Done };
  }
  return { key: refId, data: shown, state: LoadingState.Error, errors: [errorOf(refId, error)] };
}

export function errorOf(refId: string, error: unknown): DataQueryError {
  if (error instanceof AgentError) {
    const { message, status } = error;
    return { refId, status, message };
  }
  return { refId, message: error instanceof Error ? error.message : 'The query failed.' };
}
