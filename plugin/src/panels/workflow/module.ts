import { PanelPlugin } from '@grafana/data';
import { WorkflowPanel } from './WorkflowPanel';

export const plugin = new PanelPlugin(WorkflowPanel);
