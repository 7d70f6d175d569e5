import {
  type PluginExtensionAddedLinkConfig,
  PluginExtensionPoints,
  type PluginExtensionPanelContext,
  type PluginExtensionResourceAttributesContext,
} from '@grafana/data';
import { APP_ID, DATASOURCE_ID } from '../shared/ids';
import { dashboardPath } from './dashboards';

/** Attributes that hold a task's id: Celery's OpenTelemetry instrumentation, our own export, and log fields. */
const ATTRIBUTES = ['celery.task_id', 'messaging.message.id', 'messaging.message_id', 'celery_task_id', 'task_id'];

/** Titles, descriptions and places are repeated in plugin.json: Grafana decides by that list whom to load where. */
export const openTask: PluginExtensionAddedLinkConfig<PluginExtensionResourceAttributesContext> = {
  title: 'Open Celery task',
  description: 'The task behind this span or log line',
  icon: 'external-link-alt',
  targets: [PluginExtensionPoints.TraceViewResourceAttributes, PluginExtensionPoints.LogsViewResourceAttributes],
  // Grafana asks for a path or a handler before it asks configure().
  path: dashboardPath('task'),
  configure: (context) => {
    const taskId = taskIdOf(context);
    if (context === undefined || taskId === undefined) {
      return undefined;
    }
    const { datasource } = context;
    const variables = datasource.type === DATASOURCE_ID ? { taskId, datasource: datasource.uid } : { taskId };
    return { path: dashboardPath('task', variables, rangeOf(context)) };
  },
};

export const openOverview: PluginExtensionAddedLinkConfig<PluginExtensionPanelContext> = {
  title: 'Celery overview',
  description: 'Health of the Celery cluster over the same time range',
  icon: 'apps',
  targets: [PluginExtensionPoints.DashboardPanelMenu],
  path: dashboardPath('overview'),
  configure: (context) => {
    const uid = context?.targets.find(({ datasource }) => datasource?.type === DATASOURCE_ID)?.datasource?.uid;
    if (context === undefined || uid === undefined) {
      return undefined;
    }
    const { from, to } = context.timeRange;
    return { path: dashboardPath('overview', { datasource: uid }, { from: text(from), to: text(to) }) };
  },
};

export const findTask: PluginExtensionAddedLinkConfig<{}> = {
  title: 'Celery: find a task',
  description: 'Open a Celery task by its id',
  icon: 'search',
  targets: [PluginExtensionPoints.CommandPalette],
  path: `/a/${APP_ID}`,
};

function taskIdOf(context: PluginExtensionResourceAttributesContext | undefined): string | undefined {
  for (const name of ATTRIBUTES) {
    const value = context?.spanAttributes?.[name]?.[0] ?? context?.attributes[name]?.[0];
    if (value !== undefined && /^[\w-]{8,}$/.test(value)) {
      return value;
    }
  }
  return undefined;
}

/** A day around the span or line: a task may have waited long before, and be retried after. */
const AROUND_MS = 12 * 3_600_000;

function rangeOf({ timeRange: { from, to } }: PluginExtensionResourceAttributesContext) {
  return { from: String(Math.round(from - AROUND_MS)), to: String(Math.round(to + AROUND_MS)) };
}

const text = (time: { valueOf(): number } | string): string =>
  typeof time === 'string' ? time : String(time.valueOf());
