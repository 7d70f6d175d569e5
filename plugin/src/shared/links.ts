import type { DataLink } from '@grafana/data';
import { DASHBOARD_UIDS, DASHBOARD_VARIABLES } from './ids';

/** What links need to know: which data source the frames come from, and those that it is tied to. */
export interface LinkTargets {
  /** Uid of the data source that made the frame */
  readonly uid: string;
  readonly prometheus?: NamedSource;
  readonly loki?: NamedSource;
  readonly tempo?: NamedSource;
}

export interface NamedSource {
  readonly uid: string;
  readonly name: string;
}

type Board = keyof typeof DASHBOARD_UIDS;

/** A link to a dashboard of the app, with the time range and the data source kept. */
export function dashboardLink(
  targets: LinkTargets,
  board: Board,
  title: string,
  variable: string,
  value: string,
): DataLink {
  return { title, url: dashboardUrl(targets.uid, board, { [variable]: value }, '${__url_time_range}') };
}

export type Variables = Readonly<Record<string, string | readonly string[]>>;

/**
 * Path of a dashboard of the app.
 *
 * @param variables values, or lists of them; Grafana's own macros (`${__value.raw}`) are kept as they are
 * @param range `from=…&to=…`, or the macro for it
 */
export function dashboardUrl(uid: string, board: Board, variables: Variables = {}, range?: string): string {
  const search = Object.entries({ [DASHBOARD_VARIABLES.datasource]: uid, ...variables })
    .flatMap(([name, values]) => [values].flat().map((value) => [name, value] as const))
    .map(([name, value]) => `var-${name}=${value.startsWith('${') ? value : encodeURIComponent(value)}`);
  return `/d/${DASHBOARD_UIDS[board]}?${[...search, ...(range === undefined ? [] : [range])].join('&')}`;
}

/** On a field with a task's id. `traceId` must be a field of the same frame. */
export function taskLinks(targets: LinkTargets): DataLink[] {
  const { loki, tempo } = targets;
  return [
    dashboardLink(targets, 'task', 'Task', DASHBOARD_VARIABLES.taskId, '${__value.raw:percentencode}'),
    ...(loki === undefined
      ? []
      : [internal('Logs', loki, { expr: '{service_name=~".+"} |= `${__value.raw}`', queryType: 'range' })]),
    ...(tempo === undefined
      ? []
      : [internal('Trace', tempo, { query: '${__data.fields["traceId"]}', queryType: 'traceql' })]),
  ];
}

/** On a field with a task's name. */
export function nameLinks(targets: LinkTargets): DataLink[] {
  const { prometheus } = targets;
  const expr = 'sum by (type) (rate(flower_events_total{task="${__value.raw}"}[$__rate_interval]))';
  return [
    dashboardLink(targets, 'tasks', 'Tasks of this name', DASHBOARD_VARIABLES.task, '${__value.raw:percentencode}'),
    ...(prometheus === undefined ? [] : [internal('Metrics', prometheus, { expr, range: true })]),
  ];
}

/** On a field with a worker's node name. */
export function workerLinks(targets: LinkTargets): DataLink[] {
  const { prometheus } = targets;
  const expr = 'sum by (type) (rate(flower_events_total{worker="${__value.raw}"}[$__rate_interval]))';
  return [
    dashboardLink(targets, 'worker', 'Worker', DASHBOARD_VARIABLES.worker, '${__value.raw:percentencode}'),
    ...(prometheus === undefined ? [] : [internal('Metrics', prometheus, { expr, range: true })]),
  ];
}

/** On a field with a queue's name. */
export function queueLinks(targets: LinkTargets): DataLink[] {
  return [dashboardLink(targets, 'queues', 'Queue', DASHBOARD_VARIABLES.queue, '${__value.raw:percentencode}')];
}

function internal(title: string, source: NamedSource, query: object): DataLink {
  return {
    title,
    url: '',
    internal: { datasourceUid: source.uid, datasourceName: source.name, query: { refId: 'A', ...query } },
  };
}
