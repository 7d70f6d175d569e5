import type { Task } from '../../../shared/api';

/** A task of a workflow with what its neighbours tell about it. */
export interface Step extends Task {
  /** 0 for the root, and for tasks whose parent is not known */
  readonly depth: number;
  /** On the chain of parents of the task that ended last */
  readonly critical: boolean;
  /** From when it could have started (publishing, or its ETA) until it did; null while that is not known */
  readonly queueWaitMs: number | null;
}

/** @param tasks of one workflow, in any order */
export function stepsOf(tasks: readonly Task[]): Step[] {
  const byId = new Map(tasks.map((task) => [task.taskId, task]));
  const critical = criticalIds(tasks, byId);
  return tasks.map((task) => ({
    ...task,
    depth: ancestorsOf(task, byId).length,
    critical: critical.has(task.taskId),
    queueWaitMs: waitOf(task),
  }));
}

/** When it began to matter: published, else the first that is known of it. */
export function beginOf({ sentMs, receivedMs, startedMs, timestampMs }: Task): number {
  return sentMs ?? receivedMs ?? startedMs ?? timestampMs;
}

/** When it ended; the last event of one that has not. */
export function endOf({ succeededMs, failedMs, revokedMs, rejectedMs, timestampMs }: Task): number {
  return succeededMs ?? failedMs ?? revokedMs ?? rejectedMs ?? timestampMs;
}

function waitOf({ sentMs, receivedMs, startedMs, eta }: Task): number | null {
  const published = sentMs ?? receivedMs;
  if (startedMs === null || published === null) {
    return null;
  }
  const due = eta === null ? Number.NaN : Date.parse(eta);
  return Math.max(startedMs - Math.max(published, Number.isNaN(due) ? published : due), 0);
}

function criticalIds(tasks: readonly Task[], byId: ReadonlyMap<string, Task>): ReadonlySet<string> {
  const last = tasks.reduce<Task | undefined>(
    (latest, task) => (latest === undefined || endOf(task) > endOf(latest) ? task : latest),
    undefined,
  );
  return new Set(last === undefined ? [] : [last, ...ancestorsOf(last, byId)].map(({ taskId }) => taskId));
}

/** Parents that are there, nearest first. Ids are anything that a client sent: a ring of parents ends. */
function ancestorsOf(task: Task, byId: ReadonlyMap<string, Task>): Task[] {
  const found = new Set<Task>();
  let current: Task | undefined = task;
  while (current !== undefined) {
    const parent: Task | undefined = current.parentId === null ? undefined : byId.get(current.parentId);
    if (parent === undefined || parent === task || found.has(parent)) {
      break;
    }
    found.add(parent);
    current = parent;
  }
  return [...found];
}
