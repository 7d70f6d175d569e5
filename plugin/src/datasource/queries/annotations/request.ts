import { catchError, map, type Observable, of, throwError } from 'rxjs';
import { currentRole } from '../../../shared/permissions';
import { AgentError } from '../../../shared/client';
import type { AnnotationsQuery } from '../../query';
import { entriesOf } from '../audit/request';
import { rangeParams } from '../filter';
import type { Kind, QueryContext } from '../kind';
import { stepOf, stepText } from '../series/request';
import { actionMarks, annotationsFrame, burstMarks, gapMarks, type Mark, workerMarks } from './frame';

const MOST_MARKS = 1000;
/** Coarse enough that a burst is one region. */
const MOST_STEPS = 120;

export const annotationsKind: Kind<'annotations'> = {
  text: ({ show = 'workers' }) => `Annotations: ${show}`,
  run: (query, context) =>
    marksOf(query, context).pipe(map((marks) => ({ frames: [annotationsFrame(context.refId, marks)] }))),
};

function marksOf({ show = 'workers' }: AnnotationsQuery, context: QueryContext): Observable<Mark[]> {
  const { client, requestId, nowMs, fromMs, toMs } = context;
  const range = { ...rangeParams(context), limit: MOST_MARKS };
  switch (show) {
    case 'gaps':
      return client.gaps(range, requestId).pipe(map((gaps) => gapMarks(gaps, nowMs)));
    case 'failures': {
      const step = stepText(stepOf({}, { ...context, intervalMs: 0, maxDataPoints: MOST_STEPS }));
      const params = { from: String(fromMs), to: String(toMs), step, states: ['FAILURE'], columns: ['count'] };
      return client.series(params, requestId).pipe(map(burstMarks));
    }
    case 'actions':
      return actions(context);
    default:
      return client
        .events({ ...range, types: ['worker-online', 'worker-offline', 'worker-lost'] }, requestId)
        .pipe(map((events) => workerMarks(events)));
  }
}

/** Who is no admin sees none: a dashboard for all must not show an error to most. */
function actions(context: QueryContext): Observable<Mark[]> {
  if (currentRole() !== 'admin') {
    return of([]);
  }
  return entriesOf({ limit: MOST_MARKS }, context).pipe(
    map(({ entries }) => actionMarks(entries)),
    catchError((error: unknown) =>
      error instanceof AgentError && error.status === 403 ? of([]) : throwError(() => error),
    ),
  );
}
