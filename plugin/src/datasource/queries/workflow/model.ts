import type { Task } from '../../../shared/api';
import { criticalPath } from '../../../shared/workflow/criticalPath';
import { type Edge, relate } from '../../../shared/workflow/relations';
import { readTasks } from '../../../shared/workflow/tasks';

/** A task of a workflow with what its neighbours tell about it. */
export interface Step extends Task {
  /** 0 for the root, and for tasks whose parent is not known */
  readonly depth: number;
  /** On the chain that decided when the workflow ended */
  readonly critical: boolean;
  /** From when it could have started (publishing, or its ETA) until it did; null while that is not known */
  readonly queueWaitMs: number | null;
}

export interface Steps {
  readonly steps: readonly Step[];
  /** What comes after what; the callback of a chord after each task of its header */
  readonly edges: readonly Edge[];
}

/**
 * @param tasks of one workflow, in any order
 * @param nowMs stands for the end of tasks that have not ended, epoch ms
 */
export function stepsOf(tasks: readonly Task[], nowMs: number): Steps {
  const relations = relate(readTasks(tasks));
  const critical = new Set(criticalPath(relations, nowMs).ids);
  const byId = new Map(tasks.map((task) => [task.taskId, task]));
  const steps = tasks.map((task) => ({
    ...task,
    depth: depthOf(task, byId),
    critical: critical.has(task.taskId),
    queueWaitMs: waitOf(task),
  }));
  return { steps, edges: relations.edges };
}

function waitOf({ sentMs, receivedMs, startedMs, eta }: Task): number | null {
  const published = sentMs ?? receivedMs;
  if (startedMs === null || published === null) {
    return null;
  }
  const due = eta === null ? Number.NaN : Date.parse(eta);
  return Math.max(startedMs - Math.max(published, Number.isNaN(due) ? published : due), 0);
}

/** Parents that are there. Ids are anything that a client sent: a ring of parents ends. */
function depthOf(task: Task, byId: ReadonlyMap<string, Task>): number {
  const found = new Set<Task>([task]);
  for (let current = task; ;) {
    const parent = current.parentId === null ? undefined : byId.get(current.parentId);
    if (parent === undefined || found.has(parent)) {
      return found.size - 1;
    }
    found.add(parent);
    current = parent;
  }
}
