import { concatMap, EMPTY, expand, map, merge, type Observable, of, scan, catchError, shareReplay, take } from 'rxjs';
import type { Task, TaskFilter, TaskPage } from '../../../shared/api';
import type { TasksQuery } from '../../query';
import { filterParams } from '../filter';
import type { QueryContext } from '../kind';
import type { TasksAnswer } from './frame';

/** Rows of one request: the agent's most. */
export const PAGE = 1000;
export const MOST_ROWS = 10_000;

/** Rows that a saved query asks for, within what can be had. */
export function rowLimit({ limit = PAGE }: Pick<TasksQuery, 'limit'>): number {
  return Math.min(Math.max(Math.floor(limit) || PAGE, 1), MOST_ROWS);
}

/**
 * The first page at once, then what is missing up to the limit, page by page. How many match is asked beside it, and only
 * when the first page is not all: counting may take longer than reading.
 */
export function tasksAnswers(query: TasksQuery, context: QueryContext): Observable<TasksAnswer> {
  const filter = filterParams(query.filter, context);
  const most = rowLimit(query);
  const pages = pagesOf(filter, query, most, context).pipe(shareReplay({ bufferSize: 1, refCount: true }));
  const totals = pages.pipe(
    take(1),
    concatMap(({ first }) => (first.nextCursor === null ? EMPTY : totalOf(filter, context))),
  );
  return merge(pages.pipe(map((read) => ({ read }))), totals.pipe(map((total) => ({ total })))).pipe(
    scan(
      (state: { read?: Read; total?: Total }, news: { read?: Read; total?: Total }) => ({ ...state, ...news }),
      {} as { read?: Read; total?: Total },
    ),
    concatMap(({ read, total }) => (read === undefined ? EMPTY : of(answerOf(filter, read, total, most)))),
  );
}

interface Read {
  readonly first: TaskPage;
  readonly tasks: readonly Task[];
  readonly nextCursor: string | null;
}
type Total = Pick<TaskPage, 'total' | 'totalExact'>;

function answerOf(filter: TaskFilter, read: Read, total: Total | undefined, most: number): TasksAnswer {
  const { tasks, nextCursor } = read;
  const counted = nextCursor === null ? { total: tasks.length, totalExact: true } : (total ?? {});
  return { filter, tasks, nextCursor: nextCursor !== null && tasks.length < most ? undefined : nextCursor, ...counted };
}

function pagesOf(filter: TaskFilter, query: TasksQuery, most: number, context: QueryContext): Observable<Read> {
  const { client, requestId } = context;
  const { sort, order } = query;
  const pageAfter = (cursor: string | undefined, left: number) =>
    client.tasks({ ...filter, sort, order, limit: Math.min(left, PAGE), cursor }, requestId);
  return pageAfter(undefined, most).pipe(
    map((page): Read => ({ first: page, tasks: page.tasks, nextCursor: page.nextCursor })),
    expand(({ first, tasks, nextCursor }) =>
      nextCursor === null || tasks.length >= most
        ? EMPTY
        : pageAfter(nextCursor, most - tasks.length).pipe(
            map((page): Read => ({ first, tasks: [...tasks, ...page.tasks], nextCursor: page.nextCursor })),
          ),
    ),
  );
}

/** A count that fails costs no rows. */
function totalOf(filter: TaskFilter, { client, requestId }: QueryContext): Observable<Total> {
  return client.tasks({ ...filter, limit: 1, count: true }, `${requestId}-count`).pipe(
    map(({ total, totalExact }) => ({ total, totalExact })),
    catchError(() => EMPTY),
  );
}
