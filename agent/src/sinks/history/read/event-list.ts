import type { EventFilter, EventPage } from '../../../core/query/events.ts';
import { QueryError } from '../../../core/query/reader.ts';
import { keyId } from '../safe-values.ts';
import { anyOf, noneOf } from './filter-sql.ts';
import type { Session } from './session.ts';
import { escapeLike, isStorable, Params } from './sql.ts';

interface ListedRow {
  readonly task_id: string | null;
  readonly type: string;
  readonly sender: string;
  readonly timestamp: number;
  readonly micros: string;
  readonly identity: string;
  readonly received_ms: number;
  readonly clock: string;
  readonly fields: Readonly<Record<string, unknown>> | null;
}

/** Where a page ended: events are ordered by when they happened, then by their identity. */
interface Position {
  readonly micros: string;
  readonly identity: string;
}

/** The state that an event of a task leads to, where Celery names it (celery/events/state.py `event_to_state`). */
const TYPES_OF_STATES: Readonly<Record<string, string>> = {
  PENDING: 'task-sent',
  RECEIVED: 'task-received',
  STARTED: 'task-started',
  SUCCESS: 'task-succeeded',
  FAILURE: 'task-failed',
  RETRY: 'task-retried',
  REVOKED: 'task-revoked',
  REJECTED: 'task-rejected',
};
/** A sign of life every two seconds hides what happens: it is told only where it is asked for. */
const HEARTBEAT = 'worker-heartbeat';

/**
 * The newest or oldest events that pass. Each table is read along its index by time, a day's partition after the other,
 * until the page is full: the range bounds what a filter that nothing passes can cost.
 */
export async function readEvents(
  session: Session,
  filter: EventFilter,
  limit: number,
  cursor?: string,
): Promise<EventPage> {
  const params = new Params();
  const after = cursor === undefined ? undefined : decodeCursor(cursor);
  const common = commonSql(filter, after, params);
  const direction = filter.ascending === true ? 'asc' : 'desc';
  const first = `order by occurred_at ${direction}, identity ${direction} limit ${params.add(limit + 1)}::bigint`;
  const parts = [
    ...(wantsTasks(filter) ? [taskEventsSql(filter, common, params)] : []),
    ...(wantsWorkers(filter) ? [workerEventsSql(filter, common, params)] : []),
  ];
  if (parts.length === 0) return { events: [] };
  const rows = await session.rows<ListedRow>(
    `select task_id, type, sender, timestamp, (extract(epoch from occurred_at) * 1000000)::bigint as micros, identity,
      (extract(epoch from received_at) * 1000)::float8 as received_ms, clock, fields
    from (${parts.map((part) => `(${part} ${first})`).join(' union all ')}) events
    ${first}`,
    params.values,
  );
  const page = rows.slice(0, limit);
  const names = await namesOf(session, page);
  const last = rows.length > limit ? page.at(-1) : undefined;
  return {
    events: page.map((row) => toEvent(row, names)),
    ...(last === undefined ? {} : { nextCursor: encodeCursor(last) }),
  };
}

const COLUMNS = 'occurred_at, identity, received_at, timestamp, clock, type, fields';

function taskEventsSql(filter: EventFilter, common: readonly string[], params: Params): string {
  const types = typesOf(filter);
  const where = [
    ...common,
    ...(types === undefined ? [] : [`e.type = any(${params.add(types)}::text[])`]),
    ...(filter.notStates === undefined ? [] : [`e.type <> all(${params.add(typesTo(filter.notStates))}::text[])`]),
    ...anyOf('e.worker', filter.workers, params),
    ...noneOf('e.worker', filter.notWorkers, params),
    ...(filter.taskId === undefined ? [] : [`e.task_id = ${params.add(keyId(filter.taskId))}::text`]),
    ...(filter.text === undefined ? [] : [textSql(filter.text, ['e.task_id', 'e.worker'], params)]),
    ...namedSql(filter, params),
  ];
  return `select ${COLUMNS}, task_id, worker as sender from celery_task_events e where ${where.join(' and ')}`;
}

/** Events do not carry the name of their task, all but the first: the tasks of the range tell it. */
function namedSql({ names, notNames, fromMs }: EventFilter, params: Params): string[] {
  const named = (values: readonly string[]): string => {
    const from = `t.timestamp >= ${params.add(fromMs / 1000)}::float8`;
    return `select t.task_id from celery_tasks t where ${[...anyOf('t.name', values, params), from].join(' and ')}`;
  };
  return [
    ...(names === undefined ? [] : [`e.task_id in (${named(names)})`]),
    ...(notNames === undefined ? [] : [`not exists (${named(notNames)} and t.task_id = e.task_id)`]),
  ];
}

