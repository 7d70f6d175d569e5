import { PanelPlugin } from '@grafana/data';
import { WorkersPanel } from './WorkersPanel';

export const plugin = new PanelPlugin(WorkersPanel);
