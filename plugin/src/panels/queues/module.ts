import { PanelPlugin } from '@grafana/data';
import { QueuesPanel } from './QueuesPanel';

export const plugin = new PanelPlugin(QueuesPanel);
