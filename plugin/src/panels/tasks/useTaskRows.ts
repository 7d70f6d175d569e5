import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { type Subscription, timer } from 'rxjs';
import type { CeleryDataSource } from '../../datasource/datasource';
import type { TaskFilter } from '../../shared/api';
import type { Row } from './held';
import {
  type Answer,
  type Found,
  isNarrowed,
  joinPages,
  narrow,
  type Narrowing,
  readPage,
  type Sort,
} from './taskRows';

const PAGE = 1000;
/** The panel's own query follows the panel's data no faster than this, however fast the live stream is. */
const FOLLOW_MS = 2000;

export interface TaskRows {
  readonly rows: readonly Row[];
  /** Parameters of GET /tasks that give these rows: for exports and bulk actions */
  readonly filter: TaskFilter;
  readonly total: Answer['total'];
  readonly loading: boolean;
  readonly error: unknown;
  /** Undefined: there is no more */
  readonly loadMore: (() => void) | undefined;
}

interface Own {
  readonly key: string;
  readonly answer?: Answer;
  readonly error?: unknown;
}

/**
 * The rows to show: those of the panel's query, or, once the toolbar narrows or sorts them, those of a query of the
 * panel's own, which runs again whenever the panel's data change (a refresh, an action, the live stream).
 */
export function useTaskRows(
  panelId: number,
  found: Found | undefined,
  source: CeleryDataSource | undefined,
  narrowing: Narrowing,
  rangeKey: string,
): TaskRows {
  const base = found?.filter;
  const filter = useMemo(() => narrow(base ?? {}, narrowing), [base, narrowing]);
  const sort = narrowing.sort ?? found?.sort;
  const params = useMemo(() => paramsOf(filter, sort), [filter, sort]);
  const key = JSON.stringify([withoutTimes(params), rangeKey]);
  const narrowed = isNarrowed(narrowing);
  const own = useOwnQuery(`umbel-tasks-${panelId}`, narrowed ? source : undefined, params, key, found);
  const answer = narrowed ? own.answer : found;
  const first = answer?.rows ?? NO_ROWS;
  const more = useFurtherPages(
    `umbel-tasks-more-${panelId}`,
    source,
    params,
    answer?.nextCursor ?? null,
    `${narrowed} ${key}`,
    first,
  );
  const rows = useMemo(() => joinPages(first, more.rows), [first, more.rows]);
  return {
    rows,
    filter,
    total: answer?.total,
    loading: (narrowed && own.answer === undefined && own.error === undefined) || more.loading,
    error: narrowed ? (own.error ?? more.error) : more.error,
    loadMore: more.loadMore,
  };
}

type QueryParams = ReturnType<typeof paramsOf>;

function paramsOf(filter: TaskFilter, sort: Sort | undefined) {
  return {
    ...filter,
    ...(sort !== undefined && { sort: sort.key, order: sort.descending ? 'desc' : 'asc' }),
    limit: PAGE,
  };
}

/** What it found before stays in sight while the same question is asked again. */
function useOwnQuery(
  requestId: string,
  source: CeleryDataSource | undefined,
  params: QueryParams,
  key: string,
  found: Found | undefined,
): Own {
  const [own, setOwn] = useState<Own>({ key });
  const asked = useRef({ key: '', atMs: 0 });
  useEffect(() => {
    if (source === undefined) {
      return undefined;
    }
    const now = Date.now();
    const waitMs = asked.current.key === key ? Math.max(0, asked.current.atMs + FOLLOW_MS - now) : 0;
    const subscription = new Chain();
    subscription.add(
      timer(waitMs).subscribe(() => {
        asked.current = { key, atMs: Date.now() };
        subscription.add(
          source.client.tasks({ ...params, count: true }, requestId).subscribe({
            next: (page) => setOwn({ key, answer: readPage(page) }),
            error: (error: unknown) => isCancelled(error) || setOwn({ key, error }),
          }),
        );
      }),
    );
    return () => subscription.close();
    // `found` is new with each packet of the panel's data.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [source, key, found, requestId]);
  return own.key === key ? own : { key };
}

class Chain {
  private readonly all: Subscription[] = [];
  add(subscription: Subscription): void {
    this.all.push(subscription);
  }
  close(): void {
    this.all.forEach((one) => one.unsubscribe());
  }
}

/** A range that moves with the clock is the same question. */
function withoutTimes(params: QueryParams): object {
  return { ...params, from: undefined, to: undefined };
}

function isCancelled(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'cancelled' in error && error.cancelled === true;
}

interface Further {
  readonly key: string;
  readonly rows: readonly Row[];
  readonly nextCursor: string | null;
  readonly error?: unknown;
  readonly loading: boolean;
}

const NO_ROWS: readonly Row[] = [];

/**
 * Pages below the first, asked for one after the other; another question begins anew. The first is kept with them: what
 * later slips out of it would else be on neither.
 */
function useFurtherPages(
  requestId: string,
  source: CeleryDataSource | undefined,
  params: QueryParams,
  firstCursor: string | null,
  key: string,
  first: readonly Row[],
) {
  const [state, setState] = useState<Further>();
  const current = state?.key === key ? state : undefined;
  const running = useRef<Subscription>();
  useEffect(() => () => running.current?.unsubscribe(), [key]);
  const cursor = current === undefined ? firstCursor : current.nextCursor;
  const loading = current?.loading ?? false;
  const loadMore = useCallback(() => {
    if (source === undefined || cursor === null || loading) {
      return;
    }
    const before = current ?? { key, rows: first, nextCursor: cursor, loading: false };
    setState({ ...before, error: undefined, loading: true });
    running.current = source.client.tasks({ ...params, cursor }, requestId).subscribe({
      next: (page) =>
        setState({ key, rows: joinPages(before.rows, page.tasks), nextCursor: page.nextCursor, loading: false }),
      error: (error: unknown) => setState({ ...before, error, loading: false }),
    });
  }, [source, cursor, loading, current, key, params, requestId, first]);
  return {
    rows: current?.rows ?? NO_ROWS,
    loading,
    error: current?.error,
    loadMore: source === undefined || cursor === null ? undefined : loadMore,
  };
}
