import type { CommandResult, ControlRequest, Target } from '../../core/control/command.ts';
import type {
  BulkProgress,
  BulkRequest,
  ControlService,
  NewTask,
  QueueDepth,
  RetryOutcome,
  RetryPlan,
  TaskResult,
  WorkerInspection,
} from '../../core/control/service.ts';
import type { AuditEntry, AuditFilter, AuditTrail, StoredAuditEntry } from '../../core/identity/audit.ts';

/** What the cluster of a test is, and what it was asked. */
export interface MemoryControl extends ControlService {
  readonly requests: readonly ControlRequest[];
  readonly sent: readonly NewTask[];
  readonly bulkRequests: readonly BulkRequest[];
  readonly aborted: readonly string[];
  readonly refreshed: readonly (string | undefined)[];
  /** Every further question rejects with it. */
  failWith(error: Error | undefined): void;
  /** As new: nothing was asked, nothing fails. */
  reset(): void;
}

export interface MemoryCluster {
  /** Node names, with what an inspection told of them. */
  readonly inspections?: Readonly<Record<string, WorkerInspection>>;
  /** Node names known from events alone. */
  readonly online?: readonly string[];
  /** By method; default: every worker says ok. */
  readonly answers?: Readonly<Record<string, CommandResult>>;
  readonly queues?: readonly QueueDepth[];
  /** By id; default PENDING. */
  readonly results?: Readonly<Record<string, TaskResult>>;
  /** By task id; default: cannot be told. */
  readonly groups?: Readonly<Record<string, string>>;
  readonly retry?: (taskId: string) => RetryOutcome;
  readonly bulks?: readonly BulkProgress[];
}

export function memoryControl(cluster: MemoryCluster = {}): MemoryControl {
  const { inspections = {}, online = [], answers = {}, queues = [], results = {}, bulks = [], groups } = cluster;
  const requests: ControlRequest[] = [];
  const sent: NewTask[] = [];
  const bulkRequests: BulkRequest[] = [];
  const aborted: string[] = [];
  const refreshed: (string | undefined)[] = [];
  let failure: Error | undefined;
  const answer = <T>(make: () => T): Promise<T> =>
    failure === undefined ? Promise.resolve(make()) : Promise.reject(failure);
  const reached = (target: Target): readonly string[] =>
    target.kind === 'workers' ? target.workers : [...new Set([...Object.keys(inspections), ...online])].sort();
  const plan: RetryPlan = {
    ...{ taskId: 'id-1', name: 'app.add', queue: 'celery', source: 'result-backend' },
    ...{ argsJson: '[12345678901234567890]', kwargsJson: '{}' },
  };
  return {
    requests,
    sent,
    bulkRequests,
    aborted,
    refreshed,
    failWith: (error) => (failure = error),
    reset: () => {
      for (const list of [requests, sent, bulkRequests, aborted, refreshed]) list.length = 0;
      failure = undefined;
    },
    inspector: {
      known: () => new Map(Object.entries(inspections)),
      refresh: (worker) => answer(() => void refreshed.push(worker)),
    },
    call: (request) =>
      answer(() => {
        requests.push(request);
        const workers = reached(request.target);
        const all = workers.map((worker) => ({ worker, ok: true as const, reply: { ok: `${request.method} done` } }));
        return answers[request.method] ?? { answers: all, silent: [] };
      }),
    cast: (request) =>
      answer(() => {
        requests.push(request);
        return { receivers: reached(request.target).length };
      }),
    reached,
    queues: () => answer(() => queues),
    send: (task) =>
      answer(() => {
        sent.push(task);
        return task.options.taskId ?? `new-${sent.length}`;
      }),
    knowsTask: (name) => {
      const registered = Object.values(inspections).flatMap((one) => one.registered ?? []);
      return registered.length === 0 ? undefined : registered.includes(name);
    },
    result: (taskId) => answer(() => results[taskId] ?? { taskId, state: 'PENDING' }),
    waitForResult: (taskId) => answer(() => results[taskId] ?? { taskId, state: 'PENDING' }),
    groupsOf: (ids) => answer(() => groups && new Map(Object.entries(groups).filter(([id]) => ids.includes(id)))),
    abort: (taskId) => answer(() => void aborted.push(taskId)),
    planRetry: (task) => answer(() => ({ ...plan, taskId: task.taskId })),
    retry: ({ taskId }, edited) =>
      answer(() => {
        const edits = edited === undefined ? {} : { ...edited, source: 'edited' as const };
        return cluster.retry?.(taskId) ?? { taskId, ok: true, newTaskId: 'new-1', plan: { ...plan, ...edits, taskId } };
      }),
    startBulk: (request) =>
      answer(() => {
        bulkRequests.push(request);
        const { action, dryRun } = request;
        const base = { id: 'b1', action, dryRun, state: 'running' as const, matched: 2, done: 0, failed: 0 };
        return { ...base, startedMs: 1, tasks: [{ taskId: 'id-1', name: 'app.add', state: 'STARTED' }] };
      }),
    bulk: (id) => bulks.find((one) => one.id === id),
    bulks: () => bulks,
    cancelBulk: (id) => {
      const found = bulks.find((one) => one.id === id);
      return found === undefined ? undefined : { ...found, state: 'cancelled' };
    },
  };
}

export interface MemoryAudit extends AuditTrail {
  readonly entries: readonly AuditEntry[];
  /** What was asked for, the newest last. */
  readonly reads: readonly { readonly filter: AuditFilter; readonly limit: number; readonly beforeId?: number }[];
}

export function memoryAudit(): MemoryAudit {
  const entries: AuditEntry[] = [];
  const reads: { filter: AuditFilter; limit: number; beforeId?: number }[] = [];
  return {
    entries,
    reads,
    record: (entry) => {
      entries.push(entry);
      return Promise.resolve();
    },
    read: (filter, limit, beforeId) => {
      reads.push({ filter, limit, ...(beforeId === undefined ? {} : { beforeId }) });
      const stored = entries.map((entry, index): StoredAuditEntry => ({ ...entry, id: index + 1 })).reverse();
      return Promise.resolve(stored.filter(({ id }) => id < (beforeId ?? Infinity)).slice(0, limit));
    },
  };
}
