import type { TaskSort, TaskSortKey } from '../../../core/query/filter.ts';
import { QueryError } from '../../../core/query/reader.ts';
import { type Dialect, foldSql, type Params } from './sql.ts';

/** Where a page ended: the sort value and the id of its last task. */
export interface Position {
  /** null among the tasks without a value. */
  readonly value: string | number | null;
  readonly taskId: string;
}

/** A run of tasks that one index can give in order: those with a sort value, or those without. */
export interface Part {
  readonly hasValue: boolean;
}

/** Keys whose order an index gives. */
const WALKABLE: ReadonlySet<TaskSortKey> = new Set(['timestamp', 'received']);
/** Texts are sorted without regard to case, as Flower does (`_task_sort_key`). */
const TEXTS: ReadonlySet<TaskSortKey> = new Set(['name', 'state', 'worker']);
const NEVER_NULL: ReadonlySet<TaskSortKey> = new Set(['timestamp', 'state']);

export function isWalkable(sort: TaskSort): boolean {
  return WALKABLE.has(sort.key);
}

/** Missing values first when ascending, last when descending (flower/utils/search.py `_task_sort_key`). */
export function partsOf(sort: TaskSort): Part[] {
  if (NEVER_NULL.has(sort.key)) return [{ hasValue: true }];
  const parts = [{ hasValue: false }, { hasValue: true }];
  return sort.descending ? parts.reverse() : parts;
}

/** The parts from the position on. */
export function partsAfter(sort: TaskSort, after: Position | undefined): Part[] {
  const parts = partsOf(sort);
  return after === undefined ? parts : parts.slice(parts.findIndex((part) => part.hasValue === (after.value !== null)));
}

/** SQL of the sort value, over the alias `t`. */
export function keySql({ key }: TaskSort, dialect: Dialect): string {
  return TEXTS.has(key) ? foldSql(`t.${key}`, dialect) : `t.${key}`;
}

/** Conditions that keep a query to one part, behind the position. */
export function partSql(
  sort: TaskSort,
  part: Part,
  after: Position | undefined,
  dialect: Dialect,
  params: Params,
): string[] {
  const conditions = NEVER_NULL.has(sort.key) ? [] : [`t.${sort.key} is ${part.hasValue ? 'not null' : 'null'}`];
  if (after === undefined || part.hasValue !== (after.value !== null)) return conditions;
  const than = sort.descending ? '<' : '>';
  const id = `${params.add(after.taskId)}::text`;
  if (after.value === null) return [...conditions, `t.task_id ${than} ${id}`];
  const value = `${params.add(after.value)}::${TEXTS.has(sort.key) ? 'text' : 'float8'}`;
  return [...conditions, `(${keySql(sort, dialect)}, t.task_id) ${than} (${value}, ${id})`];
}

/** Keeps a query of a walkable key before the position `{ value: until, taskId: '' }`. */
export function untilSql({ key, descending }: TaskSort, until: number, params: Params): string {
  return `t.${key} ${descending ? '>=' : '<'} ${params.add(until)}::float8`;
}

/**
 * `order by …`, ties by id. `unindexed` hides the key from the planner: it then sorts what a scan by several processes
 * finds, instead of walking an index through rows of which few match. The tasks without a value are always sorted:
 * in the order of their ids, the planner would walk the primary key of all tasks for them.
 */
export function orderSql(sort: TaskSort, part: Part, dialect: Dialect, unindexed = false): string {
  const direction = sort.descending ? 'desc' : 'asc';
  if (!part.hasValue) return `order by (t.task_id || '') ${direction}`;
  const key = keySql(sort, dialect);
  const hidden = unindexed && !TEXTS.has(sort.key) ? `(${key} + 0)` : key;
  return `order by ${hidden} ${direction}, t.task_id ${direction}`;
}

/** Opaque to clients; holds what it was made by. */
export function encodeCursor(sort: TaskSort, { value, taskId }: Position): string {
  return Buffer.from(JSON.stringify([1, sort.key, sort.descending, value, taskId])).toString('base64url');
}

/** @throws QueryError `bad-cursor` when it is no cursor, or one of another sort */
export function decodeCursor(sort: TaskSort, cursor: string): Position {
  const parsed = parseJson(Buffer.from(cursor, 'base64url').toString('utf8'));
  if (!Array.isArray(parsed) || parsed.length !== 5) throw badCursor('it is no cursor of this API');
  const [version, key, descending, value, taskId] = parsed as unknown[];
  if (version !== 1 || typeof taskId !== 'string' || taskId.includes('\0'))
    throw badCursor('it is no cursor of this API');
  if (key !== sort.key || descending !== sort.descending) throw badCursor('it belongs to another sort');
  const fits = TEXTS.has(sort.key) ? typeof value === 'string' && !value.includes('\0') : typeof value === 'number';
  if (fits) return { value: value as string | number, taskId };
  if (value === null && !NEVER_NULL.has(sort.key)) return { value, taskId };
  throw badCursor('it is no cursor of this API');
}

function badCursor(why: string): QueryError {
  return new QueryError('bad-cursor', `cursor cannot be used: ${why}; start again without it`, 'cursor');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