function workerEventsSql(filter: EventFilter, common: readonly string[], params: Params): string {
  const where = [
    ...common,
    filter.types === undefined
      ? `e.type <> '${HEARTBEAT}'`
      : `e.type = any(${params.add(storable(filter.types))}::text[])`,
    ...anyOf('e.hostname', filter.workers, params),
    ...noneOf('e.hostname', filter.notWorkers, params),
    ...(filter.text === undefined ? [] : [textSql(filter.text, ['e.hostname'], params)]),
  ];
  return `select ${COLUMNS}, null as task_id, hostname as sender from celery_worker_events e where ${where.join(' and ')}`;
}

function commonSql({ fromMs, toMs, ascending }: EventFilter, after: Position | undefined, params: Params): string[] {
  const instant = (ms: number): string => `to_timestamp(${params.add(ms / 1000)}::float8)`;
  const position = (): string => {
    if (after === undefined) return '';
    const at = `(timestamptz 'epoch' + ${params.add(after.micros)}::bigint * interval '1 microsecond')`;
    // The first half alone lets the planner leave out the days after it.
    const behind = ascending === true ? '>' : '<';
    return `e.occurred_at ${behind}= ${at} and (e.occurred_at, e.identity) ${behind} (${at}, ${params.add(after.identity)}::bigint)`;
  };
  return [
    `e.occurred_at >= ${instant(fromMs)}`,
    ...(toMs === undefined ? [] : [`e.occurred_at < ${instant(toMs)}`]),
    ...(after === undefined ? [] : [position()]),
  ];
}

function textSql(text: string, columns: readonly string[], params: Params): string {
  if (!isStorable(text)) return 'false';
  const pattern = `${params.add(`%${escapeLike(text)}%`)}::text`;
  return `(${[...columns, 'e.type', 'e.fields::text'].map((column) => `${column} ilike ${pattern}`).join(' or ')})`;
}

const storable = (values: readonly string[]): string[] => values.filter(isStorable);
const startsAs = (group: string, types: readonly string[] | undefined): boolean =>
  types === undefined || types.some((type) => type.startsWith(group));

function wantsTasks({ types }: EventFilter): boolean {
  // A custom event of a task is called as its sender likes.
  return types === undefined || types.some((type) => !type.startsWith('worker-'));
}

function wantsWorkers({ types, states, names, taskId }: EventFilter): boolean {
  return states === undefined && names === undefined && taskId === undefined && startsAs('worker-', types);
}

/** Types that pass both lists; undefined: all. */
function typesOf({ types, states }: EventFilter): string[] | undefined {
  if (states === undefined) return types === undefined ? undefined : storable(types);
  const leading = typesTo(states);
  return storable(types === undefined ? leading : leading.filter((type) => types.includes(type)));
}

/** Types of the events that lead to the states. */
function typesTo(states: readonly string[]): string[] {
  return storable(states.map((state) => TYPES_OF_STATES[state] ?? `task-${state.toLowerCase()}`));
}

async function namesOf(session: Session, rows: readonly ListedRow[]): Promise<ReadonlyMap<string, string>> {
  const ids = [...new Set(rows.flatMap(({ task_id }) => (task_id === null ? [] : [task_id])))];
  if (ids.length === 0) return new Map();
  const found = await session.prepared<{ task_id: string; name: string }>(
    'names-of',
    'select task_id, name from celery_tasks where task_id = any($1::text[]) and name is not null',
    [ids],
  );
  return new Map(found.map(({ task_id, name }) => [task_id, name]));
}

function toEvent(row: ListedRow, names: ReadonlyMap<string, string>): EventPage['events'][number] {
  const { task_id: taskId, type, sender, timestamp, clock, fields } = row;
  const ids = taskId === null ? {} : { uuid: taskId };
  return {
    id: `${row.micros}-${row.identity}`,
    type,
    worker: sender,
    taskId,
    name: taskId === null ? null : (names.get(taskId) ?? null),
    timestampMs: timestamp * 1000,
    receivedMs: row.received_ms,
    clock: Number(clock),
    fields: { type, hostname: sender, timestamp, clock: Number(clock), ...ids, ...fields },
  };
}

function encodeCursor({ micros, identity }: Position): string {
  return Buffer.from(JSON.stringify([1, micros, identity])).toString('base64url');
}

/** @throws QueryError `bad-cursor` */
function decodeCursor(cursor: string): Position {
  const [version, micros, identity] = parts(cursor);
  const isNumber = (value: unknown): value is string => typeof value === 'string' && /^-?\d{1,18}$/.test(value);
  const isIdentity = (value: unknown): value is string => typeof value === 'string' && /^-?\d{1,19}$/.test(value);
  if (version === 1 && isNumber(micros) && isIdentity(identity)) return { micros, identity };
  const message = 'cursor cannot be used: it is no cursor of this list; start again without it';
  throw new QueryError('bad-cursor', message, 'cursor');
}

function parts(cursor: string): unknown[] {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    return Array.isArray(parsed) ? (parsed as unknown[]) : [];
  } catch {
    return [];
  }
}
