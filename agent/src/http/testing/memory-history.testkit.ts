import { casefold } from '../../core/query/casefold.ts';
import type { ListedEvent } from '../../core/query/events.ts';
import type { TaskFilter, TaskSort } from '../../core/query/filter.ts';
import type { HistoryReader } from '../../core/query/reader.ts';
import { QueryError } from '../../core/query/reader.ts';
import type {
  FailureGroup,
  GapRecord,
  TaskEventRecord,
  TaskRecord,
  TimeSeries,
  WorkerEventRecord,
  WorkerRecord,
} from '../../core/query/records.ts';
import type { SearchNode } from '../../core/query/search.ts';

export interface MemoryRows {
  tasks?: TaskRecord[];
  workers?: WorkerRecord[];
  taskEvents?: TaskEventRecord[];
  events?: ListedEvent[];
  workerEvents?: WorkerEventRecord[];
  series?: TimeSeries[];
  failures?: FailureGroup[];
  gaps?: GapRecord[];
  queues?: string[];
}

/** Every call made on the history, with its arguments, oldest first. */
export type Calls = readonly (readonly [keyof HistoryReader, ...unknown[]])[];

/** A history over arrays; `calls` records what the server asked, `failWith` makes every further call reject. */
export interface MemoryHistory extends HistoryReader {
  readonly calls: Calls;
  /** Rows an export has handed out. */
  readonly exported: () => number;
  /** Exports left before their end. */
  readonly abandoned: () => number;
  failWith(error: Error | undefined): void;
}

export function taskRecord(members: Partial<TaskRecord>): TaskRecord {
  const empty = Object.fromEntries(EMPTY.map((key) => [key, null])) as unknown as TaskRecord;
  return { ...empty, taskId: 'id-1', state: 'SUCCESS', timestamp: 1_795_405_139.25, ...members };
}

export function workerRecord(members: Partial<WorkerRecord>): WorkerRecord {
  return {
    ...{
      hostname: 'w1@h',
      online: true,
      isGone: false,
      lastHeartbeatMs: 1_795_405_160_600,
      firstSeenMs: 1_795_405_000_000,
      pid: 7,
    },
    ...{ freq: 2, active: 0, processed: 1, loadavg: [0.5, 0.25, 0], swIdent: 'py-celery', swVer: '5.7.0' },
    ...{ swSys: 'Linux', clock: 42 },
    ...members,
  };
}

export function memoryHistory(rows: MemoryRows = {}): MemoryHistory {
  const tasks = rows.tasks ?? [];
  const calls: [keyof HistoryReader, ...unknown[]][] = [];
  let failure: Error | undefined;
  let exported = 0;
  let abandoned = 0;
  function called<T>(name: keyof HistoryReader, args: unknown[], answer: () => T): Promise<T> {
    calls.push([name, ...args]);
    return failure === undefined ? Promise.resolve(answer()) : Promise.reject(failure);
  }
  const sorted = (filter: TaskFilter, sort: TaskSort): TaskRecord[] =>
    tasks.filter((task) => matches(task, filter)).sort(comparing(sort));

  return {
    calls,
    exported: () => exported,
    abandoned: () => abandoned,
    failWith(error) {
      failure = error;
    },
    searchTasks: (filter, sort, limit, cursor) =>
      called('searchTasks', [filter, sort, limit, cursor], () => {
        const start = cursor === undefined ? 0 : Number(cursor);
        if (!Number.isInteger(start)) throw new QueryError('bad-cursor', 'the cursor is not one of this search');
        const all = sorted(filter, sort);
        const page = { tasks: all.slice(start, start + limit) };
        return start + limit < all.length ? { ...page, nextCursor: String(start + limit) } : page;
      }),
    listTasks: (filter, sort, limit, offset) =>
      called('listTasks', [filter, sort, limit, offset], () =>
        sorted(filter, sort).slice(offset, limit === undefined ? undefined : offset + limit),
      ),
    async *exportTasks(filter, sort, limit) {
      await called('exportTasks', [filter, sort, limit], () => undefined);
      let done = false;
      try {
        for (const task of sorted(filter, sort).slice(0, limit)) {
          if (failure !== undefined) throw failure;
          exported += 1;
          yield task;
        }
        done = true;
      } finally {
        if (!done) abandoned += 1;
      }
    },
    countTasks: (filter, limit) =>
      called('countTasks', [filter, limit], () =>
        Math.min(tasks.filter((task) => matches(task, filter)).length, limit),
      ),
    findTask: (taskId) => called('findTask', [taskId], () => tasks.find((task) => task.taskId === taskId)),
    taskTimeline: (taskId, limit) =>
      called('taskTimeline', [taskId, limit], () => (rows.taskEvents ?? []).filter((event) => event.taskId === taskId)),
    childrenOf: (taskIds) =>
      called('childrenOf', [taskIds], () => {
        const children = new Map<string, string[]>(taskIds.map((parent) => [parent, []]));
        for (const task of tasks) children.get(task.parentId ?? '')?.push(task.taskId);
        for (const ids of children.values()) ids.sort();
        return children;
      }),
    workflow: (rootIds, limit) =>
      called('workflow', [rootIds, limit], () =>
        tasks.filter((task) => task.rootId !== null && rootIds.includes(task.rootId)).slice(0, limit),
      ),
    taskNames: () => called('taskNames', [], () => namesOf(tasks)),
    series: (query) => called('series', [query], () => rows.series ?? []),
    failures: (filter, limit) => called('failures', [filter, limit], () => rows.failures ?? []),
    workers: () => called('workers', [], () => rows.workers ?? []),
    events: (filter, limit, cursor) =>
      called('events', [filter, limit, cursor], () => ({ events: (rows.events ?? []).slice(0, limit) })),
    workerEvents: (hostname, fromMs, toMs, limit) =>
      called('workerEvents', [hostname, fromMs, toMs, limit], () =>
        (rows.workerEvents ?? []).filter((event) => event.hostname === hostname),
      ),
    queueNames: () => called('queueNames', [], () => rows.queues ?? []),
    gaps: (fromMs, toMs, limit) => called('gaps', [fromMs, toMs, limit], () => rows.gaps ?? []),
  };
}

