import type * as cog from '@grafana/grafana-foundation-sdk/cog';
import {
  AdHocVariableBuilder,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  TextBoxVariableBuilder,
  VariableRefresh,
  type VariableModel,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DASHBOARD_VARIABLES, DATASOURCE_ID } from '../../src/shared/ids';
import { CELERY, PROMETHEUS } from './sources';

export type Variable = cog.Builder<VariableModel>;

/** What "All" stands for: the data source and Prometheus' `=~` both read it as no restriction. */
const ALL = '.*';

export const datasource: Variable = new DatasourceVariableBuilder(DASHBOARD_VARIABLES.datasource)
  .label('Celery')
  .description('The agent to read from')
  .type(DATASOURCE_ID);

export const prometheus: Variable = new DatasourceVariableBuilder(DASHBOARD_VARIABLES.prometheus)
  .label('Prometheus')
  .description('The Prometheus that scrapes the agent')
  .type('prometheus');

/** Narrows every PromQL query of the dashboard: where one Prometheus scrapes several brokers, their `cluster`. */
export const metricFilters: Variable = new AdHocVariableBuilder(DASHBOARD_VARIABLES.metricFilters)
  .label('Metrics')
  .description('Filters for the panels from Prometheus, e.g. cluster = main where it scrapes several brokers')
  .datasource(PROMETHEUS);

type ListKind = 'tasks' | 'workers' | 'queues' | 'states' | 'recent';

function list(name: string, label: string, description: string, kind: ListKind): QueryVariableBuilder {
  return new QueryVariableBuilder(name)
    .label(label)
    .description(description)
    .datasource(CELERY)
    .query({ refId: name, kind })
    .definition(kind)
    .allowCustomValue(true)
    .refresh(VariableRefresh.OnDashboardLoad);
}

function several(name: string, label: string, description: string, kind: ListKind): Variable {
  return list(name, label, description, kind)
    .multi(true)
    .includeAll(true)
    .allValue(ALL)
    .current({ selected: true, text: ['All'], value: ['$__all'] });
}

export const task = several(DASHBOARD_VARIABLES.task, 'Task', 'Names of tasks; `app.*` is a pattern', 'tasks');
export const queue = several(DASHBOARD_VARIABLES.queue, 'Queue', 'Queues the tasks were sent to', 'queues');
export const worker = several(DASHBOARD_VARIABLES.worker, 'Worker', 'Node names of workers', 'workers');
export const state = several(DASHBOARD_VARIABLES.state, 'State', 'States as Celery names them', 'states');

export const oneWorker: Variable = list(DASHBOARD_VARIABLES.worker, 'Worker', 'Node name of a worker', 'workers');
export const taskId: Variable = list(
  DASHBOARD_VARIABLES.taskId,
  'Task ID',
  'A task by its ID: paste one, or take one of the latest',
  'recent',
);

export const fingerprint: Variable = new TextBoxVariableBuilder(DASHBOARD_VARIABLES.fingerprint)
  .label('Failure group')
  .description('Fingerprint of a group of failures, as the Failures panel hands it over; narrows the table')
  .defaultValue('');
