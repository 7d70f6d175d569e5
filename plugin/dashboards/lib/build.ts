import type * as cog from '@grafana/grafana-foundation-sdk/cog';
import {
  AnnotationQueryBuilder,
  DashboardBuilder,
  DashboardCursorSync,
  RowBuilder,
  type Dashboard,
  type Panel,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DASHBOARD_UIDS } from '../../src/shared/ids';
import { dashboardsMenu, TAG } from './links';
import { CELERY } from './sources';
import type { Variable } from './variables';

export interface Section {
  readonly row?: string;
  /** Closed until opened: its panels ask for nothing before */
  readonly collapsed?: boolean;
  readonly panels: ReadonlyArray<cog.Builder<Panel>>;
}

export interface Page {
  readonly key: keyof typeof DASHBOARD_UIDS;
  readonly title: string;
  readonly description: string;
  readonly variables: readonly Variable[];
  readonly sections: readonly Section[];
  readonly from?: string;
  readonly refresh?: string;
}

/** Marks of what happened, in every time series panel; gaps first, since they explain the rest. */
const ANNOTATIONS = [
  ['Gaps', 'gaps', 'orange', true],
  ['Workers', 'workers', 'blue', true],
  ['Failure bursts', 'failures', 'red', true],
  ['Actions', 'actions', 'purple', false],
] as const;

function annotation(name: string, show: string, color: string, enable: boolean) {
  const target = { refId: 'Anno', kind: 'annotations', show };
  return new AnnotationQueryBuilder()
    .name(name)
    .datasource(CELERY)
    .enable(enable)
    .hide(false)
    .iconColor(color)
    .target({ build: () => target as never });
}

export function dashboard(page: Page): Dashboard {
  const builder = new DashboardBuilder(page.title)
    .uid(DASHBOARD_UIDS[page.key])
    .description(page.description)
    .tags([TAG])
    .editable()
    .tooltip(DashboardCursorSync.Crosshair)
    .time({ from: page.from ?? 'now-1h', to: 'now' })
    .refresh(page.refresh ?? '30s')
    .timezone('browser')
    .variables([...page.variables])
    .annotations(ANNOTATIONS.map(([name, show, color, enable]) => annotation(name, show, color, enable)))
    .link(dashboardsMenu());
  for (const { row, collapsed = false, panels } of page.sections) {
    if (row !== undefined) {
      const header = new RowBuilder(row).collapsed(collapsed);
      if (collapsed) {
        panels.forEach((panel) => header.withPanel(panel));
      }
      builder.withRow(header);
    }
    if (!collapsed) {
      panels.forEach((panel) => builder.withPanel(panel));
    }
  }
  return numbered(builder.build());
}

/** Panel ids in the order of the page: links to a panel and diffs of the JSON stay what they are. */
function numbered(built: Dashboard): Dashboard {
  let id = 0;
  for (const panel of built.panels ?? []) {
    panel.id = ++id;
    for (const inner of 'panels' in panel ? panel.panels : []) {
      inner.id = ++id;
    }
  }
  return built;
}
