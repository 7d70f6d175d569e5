import { PanelPlugin } from '@grafana/data';
import { TasksPanel } from './TasksPanel';

export const plugin = new PanelPlugin(TasksPanel);
