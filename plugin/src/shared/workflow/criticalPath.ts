import type { Relations } from './relations';
import { beginOf, endOf, startOf, type WorkflowTask } from './tasks';

/** The chain that decided when the workflow ended: making anything else faster would not have ended it sooner. */
export interface CriticalPath {
  /** Ids from the first to the last */
  readonly ids: readonly string[];
  /** From the begin of the first to the end of the last */
  readonly totalMs: number;
  /** Of that, the time in which a task of the chain ran */
  readonly runMs: number;
  /** The rest: nothing of the chain ran, it waited in queues, for its ETA or for a retry */
  readonly waitMs: number;
}

const NOTHING: CriticalPath = { ids: [], totalMs: 0, runMs: 0, waitMs: 0 };

/**
 * Goes back from the task that ended last (of those that have not, the one that is longest under way), each time to
 * what held the task up: of all it comes after the one that ended last.
 *
 * @param nowMs stands for the end of tasks that have not ended, epoch ms
 */
export function criticalPath({ tasks, before }: Relations, nowMs: number): CriticalPath {
  const last = lastToEnd([...tasks.values()], nowMs);
  if (last === undefined) {
    return NOTHING;
  }
  const path: WorkflowTask[] = [];
  for (let task: WorkflowTask | undefined = last; task !== undefined;) {
    path.push(task);
    const sources: WorkflowTask[] = (before.get(task.taskId) ?? []).flatMap((id) => tasks.get(id) ?? []);
    task = lastToEnd(sources, nowMs);
  }
  path.reverse();
  return { ids: path.map(({ taskId }) => taskId), ...timesOf(path, nowMs) };
}

function lastToEnd(tasks: readonly WorkflowTask[], nowMs: number): WorkflowTask | undefined {
  return tasks.reduce<WorkflowTask | undefined>((last, task) => {
    if (last === undefined) {
      return task;
    }
    const later = endOf(task, nowMs) - endOf(last, nowMs) || beginOf(last) - beginOf(task);
    return later > 0 ? task : last;
  }, undefined);
}

/** Runs may overlap: a parent goes on after it has published its child. */
function timesOf(path: readonly WorkflowTask[], nowMs: number): Omit<CriticalPath, 'ids'> {
  const fromMs = Math.min(...path.map(beginOf));
  const toMs = Math.max(...path.map((task) => endOf(task, nowMs)));
  let runMs = 0;
  let coveredMs = fromMs;
  const runs = path.filter((task) => startOf(task) !== null).sort((a, b) => runFrom(a) - runFrom(b));
  for (const task of runs) {
    const from = Math.max(runFrom(task), coveredMs);
    const to = endOf(task, nowMs);
    runMs += Math.max(to - from, 0);
    coveredMs = Math.max(coveredMs, to);
  }
  const totalMs = toMs - fromMs;
  return { totalMs, runMs, waitMs: Math.max(totalMs - runMs, 0) };
}

const runFrom = (task: WorkflowTask): number => startOf(task) ?? beginOf(task);
