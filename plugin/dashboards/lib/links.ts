import { DashboardLinkBuilder, DashboardLinkType } from '@grafana/grafana-foundation-sdk/dashboard';
import { DASHBOARD_UIDS, DASHBOARD_VARIABLES } from '../../src/shared/ids';

export const TAG = 'celery';

type DashboardName = keyof typeof DASHBOARD_UIDS;
type VariableName = keyof typeof DASHBOARD_VARIABLES;
export interface DataLink {
  readonly title: string;
  readonly url: string;
}

/** Menu of all our dashboards, with the time range and the variables of the one that is open. */
export const dashboardsMenu = () =>
  new DashboardLinkBuilder('Celery dashboards')
    .type(DashboardLinkType.Dashboards)
    .tags([TAG])
    .asDropdown(true)
    .includeVars(true)
    .keepTime(true);

/**
 * A data link to another dashboard that keeps the time range.
 *
 * @param set variables and what they get, e.g. `{ taskId: '${__value.raw}' }`
 * @param keep variables that go along as they are
 */
export function drillDown(
  title: string,
  to: DashboardName,
  set: Partial<Record<VariableName, string>> = {},
  keep: readonly VariableName[] = [],
): DataLink {
  const kept: VariableName[] = ['datasource', ...keep];
  const parts = [
    '${__url_time_range}',
    ...kept.map((name) => `\${${DASHBOARD_VARIABLES[name]}:queryparam}`),
    ...Object.entries(set).map(
      ([name, value]) => `var-${DASHBOARD_VARIABLES[name as VariableName]}=${value.replace(/\}$/, ':percentencode}')}`,
    ),
  ];
  return { title, url: `/d/${DASHBOARD_UIDS[to]}?${parts.join('&')}` };
}
