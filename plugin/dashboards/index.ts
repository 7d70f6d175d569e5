import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { agent } from './agent';
import { failures } from './failures';
import { history } from './history';
import { overview } from './overview';
import { queues } from './queues';
import { task } from './task';
import { tasks } from './tasks';
import { worker } from './worker';
import { workers } from './workers';
import { workflow } from './workflow';

/** Name of the JSON file → dashboard, in the order of Grafana's menu. */
export const DASHBOARDS: Readonly<Record<string, Dashboard>> = {
  overview,
  tasks,
  task,
  workers,
  worker,
  queues,
  failures,
  history,
  workflow,
  agent,
};
