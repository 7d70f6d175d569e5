import type { Task } from '../api';
import { readTasks, type WorkflowTask } from './tasks';

/** A task that took its time: published, started and ended at these seconds. */
export function ran(
  taskId: string,
  [sent, started, ended]: readonly [number, number, number],
  more: Partial<Task> = {},
) {
  return taskOf({
    taskId,
    name: `shop.${taskId.replace(/\d+$/, '')}`,
    state: 'SUCCESS',
    rootId: 'root',
    parentId: null,
    sentMs: sent * 1000,
    receivedMs: sent * 1000,
    startedMs: started * 1000,
    succeededMs: ended * 1000,
    runtimeMs: (ended - started) * 1000,
    timestampMs: ended * 1000,
    ...more,
  });
}

export function taskOf(members: Partial<Task>): WorkflowTask {
  const [task] = readTasks([members]);
  if (task === undefined) {
    throw new Error('a task needs an id');
  }
  return task;
}

/** split → three parts → merge, where part2 ends last and publishes merge; then tell. */
export const CHORD: readonly WorkflowTask[] = [
  ran('root', [0, 1, 2]),
  ran('part1', [2, 2, 3], { parentId: 'root' }),
  ran('part2', [2, 4, 8], { parentId: 'root' }),
  ran('part3', [2, 2, 5], { parentId: 'root' }),
  ran('merge', [7.9, 9, 10], { parentId: 'part2' }),
  ran('tell', [10, 10, 11], { parentId: 'merge' }),
];
