import type { Task, Workflow } from '../../../shared/api';
import { criticalPath } from '../../../shared/workflow/criticalPath';
import { type Edge, relate } from '../../../shared/workflow/relations';
import { readTasks } from '../../../shared/workflow/tasks';

/** A task of a workflow with what its neighbours tell about it. */
export interface Step extends Task {
  /** Of a group or chord that was sent by itself: its members have no root in common */
  readonly groupId: string | null;
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
 * @param workflow its tasks in any order
 * @param nowMs stands for the end of tasks that have not ended, epoch ms
 */
export function stepsOf({ tasks, groups }: Pick<Workflow, 'tasks' | 'groups'>, nowMs: number): Steps {
  const groupOf = new Map(groups.flatMap(({ groupId, taskIds }) => taskIds.map((taskId) => [taskId, groupId])));
  const groupIdOf = ({ taskId }: Task) => groupOf.get(taskId) ?? null;
  const relations = relate(readTasks(tasks.map((task) => ({ ...task, groupId: groupIdOf(task) }))));
  const critical = new Set(criticalPath(relations, nowMs).ids);
  const byId = new Map(tasks.map((task) => [task.taskId, task]));
  const depths = new Map<Task, number>();
  const steps = tasks.map((task) => ({
    ...task,
    groupId: groupIdOf(task),
    depth: depthOf(task, byId, depths),
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

/**
 * Parents that are there. Ids are anything that a client sent: a ring of parents ends.
 *
 * @param known depths that were found before; those of the task and its parents are added
 */
function depthOf(task: Task, byId: ReadonlyMap<string, Task>, known: Map<Task, number>): number {
  const way = new Set<Task>();
  let base = -1;
  for (let current: Task | undefined = task; current !== undefined && !way.has(current);) {
    const depth = known.get(current);
    if (depth !== undefined) {
      base = depth;
      break;
    }
    way.add(current);
    current = current.parentId === null ? undefined : byId.get(current.parentId);
  }
  [...way].reverse().forEach((one, index) => known.set(one, base + 1 + index));
  return known.get(task) ?? 0;
}
