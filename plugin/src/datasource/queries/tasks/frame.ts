import type { DataFrame } from '@grafana/data';
import type { Task, TaskFilter } from '../../../shared/api';
import { STATE_MAPPINGS } from '../../../shared/frames/states';
import { type Column, column, tableFrame, truncated } from '../../../shared/frames/table';
import type { TasksQuery } from '../../query';
import { type LinkTargets, nameLinks, queueLinks, taskLinks, workerLinks } from '../../../shared/links';

const hidden = true;

/** How long a task has been running; null of one that does not run. */
function runningMs({ state, startedMs }: Task, nowMs: number): number | null {
  return state === 'STARTED' && startedMs !== null ? Math.max(nowMs - startedMs, 0) : null;
}

/** Every member of a task; what the built-in table does not show is there for links and own panels. */
export function taskColumns<Row extends Task>(links: LinkTargets): Array<Column<Row>> {
  return [
    column.time('timestampMs', 'Last event', { width: 180 }),
    column.text('state', 'State', { mappings: STATE_MAPPINGS, width: 110 }),
    column.text('name', 'Name', { links: nameLinks(links) }),
    column.text('taskId', 'Task ID', { links: taskLinks(links), width: 320 }),
    column.text('worker', 'Worker', { links: workerLinks(links) }),
    column.text('queue', 'Queue', { links: queueLinks(links), width: 120 }),
    column.span('runtimeMs', 'Runtime', { width: 100 }),
    column.number('retries', 'Retries', { width: 80, decimals: 0 }),
    column.text('args', 'Arguments'),
    column.text('kwargs', 'Keyword arguments'),
    column.text('result', 'Result'),
    column.text('exception', 'Exception'),
    column.time('receivedMs', 'Received', { width: 180 }),
    column.time('startedMs', 'Started', { width: 180 }),
    column.time('sentMs', 'Sent', { hidden }),
    column.time('succeededMs', 'Succeeded', { hidden }),
    column.time('failedMs', 'Failed', { hidden }),
    column.time('retriedMs', 'Retried', { hidden }),
    column.time('revokedMs', 'Revoked', { hidden }),
    column.time('rejectedMs', 'Rejected', { hidden }),
    column.text('exceptionType', 'Exception type', { hidden }),
    column.text('traceback', 'Traceback', { hidden }),
    column.text('client', 'Client', { hidden }),
    column.text('exchange', 'Exchange', { hidden }),
    column.text('routingKey', 'Routing key', { hidden }),
    column.text('rootId', 'Root ID', { hidden, links: taskLinks(links) }),
    column.text('parentId', 'Parent ID', { hidden, links: taskLinks(links) }),
    column.text('traceId', 'Trace ID', { hidden }),
    column.text('eta', 'ETA', { hidden }),
    column.text('expires', 'Expires', { hidden }),
    column.number('clock', 'Clock', { hidden }),
    column.number('pid', 'Process', { hidden }),
    column.other('oddities', 'Oddities', { hidden }),
    column.text('orphaned', 'Orphaned', { hidden }),
    column.text('retriedAs', 'Sent again as', { hidden, links: taskLinks(links) }),
    column.text('healed', 'Healed from', { hidden }),
    column.time('markedMs', 'Found out', { hidden }),
  ];
}

export interface TasksAnswer {
  readonly tasks: readonly Task[];
  readonly filter: TaskFilter;
  /** Of the page after the last row; null when there is none, undefined while pages are still on their way */
  readonly nextCursor: string | null | undefined;
  readonly total?: number;
  readonly totalExact?: boolean;
  readonly live?: string;
}

/** One row per task. @param nowMs when the rows are shown: until then those that run have been running */
export function tasksFrame(
  refId: string,
  answer: TasksAnswer,
  links: LinkTargets,
  nowMs: number,
  { sort, order }: Pick<TasksQuery, 'sort' | 'order'> = {},
): DataFrame {
  const { tasks, filter, nextCursor, total, totalExact, live } = answer;
  const custom = { filter, nextCursor: nextCursor ?? null, total, totalExact, live, sort, order };
  const notices = typeof nextCursor === 'string' ? [truncated(shownText(answer))] : [];
  const running = column.span<Task>('runningMs', 'Running for', {
    width: 110,
    value: (task) => runningMs(task, nowMs),
  });
  return tableFrame({ refId, kind: 'tasks', custom, notices }, [...taskColumns<Task>(links), running], tasks);
}

function shownText({ tasks, total, totalExact }: TasksAnswer): string {
  const all = total === undefined ? 'more' : `${totalExact === false ? 'more than ' : ''}${total.toLocaleString('en')}`;
  const some = `Shows ${tasks.length.toLocaleString('en')} tasks; ${all} match.`;
  return `${some} Narrow the filter or the time range, or raise the limit (up to 10,000).`;
}
