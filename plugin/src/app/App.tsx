import type { AppRootProps } from '@grafana/data';
import { PluginPage } from '@grafana/runtime';
import React from 'react';

/** The page of the app: what the cluster looks like now, and where to go on. */
export function App(_props: AppRootProps) {
  return <PluginPage>{null}</PluginPage>;
}
