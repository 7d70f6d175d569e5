import { PanelPlugin } from '@grafana/data';
import { FailuresPanel } from './FailuresPanel';

export const plugin = new PanelPlugin(FailuresPanel);
