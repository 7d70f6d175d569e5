import { t } from '@grafana/i18n';
import { DASHBOARD_UIDS, DASHBOARD_VARIABLES } from '../shared/ids';

type DashboardKey = keyof typeof DASHBOARD_UIDS;

/** Path of a dashboard of the app. @param variables by their key in `DASHBOARD_VARIABLES` */
export function dashboardPath(
  key: DashboardKey,
  variables: Partial<Record<keyof typeof DASHBOARD_VARIABLES, string>> = {},
  range: { readonly from: string; readonly to: string } | undefined = undefined,
): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(variables)) {
    params.set(`var-${DASHBOARD_VARIABLES[name as keyof typeof DASHBOARD_VARIABLES]}`, value);
  }
  if (range !== undefined) {
    params.set('from', range.from);
    params.set('to', range.to);
  }
  const query = params.toString();
  return `/d/${DASHBOARD_UIDS[key]}${query === '' ? '' : `?${query}`}`;
}

/** What stands on the page of the app; Task and Worker are reached from the others. */
export function dashboardList(): ReadonlyArray<{ key: DashboardKey; title: string; description: string }> {
  return [
    {
      key: 'overview',
      title: t('app.dashboards.overview', 'Overview'),
      description: t('app.dashboards.overview-says', 'Is it healthy, what fails, what is stuck, what is slow'),
    },
    {
      key: 'tasks',
      title: t('app.dashboards.tasks', 'Tasks'),
      description: t('app.dashboards.tasks-says', 'Search, follow and act on tasks'),
    },
    {
      key: 'failures',
      title: t('app.dashboards.failures', 'Failures'),
      description: t('app.dashboards.failures-says', 'Exceptions grouped by cause, since when, and retries'),
    },
    {
      key: 'workers',
      title: t('app.dashboards.workers', 'Workers'),
      description: t('app.dashboards.workers-says', 'Who is there, what they do, and orders to them'),
    },
    {
      key: 'queues',
      title: t('app.dashboards.queues', 'Queues'),
      description: t('app.dashboards.queues-says', 'What waits, for how long, and who takes it'),
    },
    {
      key: 'workflow',
      title: t('app.dashboards.workflow', 'Workflow'),
      description: t('app.dashboards.workflow-says', 'Chains, groups and chords with their critical path'),
    },
    {
      key: 'history',
      title: t('app.dashboards.history', 'History and performance'),
      description: t('app.dashboards.history-says', 'Throughput and runtimes over days and weeks'),
    },
    {
      key: 'agent',
      title: t('app.dashboards.agent', 'Agent'),
      description: t('app.dashboards.agent-says', 'How complete and how fresh the numbers are, and who did what'),
    },
  ];
}
