import { failureKey, type FailureKey } from '../../core/query/failure.ts';
import { TaskState, type TaskMark } from '../../core/state/task.ts';
import { dayFromPg, pgDays } from './days.ts';
import { type CountedEnd, countedEnd, IMPORTED } from './imported-end.ts';
import type { RowBuffer } from './row-buffer.ts';
import {
  clockValue,
  isFloat8,
  isInt4,
  isInt8,
  jsonText,
  KEY_LIMIT,
  keyId,
  keyText,
  storable,
  type TextLimits,
} from './safe-values.ts';

/** A task as the writer holds it: Celery's state, and what only its row knows. */
export interface TaskEntry {
  readonly task: TaskState;
  /** Days since 1970-01-01; fixed with the first event. */
  readonly seenOn: number;
  /** Whether a row of it is committed. */
  stored: boolean;
  /** Begun with a stored row: another writer may have merged events into it that come after those yet to be merged here. */
  isShared: boolean;
  /** Texts that were cut: what is left of them, and how long they were. */
  cuts: Map<string, { readonly text: string; readonly length: number }> | null;
  failure: { readonly exception: unknown; readonly traceback: unknown; readonly key: FailureKey | null } | null;
  /** What an import counted of the task in the roll-ups, until the event itself comes and is counted in its place. */
  imported: CountedEnd | null;
}

/** Members that hold when the event of their name was sent. */
export const TIMES = ['sent', 'received', 'started', 'succeeded', 'failed', 'retried', 'revoked', 'rejected'] as const;
/** Texts for indexes or filters: at most `KEY_LIMIT` characters. */
const KEYS = [
  'name',
  'worker',
  'client',
  'queue',
  'exchange',
  'routing_key',
  'root_id',
  'parent_id',
  'eta',
  'expires',
] as const;
const VALUES = ['args', 'kwargs', 'result', 'exception', 'traceback'] as const;

const NAMES = [
  'seen_on', 'retries', 'timestamp', ...TIMES, 'runtime', 'clock', 'pid', 'task_id', 'state', ...KEYS, ...VALUES,
  'exception_type', 'failure_message', 'fingerprint', 'oddities', 'mark', 'mark_detail', 'marked',
]; // prettier-ignore

/** Columns in the order of `appendTask`. */
export const TASK_COLUMNS = NAMES.join(', ');

/**
 * Columns in the order that `readTask` expects them, for a query in `rowMode: 'array'`: as types that pg hands over
 * as JavaScript's own.
 */
export const TASK_SELECTION = NAMES.map((name) => {
  if (name === 'seen_on') return `seen_on - date '2000-01-01'`;
  if (name === 'clock' || name === 'pid') return `${name}::float8`;
  return name === 'oddities' ? 'oddities::text' : name;
}).join(', ');

export function newTaskEntry(uuid: string, seenOn: number): TaskEntry {
  return {
    task: new TaskState(uuid),
    seenOn,
    stored: false,
    isShared: false,
    cuts: null,
    failure: null,
    imported: null,
  };
}

const ODDITY_LIMIT = 65_536;
/** Members whose type `TaskState` fixes: what came instead is in its `odd`, beside the last fitting value. */
const TYPED = new Set<string>([...TIMES, 'state', 'worker', 'client', 'clock']);

type Oddities = Record<string, unknown>;

/** Appends the task's row. Texts over the limits are cut in the task itself too: memory is bounded as the row is. */
export function appendTask(rows: RowBuffer, entry: TaskEntry, limits: TextLimits): void {
  const { task } = entry;
  const oddities: Oddities = {};
  rows.startRow(NAMES.length);
  rows.int4(pgDays(entry.seenOn));
  if (isInt4(task.retries)) rows.int4(task.retries);
  else setOddity(rows, oddities, 'retries', task.retries);
  rows.float8(task.timestamp ?? 0);
  for (const name of TIMES) appendFloat(rows, oddities, name, task[name]);
  appendFloat(rows, oddities, 'runtime', task.runtime);
  rows.int8(clockValue(task.clock));
  if (!isInt8(task.clock)) oddities['clock'] = task.clock;
  if (isInt8(task.pid)) rows.int8(task.pid);
  else setOddity(rows, oddities, 'pid', task.pid);
  rows.text(keyId(task.uuid));
  rows.text(keyText(task.state));
  for (const name of KEYS) appendText(rows, oddities, entry, name, KEY_LIMIT);
  const failure = failureOf(entry);
  for (const name of VALUES)
    appendText(rows, oddities, entry, name, name === 'traceback' ? limits.traceback : limits.value);
  // The texts may just have been cut; what was found in the whole ones stays.
  if (entry.failure !== null) entry.failure = { exception: task.exception, traceback: task.traceback, key: failure };
  if (failure === null) {
    rows.null();
    rows.null();
    rows.null();
  } else {
    rows.text(keyText(failure.type));
    rows.text(storable(failure.message));
    rows.text(failure.fingerprint);
  }
  for (const [name, value] of Object.entries(task.odd ?? {})) oddities[name] = boundedOddity(value);
  if (entry.imported !== null) oddities[IMPORTED] = entry.imported;
  if (Object.keys(oddities).length === 0) rows.null();
  else rows.text(jsonText(oddities));
  appendMark(rows, task.mark);
}

