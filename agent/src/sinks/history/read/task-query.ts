import type { TaskFilter, TaskSort } from '../../../core/query/filter.ts';
import { matchesSearch } from '../../../core/query/search-match.ts';
import { type FilterContext, idsToLookUp, indexedSql, needsCheck, scannedSql, whereSql } from './filter-sql.ts';
import { isWalkable, keySql, orderSql, type Part, partsAfter, partSql, type Position, untilSql } from './order.ts';
import type { Session } from './session.ts';
import { Params } from './sql.ts';
import { TASK_COLUMNS, type TaskRow, toTaskRecord } from './task-row.ts';

export interface KeyedRow extends TaskRow {
  readonly sort_value: string | number | null;
}

/** Tasks of one filter in one order. */
export interface TaskQuery {
  readonly filter: TaskFilter;
  readonly sort: TaskSort;
  /** Ids in bare search terms that exist: see `lookUpIds`. */
  readonly knownIds: ReadonlySet<string>;
}

/** Candidates first looked at in the order asked for: about 30 ms, and enough for a term that one task in 400 has. */
const FIRST_WALK = 20_000;
/** Walking further than this takes longer than a scan by several processes. */
const LONGEST_WALK = 150_000;
/** Spans of time in which the rest is scanned one after the other, seconds; what lies beyond them at once. */
const SCANNED_SPANS_S = [6, 18, 72, 288].map((hours) => hours * 3600);
/** Rows read at once where each must be looked at in code. */
const CHECK_CHUNK = 500;

/** A bare term that is the whole id of a known task means that task: reading every text for it would take a scan. */
export async function lookUpIds(session: Session, filter: TaskFilter): Promise<ReadonlySet<string>> {
  const ids = idsToLookUp(filter);
  if (ids.length === 0) return new Set();
  const rows = await session.rows<{ task_id: string }>(
    'select task_id from celery_tasks where task_id = any($1::text[])',
    [ids],
  );
  return new Set(rows.map((row) => row.task_id.toLowerCase()));
}

/** At most `need` tasks behind the position. */
export async function readTasks(
  session: Session,
  query: TaskQuery,
  need: number,
  after?: Position,
): Promise<KeyedRow[]> {
  const found: KeyedRow[] = [];
  for (const part of partsAfter(query.sort, after)) {
    if (found.length >= need) break;
    await readPart(session, query, part, need, after, found);
  }
  return found;
}

export function positionOf(row: KeyedRow): Position {
  return { value: row.sort_value, taskId: row.task_id };
}

/** Whether a row that SQL found matches the part of the search that only code can tell. */
export function passesCheck({ filter }: TaskQuery, row: TaskRow): boolean {
  return filter.search === undefined || matchesSearch(filter.search, toTaskRecord(row));
}

async function readPart(
  session: Session,
  query: TaskQuery,
  part: Part,
  need: number,
  after: Position | undefined,
  found: KeyedRow[],
): Promise<void> {
  const isChecked = needsCheck(query.filter);
  const isScanned = scannedSql(query.filter, contextOf(session, query, new Params())).length > 0;
  const canWalk = isScanned && part.hasValue && isWalkable(query.sort);
  for (let from = after; ;) {
    const want = isChecked ? CHECK_CHUNK : need - found.length;
    const rows = canWalk
      ? await walk(session, query, part, want, from)
      : await session.rows<KeyedRow>(...statement(session, query, part, want, from));
    for (const row of rows) {
      if (found.length < need && (!isChecked || passesCheck(query, row))) found.push(row);
    }
    const last = rows.at(-1);
    if (found.length >= need || rows.length < want || last === undefined) return;
    from = positionOf(last);
  }
}

/**
 * Looks at the newest candidates first, and goes on as far as the density of matches promises to be worth it. What is
 * left is scanned: the planner cannot know how rare a substring is, and would walk an index to its end.
 */
