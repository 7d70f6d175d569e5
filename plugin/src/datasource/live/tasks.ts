import type { LiveTask, Task, TaskFilter, TaskSortKey } from '../../shared/api';
import { passesLists } from '../queries/adhoc';

/** Whether a task passes a filter, as far as the live stream tells. */
export type Verdict = 'in' | 'out' | 'unknown';

/** Members that the live stream does not tell: only the history knows whether a task passes. */
const UNTOLD = [
  ...([
    'exceptionTypes',
    'notExceptionTypes',
    'fingerprint',
    'search',
    'args',
    'kwargs',
    'result',
    'exception',
  ] as const),
  ...(['orphaned', 'healed', 'runtimeMin', 'runtimeMax', 'receivedFrom', 'receivedTo'] as const),
];

export function verdictOf(task: LiveTask | undefined, filter: TaskFilter): Verdict {
  if (task === undefined) {
    return 'unknown';
  }
  const passes =
    passesLists(filter.ids, undefined, task.taskId) &&
    passesLists(filter.names, filter.notNames, task.name) &&
    passesLists(filter.states, filter.notStates, task.state) &&
    passesLists(filter.workers, filter.notWorkers, task.worker) &&
    passesLists(filter.queues, filter.notQueues, task.queue) &&
    (filter.rootId === undefined || filter.rootId === task.rootId) &&
    (filter.parentId === undefined || filter.parentId === task.parentId) &&
    (filter.from === undefined || task.timestampMs >= Number(filter.from)) &&
    (filter.to === undefined || task.timestampMs < Number(filter.to));
  if (!passes) {
    return 'out';
  }
  return isUntold(filter) ? 'unknown' : 'in';
}

/** Which instant an event sets. */
const INSTANTS: Readonly<Record<string, keyof Task>> = {
  'task-sent': 'sentMs',
  'task-received': 'receivedMs',
  'task-started': 'startedMs',
  'task-succeeded': 'succeededMs',
  'task-failed': 'failedMs',
  'task-retried': 'retriedMs',
  'task-revoked': 'revokedMs',
  'task-rejected': 'rejectedMs',
};

const UNKNOWN: Omit<Task, 'taskId' | 'state' | 'timestampMs'> = {
  ...{ name: null, worker: null, client: null, queue: null, exchange: null, routingKey: null },
  ...{ rootId: null, parentId: null, traceId: '', args: null, kwargs: null, result: null, exception: null },
  ...{ exceptionType: null, traceback: null, eta: null, expires: null, retries: null, runtimeMs: null },
  ...{ sentMs: null, receivedMs: null, startedMs: null, succeededMs: null, failedMs: null, retriedMs: null },
  ...{ revokedMs: null, rejectedMs: null, clock: null, pid: null, oddities: null },
  ...{ healed: null, orphaned: null, retriedAs: null, markedMs: null },
};

/**
 * The task after what the stream told; what it does not tell stays. The agent tells messages in order, each with the
 * state that its event led to, so the last one is right whatever the clocks of its senders say.
 */
function merged(task: Task | undefined, message: LiveTask): Task {
  const { kind: _kind, type, previousState: _previous, ...told } = message;
  const instant = INSTANTS[type];
  const known = task ?? { ...UNKNOWN, taskId: message.taskId, state: message.state, timestampMs: message.timestampMs };
  return {
    ...known,
    ...news(known, told),
    timestampMs: Math.max(known.timestampMs, message.timestampMs),
    ...(instant === undefined ? {} : { [instant]: message.timestampMs }),
  };
}

/** Members that the stream cuts to a line: what the history told of them stays. */
const CUT: ReadonlySet<string> = new Set(['args', 'kwargs', 'result'] satisfies Array<keyof Task>);

/** What is told, as far as it is told and not known better. */
function news<Told extends Partial<Task>>(known: Task, told: Told): Partial<Told> {
  const entries = Object.entries(told).filter(
    ([name, value]) => value !== null && !(CUT.has(name) && (known[name as keyof Task] ?? null) !== null),
  );
  return Object.fromEntries(entries) as Partial<Told>;
}

export interface LiveRows {
  readonly tasks: readonly Task[];
  /** Something may belong to the answer that only the history can tell: ask it again */
  readonly uncertain: boolean;
  readonly changed: boolean;
}

export interface Order {
  readonly sort?: TaskSortKey;
  readonly order?: 'asc' | 'desc';
  readonly limit: number;
}

/**
 * The rows after the messages: changed tasks are changed, those that no longer pass go, new ones that pass come to the
 * top, and the number of rows stays within the limit.
 */
export function applyMessages(
  tasks: readonly Task[],
  messages: readonly LiveTask[],
  filter: TaskFilter,
  order: Order,
): LiveRows {
  const rows = new Map(tasks.map((task) => [task.taskId, task]));
  const fresh = new Map<string, Task>();
  let [uncertain, changed] = [false, false];
  for (const [taskId, told] of byTask(messages)) {
    const known = rows.get(taskId);
    const after = told.reduce<Task | undefined>(merged, known);
    const verdict = verdictOf(told[told.length - 1], filter);
    uncertain ||= verdict === 'unknown';
    if (verdict === 'out') {
      changed = rows.delete(taskId) || changed;
    } else if (after !== undefined && known !== undefined) {
      // A row that passed before is shown with its news, even where the history must be asked whether it still does.
      rows.set(taskId, after);
      changed = true;
    } else if (after !== undefined && verdict === 'in') {
      fresh.set(taskId, after);
      changed = true;
    }
  }
  if (!changed) {
    return { tasks, uncertain, changed };
  }
  return { tasks: ordered([...[...fresh.values()].reverse(), ...rows.values()], order), uncertain, changed };
}

function byTask(messages: readonly LiveTask[]): ReadonlyMap<string, readonly LiveTask[]> {
  const found = new Map<string, LiveTask[]>();
  for (const message of messages) {
    const told = found.get(message.taskId);
    if (told === undefined) {
      found.set(message.taskId, [message]);
    } else {
      told.push(message);
    }
  }
  return found;
}

/**
 * The rows with those that the history tells anew in place of theirs.
 *
 * @param read the first page of the answer
 * @param isFinal only the history knows what passes the filter: what it does not tell goes
 */
export function replaceRows(
  tasks: readonly Task[],
  read: readonly Task[],
  order: Order,
  isFinal: boolean,
): readonly Task[] {
  const rows = new Map(read.map((task) => [task.taskId, task]));
  for (const task of tasks) {
    const found = rows.get(task.taskId);
    if (found === undefined && !isFinal) {
      rows.set(task.taskId, task);
    } else if (found !== undefined && found.timestampMs < task.timestampMs) {
      rows.set(task.taskId, { ...found, ...news(found, task) });
    }
  }
  return ordered([...rows.values()], order);
}

/** Whether the stream alone cannot tell what passes the filter. */
export function isUntold(filter: TaskFilter): boolean {
  return UNTOLD.some((name) => filter[name] !== undefined);
}

/** By the last event, which moves with every message; other orders are kept as they came, new ones first. */
function ordered(tasks: Task[], { sort = 'timestamp', order = 'desc', limit }: Order): Task[] {
  if (sort === 'timestamp') {
    const sign = order === 'desc' ? -1 : 1;
    tasks.sort((a, b) => sign * (a.timestampMs - b.timestampMs));
  }
  return tasks.slice(0, limit);
}
