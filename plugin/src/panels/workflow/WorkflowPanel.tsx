import type { PanelProps } from '@grafana/data';
import { PanelDataErrorView } from '@grafana/runtime';
import React from 'react';

export function WorkflowPanel({ id, data }: PanelProps) {
  return <PanelDataErrorView panelId={id} data={data} />;
}