async function walk(
  session: Session,
  query: TaskQuery,
  part: Part,
  want: number,
  after: Position | undefined,
): Promise<KeyedRow[]> {
  const found: KeyedRow[] = [];
  let from = after;
  let budget = Math.max(FIRST_WALK, want);
  for (let walked = 0; ;) {
    found.push(
      ...(await session.rows<KeyedRow>(...walkStatement(session, query, part, want - found.length, from, budget))),
    );
    if (found.length >= want) return found;
    const end = await endOfWalk(session, query, part, from, budget);
    if (end === undefined) return found;
    from = end;
    walked += budget;
    const expected = (walked / found.length) * (want - found.length);
    if (!(walked + expected <= LONGEST_WALK)) break;
    budget = Math.ceil(expected * 1.3);
  }
  return [...found, ...(await scanRest(session, query, part, want - found.length, from))];
}

/**
 * Scans what is left behind the position, the next hours first and then more and more: what is not very old is found without
 * reading all that is.
 */
async function scanRest(
  session: Session,
  query: TaskQuery,
  part: Part,
  want: number,
  after: Position,
): Promise<KeyedRow[]> {
  const found: KeyedRow[] = [];
  let from = after;
  for (const span of [...SCANNED_SPANS_S, Infinity]) {
    const until = Number(from.value) + (query.sort.descending ? -span : span);
    const scan = statement(session, query, part, want - found.length, from, { until });
    found.push(...(await session.rows<KeyedRow>(...scan)));
    if (found.length >= want) break;
    from = { value: until, taskId: '' };
  }
  return found;
}

export function contextOf(session: Session, query: Pick<TaskQuery, 'knownIds'>, params: Params): FilterContext {
  return { params, dialect: session.dialect, knownIds: query.knownIds };
}

type Statement = [text: string, values: readonly unknown[]];

/**
 * Matches of one part behind the position, in order; `want` undefined: all. A `scan` is not led by the index of the
 * order, and ends at a value of it.
 */
export function statement(
  session: Session,
  query: TaskQuery,
  part: Part,
  want: number | undefined,
  after?: Position,
  scan?: { readonly until: number },
): Statement {
  const params = new Params();
  const context = contextOf(session, query, params);
  const conditions = [...indexedSql(query.filter, context), ...scannedSql(query.filter, context)];
  const behind = partSql(query.sort, part, after, session.dialect, params);
  if (scan !== undefined && Number.isFinite(scan.until)) behind.push(untilSql(query.sort, scan.until, params));
  const limit = want === undefined ? '' : `limit ${params.add(want)}::bigint`;
  const text = `select ${TASK_COLUMNS}, ${keySql(query.sort, session.dialect)} as sort_value from celery_tasks t
    ${whereSql([...conditions, ...behind])} ${orderSql(query.sort, part, session.dialect, scan !== undefined)} ${limit}`;
  return [text, params.values];
}

function walkStatement(
  session: Session,
  query: TaskQuery,
  part: Part,
  want: number,
  after: Position | undefined,
  budget: number,
): Statement {
  const params = new Params();
  const context = contextOf(session, query, params);
  const indexed = indexedSql(query.filter, context);
  const scanned = scannedSql(query.filter, context);
  const behind = partSql(query.sort, part, after, session.dialect, params);
  const order = orderSql(query.sort, part, session.dialect);
  const text = `select ${TASK_COLUMNS}, ${keySql(query.sort, session.dialect)} as sort_value
    from (select t.* from celery_tasks t ${whereSql([...indexed, ...behind])} ${order} limit ${params.add(budget)}::bigint) t
    ${whereSql(scanned)} ${order} limit ${params.add(want)}::bigint`;
  return [text, params.values];
}

/** Where the walk stopped; undefined when there was nothing left to walk. */
async function endOfWalk(
  session: Session,
  query: TaskQuery,
  part: Part,
  after: Position | undefined,
  budget: number,
): Promise<Position | undefined> {
  const params = new Params();
  const indexed = indexedSql(query.filter, contextOf(session, query, params));
  const behind = partSql(query.sort, part, after, session.dialect, params);
  const rows = await session.rows<{ sort_value: number; task_id: string }>(
    `select ${keySql(query.sort, session.dialect)} as sort_value, t.task_id from celery_tasks t
      ${whereSql([...indexed, ...behind])} ${orderSql(query.sort, part, session.dialect)}
      limit 1 offset ${params.add(budget - 1)}::bigint`,
    params.values,
  );
  return rows.map((row) => ({ value: row.sort_value, taskId: row.task_id }))[0];
}