function appendMark(rows: RowBuffer, mark: TaskMark | null): void {
  if (mark === null) {
    rows.null();
    rows.null();
    rows.null();
  } else {
    rows.text(mark.kind);
    rows.text(mark.detail);
    rows.float8(mark.at);
  }
}

function appendFloat(rows: RowBuffer, oddities: Oddities, name: string, value: unknown): void {
  if (value === null || value === undefined) rows.null();
  else if (isFloat8(value)) rows.float8(value);
  else setOddity(rows, oddities, name, value);
}

function setOddity(rows: RowBuffer, oddities: Oddities, name: string, value: unknown): void {
  rows.null();
  if (value !== null && value !== undefined) oddities[name] = boundedOddity(value);
}

function boundedOddity(value: unknown): unknown {
  const length = typeof value === 'object' || typeof value === 'string' ? jsonText(value).length : 0;
  return length > ODDITY_LIMIT ? { 'umbel:cut': length } : value;
}

type TextName = (typeof KEYS)[number] | (typeof VALUES)[number];

function appendText(rows: RowBuffer, oddities: Oddities, entry: TaskEntry, name: TextName, limit: number): void {
  const value = entry.task[name];
  if (typeof value !== 'string') {
    setOddity(rows, oddities, name, value);
    return;
  }
  const text = value.length > limit ? cutText(rows, entry, name, value, limit) : value;
  const cut = entry.cuts?.get(name);
  if (cut?.text === text) oddities[name] = { cut: cut.length };
  rows.text(storable(text));
}

/** A traceback keeps its end, where the exception stands; every other text its start. */
function cutText(rows: RowBuffer, entry: TaskEntry, name: TextName, value: string, limit: number): string {
  // Through a buffer: a slice would keep the whole text in memory. It also mends a surrogate pair cut in two.
  const text = Buffer.from(name === 'traceback' ? value.slice(-limit) : value.slice(0, limit), 'utf8').toString('utf8');
  rows.cut++;
  entry.cuts ??= new Map();
  entry.cuts.set(name, { text, length: value.length });
  Object.assign(entry.task, { [name]: text });
  return text;
}

function failureOf(entry: TaskEntry): FailureKey | null {
  const { exception, traceback } = entry.task;
  if (exception === null && traceback === null) return null;
  const known = entry.failure;
  if (known !== null && known.exception === exception && known.traceback === traceback) return known.key;
  const key = failureKey(exception, traceback);
  entry.failure = { exception, traceback, key };
  return key;
}

/** The entry of a stored row, as selected by `TASK_SELECTION`: goes on exactly where the writer of the row stopped. */
export function readTask(row: readonly unknown[]): TaskEntry {
  const at = (name: string): unknown => row[NAMES.indexOf(name)];
  const entry = newTaskEntry(at('task_id') as string, dayFromPg(at('seen_on') as number));
  const { task } = entry;
  const values: Record<string, unknown> = { state: at('state'), timestamp: at('timestamp'), clock: at('clock') ?? 0 };
  for (const name of ['retries', 'runtime', 'pid', ...TIMES, ...KEYS, ...VALUES]) values[name] = at(name);
  const odd = at('oddities');
  const oddities = typeof odd === 'string' ? (JSON.parse(odd) as Oddities) : {};
  for (const [name, value] of Object.entries(oddities)) {
    if (name === IMPORTED) {
      entry.imported = value as CountedEnd;
      continue;
    }
    const text = values[name];
    const cut = typeof text === 'string' ? cutLength(value) : undefined;
    if (typeof text === 'string' && cut !== undefined) (entry.cuts ??= new Map()).set(name, { text, length: cut });
    else if (TYPED.has(name)) task.odd = { ...task.odd, [name]: value };
    else values[name] = value;
  }
  Object.assign(task, values);
  entry.stored = true;
  entry.isShared = true;
  const mark = at('mark');
  if (mark === 'imported') entry.imported = countedEnd(values);
  if (mark === 'healed' || mark === 'orphaned' || mark === 'replaced') {
    task.mark = { kind: mark, detail: String(at('mark_detail')), at: Number(at('marked')) };
  }
  const type = at('exception_type');
  if (typeof type === 'string') {
    const key = { type, message: at('failure_message') as string, fingerprint: at('fingerprint') as string };
    entry.failure = { exception: task.exception, traceback: task.traceback, key };
  }
  return entry;
}

function cutLength(value: unknown): number | undefined {
  const cut = typeof value === 'object' && value !== null && 'cut' in value ? value.cut : undefined;
  return typeof cut === 'number' ? cut : undefined;
}
