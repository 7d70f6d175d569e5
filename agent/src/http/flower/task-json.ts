import type { TaskRecord } from '../../core/query/records.ts';
import { floatText, intText, stringText, valueText } from './python-json.ts';

type Printer<T> = (value: T) => string;

/** In the order of `Task._fields` (celery/events/state.py); `root` and `parent` are the ids, as Celery serialises them. */
const HEAD = [
  text('uuid', (task) => task.taskId),
  text('name', (task) => task.name),
  text('state', (task) => task.state),
  instant('received', (task) => task.received),
  instant('sent', (task) => task.sent),
  instant('started', (task) => task.started),
  instant('rejected', (task) => task.rejected),
  instant('succeeded', (task) => task.succeeded),
  instant('failed', (task) => task.failed),
  instant('retried', (task) => task.retried),
  instant('revoked', (task) => task.revoked),
  text('args', (task) => task.args),
  text('kwargs', (task) => task.kwargs),
  text('eta', (task) => task.eta),
  text('expires', (task) => task.expires),
  member('retries', (task) => task.retries, intText),
];
const WORKER = text('worker', (task) => task.worker);
const TAIL = [
  text('result', (task) => task.result),
  text('exception', (task) => task.exception),
  instant('timestamp', (task) => task.timestamp),
  instant('runtime', (task) => task.runtime),
  text('traceback', (task) => task.traceback),
  text('exchange', (task) => task.exchange),
  text('routing_key', (task) => task.routingKey),
  member('clock', (task) => task.clock, intText),
  text('client', (task) => task.client),
  text('root', (task) => task.rootId, 'root_id'),
  text('root_id', (task) => task.rootId),
  text('parent', (task) => task.parentId, 'parent_id'),
  text('parent_id', (task) => task.parentId),
];

/** The members of Celery's `Task.as_dict()` without their braces; the pieces of both shapes Flower uses. */
function membersText(task: TaskRecord, children: readonly string[], worker: readonly string[], atEnd: boolean): string {
  const parts = [
    ...HEAD.map((print) => print(task)),
    ...(atEnd ? [] : worker),
    ...TAIL.map((print) => print(task)),
    `"children": [${children.map(stringText).join(', ')}]`,
    ...(atEnd ? worker : []),
  ];
  return `{${parts.join(', ')}}`;
}

/**
 * A task as `GET /api/task/info/<id>` prints it (flower/api/tasks.py `TaskInfo`): `worker` null when unknown.
 * Byte for byte what Flower 2.2 answers, fields cut or of an odd type included.
 */
export function taskInfoText(task: TaskRecord, children: readonly string[]): string {
  return membersText(task, children, [WORKER(task)], false);
}

/**
 * One entry of `GET /api/tasks` (flower/api/tasks.py `ListTasks`): the id and the task. Flower takes `worker` out and
 * puts it back only when there is one, so it stands last here and is missing from a task no worker has touched.
 */
export function taskEntryText(task: TaskRecord, children: readonly string[]): string {
  const worker = task.worker === null ? [] : [WORKER(task)];
  return `${stringText(task.taskId)}: ${membersText(task, children, worker, true)}`;
}

/** A value the history could not put into its column is printed as sent; a mark that it was cut is none. */
function member<T>(key: string, read: (task: TaskRecord) => T | null, print: Printer<T>, wireKey = key) {
  return (task: TaskRecord): string => {
    const odd = task.oddities?.[wireKey];
    const value = read(task);
    // Beside a text it may be the mark that the text was cut; without one it is what was sent.
    if (odd !== undefined && (value === null || !isCutMark(odd))) return `"${key}": ${valueText(odd)}`;
    return `"${key}": ${value === null ? 'null' : print(value)}`;
  };
}

function text(key: string, read: (task: TaskRecord) => string | null, wireKey = key) {
  return member(key, read, stringText, wireKey);
}

function instant(key: string, read: (task: TaskRecord) => number | null) {
  return member(key, read, floatText);
}

function isCutMark(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const keys = Object.keys(value);
  return keys.length === 1 && 'cut' in value && typeof value.cut === 'number';
}
