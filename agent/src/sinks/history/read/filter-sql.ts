import type { TaskFilter } from '../../../core/query/filter.ts';
import type { SearchNode } from '../../../core/query/search.ts';
import { containsSql, idCandidates, needsCheck as searchNeedsCheck, searchSql } from './search-sql.ts';
import { type Dialect, escapeLike, isStorable, type Params } from './sql.ts';

export interface FilterContext {
  readonly params: Params;
  readonly dialect: Dialect;
  readonly knownIds: ReadonlySet<string>;
}

/** Ids that decide how the search is understood: those of them that exist go into `FilterContext.knownIds`. */
export function idsToLookUp(filter: TaskFilter): string[] {
  return filter.search === undefined ? [] : idCandidates(filter.search);
}

/** Conditions over the alias `t` of celery_tasks that an index serves, or that most rows pass. Values become parameters. */
export function indexedSql(filter: TaskFilter, context: FilterContext): string[] {
  const { params, knownIds } = context;
  return [
    ...oneOf('t.task_id', filter.ids, params),
    ...anyOf('t.name', filter.names, params),
    ...oneOf('t.state', filter.states, params),
    ...anyOf('t.worker', filter.workers, params),
    ...anyOf('t.queue', filter.queues, params),
    ...noneOf('t.name', filter.notNames, params),
    ...otherStates(filter.notStates, params),
    ...noneOf('t.worker', filter.notWorkers, params),
    ...noneOf('t.queue', filter.notQueues, params),
    ...rootSql(filter.rootId, params),
    ...oneOf('t.parent_id', optional(filter.parentId), params),
    ...oneOf('t.fingerprint', optional(filter.fingerprint), params),
    ...markSql('orphaned', filter.orphaned),
    ...markSql('healed', filter.healed),
    ...range('t.timestamp', toSeconds(filter.fromMs), toSeconds(filter.toMs), '<', params),
    ...receivedSql(filter, params),
    ...conjuncts(filter.search)
      .filter((node) => isById(node, knownIds))
      .map((node) => searchSql(node, context)),
  ];
}

/** Conditions for which the texts of every candidate must be read. */
export function scannedSql(filter: TaskFilter, context: FilterContext): string[] {
  const { params, knownIds } = context;
  return [
    ...anyOf('t.exception_type', filter.exceptionTypes, params),
    ...noneOf('t.exception_type', filter.notExceptionTypes, params),
    ...range('t.runtime', filter.runtimeMin, filter.runtimeMax, '<=', params),
    ...textSql('t.args', filter.argsText, context),
    ...textSql('t.kwargs', filter.kwargsText, context),
    ...textSql('t.result', filter.resultText, context),
    ...textSql('t.exception', filter.exceptionText, context),
    ...conjuncts(filter.search)
      .filter((node) => !isById(node, knownIds))
      .map((node) => searchSql(node, context)),
  ];
}

/** Whether what the conditions find must still pass `matchesSearch`. */
export function needsCheck(filter: TaskFilter): boolean {
  return filter.search !== undefined && searchNeedsCheck(filter.search);
}

/** `where …`, or nothing. */
export function whereSql(conditions: readonly string[]): string {
  return conditions.length === 0 ? '' : `where ${conditions.join(' and ')}`;
}

function conjuncts(search: SearchNode | undefined): readonly SearchNode[] {
  if (search === undefined) return [];
  return search.kind === 'and' ? search.nodes : [search];
}

function isById(node: SearchNode, knownIds: ReadonlySet<string>): boolean {
  return node.kind === 'term' && node.field === 'any' && knownIds.has(node.text.toLowerCase());
}

/** The column takes part in an index of the few rows that have a mark. */
function markSql(mark: 'orphaned' | 'healed', wanted: boolean | undefined): string[] {
  if (wanted === undefined) return [];
  return [wanted ? `t.mark = '${mark}'` : `t.mark is distinct from '${mark}'`];
}

function optional<T>(value: T | undefined): readonly T[] | undefined {
  return value === undefined ? undefined : [value];
}

function toSeconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / 1000;
}

/** A single value is compared with `=`: with an array of one, an index would not give its order. */
function oneOf(column: string, values: readonly string[] | undefined, params: Params): string[] {
  if (values === undefined) return [];
  const [first, ...more] = [...new Set(values.filter(isStorable))];
  if (first === undefined) return ['false'];
  if (more.length === 0) return [`${column} = ${params.add(first)}::text`];
  return [`${column} = any(${params.add([first, ...more])}::text[])`];
}

/** The column is one of the values, of which those with a `*` at an end are patterns. */
export function anyOf(column: string, values: readonly string[] | undefined, params: Params): string[] {
  if (values === undefined) return [];
  const isPattern = (value: string): boolean => value.startsWith('*') || value.endsWith('*');
  const exact = values.filter((value) => !isPattern(value));
  const patterns = values.filter(isPattern).filter(isStorable);
  const parts = patterns.map((value) => `${column} like ${params.add(likePattern(value))}::text`);
  if (exact.length > 0 || parts.length === 0) parts.unshift(...oneOf(column, exact, params));
  return [parts.length === 1 ? parts.join('') : `(${parts.join(' or ')})`];
}

/** The column is none of the values; where it is null it is none. */
export function noneOf(column: string, values: readonly string[] | undefined, params: Params): string[] {
  return values === undefined || values.length === 0
    ? []
    : anyOf(column, values, params).map((condition) => `(${condition}) is not true`);
}

/** That it is not SUCCESS stands in the text itself: only so the index of the other states can serve it. */
function otherStates(states: readonly string[] | undefined, params: Params): string[] {
  const others = (states ?? []).filter((state) => state !== 'SUCCESS');
  return [
    ...(states?.includes('SUCCESS') === true ? ["t.state <> 'SUCCESS'"] : []),
    ...(others.length === 0 ? [] : oneOf('t.state', others, params).map((condition) => `not (${condition})`)),
  ];
}

function likePattern(name: string): string {
  const start = name.startsWith('*') ? '%' : '';
  const end = name.endsWith('*') ? '%' : '';
  return start + escapeLike(name.replace(/^\*/, '').replace(/\*$/, '')) + end;
}

/** In two branches, because the index on root_id leaves out the roots themselves. */
function rootSql(rootId: string | undefined, params: Params): string[] {
  if (rootId === undefined) return [];
  if (!isStorable(rootId)) return ['false'];
  const id = `${params.add(rootId)}::text`;
  return [`((t.root_id = ${id} and t.root_id <> t.task_id) or (t.task_id = ${id} and t.root_id = ${id}))`];
}

function range(
  expression: string,
  from: number | undefined,
  to: number | undefined,
  upper: '<' | '<=',
  params: Params,
): string[] {
  return [
    ...(from === undefined ? [] : [`${expression} >= ${params.add(from)}::float8`]),
    ...(to === undefined ? [] : [`${expression} ${upper} ${params.add(to)}::float8`]),
  ];
}

function receivedSql({ receivedFrom, receivedTo, receivedOnly }: TaskFilter, params: Params): string[] {
  const bounds = range('t.received', receivedFrom, receivedTo, '<=', params);
  if (receivedOnly === true) return bounds;
  return bounds.length === 0 ? [] : [`(t.received is null or (${bounds.join(' and ')}))`];
}

function textSql(column: string, text: string | undefined, context: FilterContext): string[] {
  return text === undefined || text === '' ? [] : [containsSql(column, text, context)];
}
