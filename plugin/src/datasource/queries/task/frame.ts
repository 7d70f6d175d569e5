import { type DataFrame, FieldType } from '@grafana/data';
import type { TaskDetail, Timeline } from '../../../shared/api';
import { column, tableFrame } from '../../../shared/frames/table';
import { type LinkTargets, workerLinks } from '../../../shared/links';
import { taskColumns } from '../tasks/frame';

/** One row with all that is known of a task. */
export function taskFrame(refId: string, task: TaskDetail, links: LinkTargets): DataFrame {
  const columns = [...taskColumns<TaskDetail>(links), column.other<TaskDetail>('children', 'Children')];
  return tableFrame({ refId, kind: 'task', custom: { filter: { ids: [task.taskId] } } }, columns, [task]);
}

/** One row per event, in the order of attempts. */
export function timelineFrame(refId: string, { taskId, events }: Timeline, links: LinkTargets): DataFrame {
  return tableFrame<Timeline['events'][number]>(
    { refId, kind: 'timeline', custom: { taskId } },
    [
      column.time('timestampMs', 'Time', { width: 200 }),
      column.text('type', 'Event', { width: 130 }),
      column.text('worker', 'Worker', { links: workerLinks(links) }),
      column.number('attempt', 'Attempt', { width: 90 }),
      column.span('sinceMs', 'Since the first', { value: sinceFirst(events), width: 120 }),
      column.time('receivedMs', 'Heard by the agent', { hidden: true }),
      column.number('clock', 'Clock', { width: 100 }),
      { name: 'fields', title: 'As sent', type: FieldType.other },
    ],
    events,
  );
}

/** Not since the one before: the next attempt may be received before the retry of this one is told. */
function sinceFirst(events: Timeline['events']) {
  const first = Math.min(...events.map(({ timestampMs }) => timestampMs));
  return ({ timestampMs }: Timeline['events'][number]) => timestampMs - first;
}