const EMPTY: readonly (keyof TaskRecord)[] = [
  ...(['name', 'worker', 'client', 'queue', 'exchange', 'routingKey', 'rootId', 'parentId', 'args', 'kwargs'] as const),
  ...(['result', 'exception', 'traceback', 'eta', 'expires', 'retries', 'runtime', 'sent', 'received'] as const),
  ...(['started', 'succeeded', 'failed', 'retried', 'revoked', 'rejected', 'clock', 'pid'] as const),
  ...(['exceptionType', 'oddities', 'healed', 'orphaned', 'retriedAs', 'markedMs'] as const),
];

function namesOf(tasks: readonly TaskRecord[]): string[] {
  return [...new Set(tasks.flatMap((task) => task.name ?? []))].sort();
}

function matches(task: TaskRecord, filter: TaskFilter): boolean {
  const among = (values: readonly string[] | undefined, value: string | null): boolean =>
    values === undefined || (value !== null && values.includes(value));
  const { received } = task;
  if (filter.receivedOnly === true && received === null) return false;
  return (
    among(filter.names, task.name) &&
    among(filter.states, task.state) &&
    among(filter.workers, task.worker) &&
    (filter.notStates === undefined || !filter.notStates.includes(task.state)) &&
    (filter.receivedFrom === undefined || received === null || received >= filter.receivedFrom) &&
    (filter.receivedTo === undefined || received === null || received <= filter.receivedTo) &&
    (filter.search === undefined || found(task, filter.search))
  );
}

function found(task: TaskRecord, node: SearchNode): boolean {
  switch (node.kind) {
    case 'and':
      return node.nodes.every((child) => found(task, child));
    case 'or':
      return node.nodes.some((child) => found(task, child));
    case 'kwarg':
      return (task.kwargs ?? '').includes(`'${node.key}': ${node.value}`);
    case 'term': {
      const all = [task.taskId, task.name, task.state, task.worker, task.args, task.kwargs, task.result].join('\n');
      if (node.field === 'state') return task.state === node.text.toUpperCase();
      const text = node.field === 'any' || node.field === 'id' ? all : (task[node.field] ?? '');
      return text.toLowerCase().includes(node.text.toLowerCase());
    }
  }
}

function comparing(sort: TaskSort): (a: TaskRecord, b: TaskRecord) => number {
  const sign = sort.descending ? -1 : 1;
  const order = (a: string | number | null, b: string | number | null): number => {
    if (a === null || b === null) return Number(b === null) - Number(a === null);
    const [x, y] = typeof a === 'string' && typeof b === 'string' ? [casefold(a), casefold(b)] : [a, b];
    return x < y ? -1 : x > y ? 1 : 0;
  };
  return (a, b) => sign * (order(a[sort.key], b[sort.key]) || order(a.taskId, b.taskId));
}
