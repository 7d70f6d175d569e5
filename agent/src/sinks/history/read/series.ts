import { MOST_SERIES_STEPS, type SeriesDimension, type SeriesQuery } from '../../../core/query/filter.ts';
import type { SeriesPoint, TimeSeries } from '../../../core/query/records.ts';
import { quantile } from './quantile.ts';
import { largestStatement, pointsStatement, topGroupsStatement } from './series-sql.ts';
import type { Session } from './session.ts';

/** Columns of celery_task_rollups and the states their events lead to. */
const STATE_COLUMNS = [
  ['sent', 'PENDING'],
  ['received', 'RECEIVED'],
  ['started', 'STARTED'],
  ['succeeded', 'SUCCESS'],
  ['failed', 'FAILURE'],
  ['retried', 'RETRY'],
  ['revoked', 'REVOKED'],
  ['rejected', 'REJECTED'],
  ['other', 'OTHER'],
] as const;
type CountColumn = (typeof STATE_COLUMNS)[number][0];

/** What `count` counts when states are neither asked for nor told apart: the runs that came to an end. */
const DEFAULT_STATES = ['SUCCESS', 'FAILURE', 'REVOKED', 'REJECTED'];
const QUANTILES: Readonly<Record<string, number>> = { p50: 0.5, p95: 0.95, p99: 0.99 };

interface Group {
  readonly labels: Readonly<Record<string, string>>;
  readonly key: string;
  readonly points: Map<number, Totals>;
  total: number;
}

interface Totals {
  count: number;
  buckets: number[] | undefined;
}

type SeriesRow = Readonly<Record<'step' | 'name' | 'worker' | 'queue' | CountColumn, string>> & {
  readonly buckets: readonly string[] | null;
};

/**
 * Time series from the roll-ups. Steps are aligned to multiples of `stepMs` since 1970, the first one contains `fromMs`
 * and is whole; each has a point, with 0 where nothing happened. Percentiles are those of task-succeeded's runtimes,
 * interpolated within the histogram's buckets (a factor of 1.41 apart); null where no task succeeded.
 *
 * @throws RangeError when there are more than 11,000 steps
 */
export async function readSeries(session: Session, query: SeriesQuery): Promise<TimeSeries[]> {
  const stepMs = Math.max(60_000, Math.round(query.stepMs / 60_000) * 60_000);
  const firstMs = Math.floor(query.fromMs / stepMs) * stepMs;
  const steps = Math.max(0, Math.ceil((query.toMs - firstMs) / stepMs));
  if (steps > MOST_SERIES_STEPS) {
    throw new RangeError(`${steps} steps are more than ${MOST_SERIES_STEPS}: take a longer step`);
  }
  const aligned = { ...query, stepMs, fromMs: firstMs };
  const dimensions = query.by.filter((dimension) => dimension !== 'state');
  const columns = columnsOf(query);
  if (columns.length === 0 || steps === 0) return [];
  const rows = await readPoints(session, aligned, dimensions, columns);
  const groups = groupRows(rows, query, columns);
  if (groups.size === 0 && query.by.length === 0) groups.set('', { labels: {}, key: '', points: new Map(), total: 0 });
  return [...groups.values()]
    .sort((a, b) => b.total - a.total || (a.key < b.key ? -1 : 1))
    .slice(0, query.limit)
    .map((group) => ({ labels: group.labels, points: pointsOf(group, query, firstMs, steps, stepMs) }));
}

function columnsOf({ states, notStates = [], by }: SeriesQuery): readonly CountColumn[] {
  const all = states === undefined && by.includes('state') ? STATE_COLUMNS.map(([, state]) => state) : DEFAULT_STATES;
  const wanted = new Set<string>((states ?? all).filter((state) => !notStates.includes(state)));
  return STATE_COLUMNS.filter(([, state]) => wanted.has(state)).map(([column]) => column);
}

/**
 * Counts alone take one pass over the roll-ups. Histograms are summed in a second one, and only for the largest groups:
 * 57 sums a group are what costs.
 */
async function readPoints(
  session: Session,
  query: SeriesQuery,
  dimensions: readonly SeriesDimension[],
  columns: readonly CountColumn[],
): Promise<readonly SeriesRow[]> {
  const wantsBuckets = query.columns.some((column) => column in QUANTILES) && columns.includes('succeeded');
  if (dimensions.length === 0) return session.rows(...pointsStatement(query, dimensions, columns, wantsBuckets));
  if (!wantsBuckets) return session.rows(...largestStatement(query, dimensions, columns));
  const top = await topGroups(session, query, dimensions, columns);
  return top.length === 0 ? [] : session.rows(...pointsStatement(query, dimensions, columns, true, top));
}

/** The dimensions' values of the largest groups, so that points are built for those only. */
async function topGroups(
  session: Session,
  query: SeriesQuery,
  dimensions: readonly SeriesDimension[],
  columns: readonly CountColumn[],
): Promise<readonly (readonly string[])[]> {
  const rows = await session.rows<Record<string, string>>(...topGroupsStatement(query, dimensions, columns));
  return rows.map((row) => dimensions.map((dimension) => row[dimension] ?? ''));
}

/** One group a set of labels; the state is a column in the table and becomes a label here. */
function groupRows(
  rows: readonly SeriesRow[],
  query: SeriesQuery,
  columns: readonly CountColumn[],
): Map<string, Group> {
  const groups = new Map<string, Group>();
  const byState = query.by.includes('state');
  for (const row of rows) {
    const sets = byState ? columns.map((column) => [column]) : [columns];
    for (const set of sets) {
      const count = set.reduce((sum, column) => sum + Number(row[column]), 0);
      if (count > 0) addPoint(groups, row, query.by, set, count);
    }
  }
  return groups;
}

function addPoint(
  groups: Map<string, Group>,
  row: SeriesRow,
  by: readonly SeriesDimension[],
  columns: readonly CountColumn[],
  count: number,
): void {
  const labels = Object.fromEntries(by.map((dimension) => [dimension, labelOf(dimension, row, columns)]));
  const key = JSON.stringify(labels);
  let group = groups.get(key);
  if (group === undefined) groups.set(key, (group = { labels, key, points: new Map(), total: 0 }));
  group.total += count;
  const buckets = columns.includes('succeeded') ? row.buckets?.map(Number) : undefined;
  group.points.set(Number(row.step), { count, buckets });
}

function labelOf(dimension: SeriesDimension, row: SeriesRow, columns: readonly CountColumn[]): string {
  if (dimension !== 'state') return row[dimension];
  return STATE_COLUMNS.find(([column]) => column === columns[0])?.[1] ?? '';
}

function pointsOf(group: Group, query: SeriesQuery, firstMs: number, steps: number, stepMs: number): SeriesPoint[] {
  return Array.from({ length: steps }, (_, index) => {
    const timeMs = firstMs + index * stepMs;
    const totals = group.points.get(Math.round(timeMs / stepMs));
    const values = query.columns.map((column) => {
      const count = totals?.count ?? 0;
      if (column === 'count') return count;
      if (column === 'rate') return (count * 1000) / stepMs;
      return quantile(totals?.buckets, QUANTILES[column] ?? 0.5);
    });
    return { timeMs, values };
  });
}
