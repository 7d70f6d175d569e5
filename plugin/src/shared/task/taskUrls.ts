import { locationUtil, type TimeRange } from '@grafana/data';
import type { CeleryDataSource } from '../../datasource/datasource';
import type { Task } from '../api';
import { boardUrl, instantText } from '../boardUrl';
import { DASHBOARD_VARIABLES } from '../ids';

export interface TaskUrls {
  readonly task: string;
  readonly workflow: string;
  readonly worker: string | undefined;
  readonly metrics: string | undefined;
  readonly logs: string | undefined;
  readonly trace: string | undefined;
}

/** Around a task's life, so that a log or a trace is found though its clock is a little off. */
const MARGIN_MS = 60_000;

/**
 * Where a task leads: dashboards keep the time range and the variables that are set; Explore shows the time in which the
 * task lived. Undefined: no data source is set for it, or the task does not tell enough.
 */
export function taskUrls(
  source: CeleryDataSource,
  task: Partial<Task> & Pick<Task, 'taskId'>,
  range: TimeRange,
): TaskUrls {
  const { taskId, rootId, name, worker, traceId } = task;
  const { lokiUid, tempoUid } = source.options;
  const board = (which: Parameters<typeof boardUrl>[1], variable: string, value: string | null | undefined) =>
    value === null || value === undefined ? undefined : boardUrl(source.uid, which, { [variable]: value }, range.raw);
  const life = lifeOf(task, range);
  return {
    task: board('task', DASHBOARD_VARIABLES.taskId, taskId) ?? '',
    workflow: board('workflow', DASHBOARD_VARIABLES.taskId, rootId ?? taskId) ?? '',
    worker: board('worker', DASHBOARD_VARIABLES.worker, worker),
    metrics: board('history', DASHBOARD_VARIABLES.task, name),
    logs:
      lokiUid === undefined
        ? undefined
        : exploreUrl(lokiUid, { expr: `{service_name=~".+"} |= \`${taskId}\``, queryType: 'range' }, life),
    trace:
      tempoUid === undefined || (traceId ?? '') === ''
        ? undefined
        : exploreUrl(tempoUid, { query: traceId, queryType: 'traceql' }, life),
  };
}

function lifeOf(task: Partial<Task>, range: TimeRange): { from: string; to: string } {
  const instants = [task.sentMs, task.receivedMs, task.startedMs, task.timestampMs].filter(
    (ms): ms is number => typeof ms === 'number',
  );
  if (instants.length === 0) {
    return { from: instantText(range.raw.from), to: instantText(range.raw.to) };
  }
  return {
    from: String(Math.floor(Math.min(...instants) - MARGIN_MS)),
    to: String(Math.ceil(Math.max(...instants) + MARGIN_MS)),
  };
}

function exploreUrl(uid: string, query: object, range: { from: string; to: string }): string {
  const pane = { datasource: uid, queries: [{ refId: 'A', datasource: { uid }, ...query }], range };
  const search = new URLSearchParams({ schemaVersion: '1', panes: JSON.stringify({ task: pane }) });
  return locationUtil.assureBaseUrl(`/explore?${search.toString()}`);
}
