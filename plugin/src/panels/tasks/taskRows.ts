import type { PanelData } from '@grafana/data';
import type { Task, TaskFilter, TaskPage, TaskSortKey } from '../../shared/api';
import { frameOf, readRows } from '../../shared/frames/rows';
import type { LiveState } from '../../shared/ui/LiveBadge';
import type { Row } from './held';

export interface Sort {
  readonly key: TaskSortKey;
  readonly descending: boolean;
}

/** The agent's own. */
export const USUAL_SORT: Sort = { key: 'timestamp', descending: true };

/** What the toolbar narrows further, and how it is sorted. */
export interface Narrowing {
  readonly search: string;
  readonly states: readonly string[];
  readonly sort?: Sort;
}

export const NO_NARROWING: Narrowing = { search: '', states: [] };

/** An answer of tasks: of the panel's query, or of the panel's own. */
export interface Answer {
  readonly rows: readonly Row[];
  readonly nextCursor: string | null;
  /** Matches, where they were counted; `exact` false: there are more */
  readonly total?: { readonly count: number; readonly exact: boolean };
}

/** What the panel's query found. Undefined where its data are no tasks of ours. */
export interface Found extends Answer {
  /** Parameters of GET /tasks that gave it */
  readonly filter: TaskFilter;
  /** Undefined: in the order in which they belong together, as the tasks of a workflow */
  readonly sort: Sort | undefined;
  readonly live?: LiveState;
}

/** Frames with a row per task, and the filter that gives them. */
const FRAMES = ['tasks', 'task', 'workflow'];

export function readFound(data: PanelData): Found | undefined {
  const kind = FRAMES.find((one) => frameOf(data.series, one) !== undefined);
  const frame = kind === undefined ? undefined : frameOf(data.series, kind);
  if (frame === undefined) {
    return undefined;
  }
  const custom = (frame.meta?.custom ?? {}) as {
    readonly filter?: TaskFilter;
    readonly sort?: TaskSortKey;
    readonly order?: 'asc' | 'desc';
    readonly nextCursor?: string | null;
    readonly total?: number;
    readonly totalExact?: boolean;
    readonly live?: LiveState;
  };
  return {
    rows: readRows<Task>(frame).filter(isRow),
    filter: custom.filter ?? {},
    sort: kind === 'tasks' ? { key: custom.sort ?? USUAL_SORT.key, descending: custom.order !== 'asc' } : undefined,
    nextCursor: custom.nextCursor ?? null,
    ...totalOf(custom),
    ...(custom.live !== undefined && { live: custom.live }),
  };
}

export function readPage(page: TaskPage): Answer {
  return { rows: page.tasks, nextCursor: page.nextCursor, ...totalOf(page) };
}

function totalOf({
  total,
  totalExact,
}: {
  readonly total?: number;
  readonly totalExact?: boolean;
}): Pick<Answer, 'total'> {
  return total === undefined ? {} : { total: { count: total, exact: totalExact !== false } };
}

function isRow(row: Partial<Task>): row is Row {
  return typeof row.taskId === 'string' && typeof row.state === 'string';
}

export function isNarrowed({ search, states, sort }: Narrowing): boolean {
  return search.trim() !== '' || states.length > 0 || sort !== undefined;
}

/**
 * The filter of the panel's query and the toolbar's, both of which must hold. Of two searches each is put in brackets;
 * of two lists of states those in both count.
 */
export function narrow(filter: TaskFilter, { search, states }: Narrowing): TaskFilter {
  const searches = [filter.search ?? '', search].map((text) => text.trim()).filter((text) => text !== '');
  const chosen = states.length === 0 ? filter.states : both(filter.states, states);
  return {
    ...filter,
    ...(searches.length > 0 && {
      search: searches.length === 1 ? searches[0] : searches.map((text) => `(${text})`).join(' '),
    }),
    ...(chosen !== undefined && { states: [...chosen] }),
  };
}

/** No state is in both: asks for one that there is not, since an empty list would ask for all. */
const NO_STATE = ['(none)'];

function both(some: readonly string[] | undefined, others: readonly string[]): readonly string[] {
  if (some === undefined || some.length === 0) {
    return others;
  }
  const shared = others.filter((state) => some.includes(state));
  return shared.length === 0 ? NO_STATE : shared;
}

/** Pages below one another; a task that moved from one to the other meanwhile is shown once. */
export function joinPages(first: readonly Row[], further: readonly Row[]): readonly Row[] {
  if (further.length === 0) {
    return first;
  }
  const shown = new Set(first.map(({ taskId }) => taskId));
  return [...first, ...further.filter(({ taskId }) => !shown.has(taskId))];
}
