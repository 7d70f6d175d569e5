/** Ids of the plugins in this package; Grafana, dashboards and saved queries know them by these. */
export const APP_ID = 'umbel-celery-app';
export const DATASOURCE_ID = 'umbel-celery-datasource';
export const PANEL_IDS = {
  tasks: 'umbel-celerytasks-panel',
  workers: 'umbel-celeryworkers-panel',
  queues: 'umbel-celeryqueues-panel',
  workflow: 'umbel-celeryworkflow-panel',
  failures: 'umbel-celeryfailures-panel',
} as const;

/** Uids of the dashboards that the app carries. */
export const DASHBOARD_UIDS = {
  overview: 'umbel-overview',
  tasks: 'umbel-tasks',
  task: 'umbel-task',
  workers: 'umbel-workers',
  worker: 'umbel-worker',
  queues: 'umbel-queues',
  failures: 'umbel-failures',
  history: 'umbel-history',
  workflow: 'umbel-workflow',
  agent: 'umbel-agent',
} as const;

/** Variables of those dashboards: what a link to one of them sets, as `var-<name>=…`. */
export const DASHBOARD_VARIABLES = {
  datasource: 'datasource',
  prometheus: 'prometheus',
  /** Ad hoc filters for Prometheus */
  metricFilters: 'metrics',
  /** Task name, several; `queue`, `worker` and `state` likewise */
  task: 'task',
  queue: 'queue',
  worker: 'worker',
  state: 'state',
  /** A group of failures: dashboard Tasks */
  fingerprint: 'fingerprint',
  /** One task: dashboards Task and Workflow */
  taskId: 'task_id',
} as const;
