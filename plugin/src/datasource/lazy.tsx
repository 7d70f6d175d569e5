import { LoadingPlaceholder } from '@grafana/ui';
import React, { type FunctionComponent, lazy, Suspense } from 'react';

/** Editors are loaded when one is opened: a dashboard that is only looked at needs none. */
function onDemand<Props extends object>(load: () => Promise<FunctionComponent<Props>>): FunctionComponent<Props> {
  // React types what a lazy component takes more strictly than what it hands on.
  const Loaded = lazy(async () => ({ default: await load() })) as unknown as FunctionComponent<Props>;
  return function OnDemand(props) {
    return (
      <Suspense fallback={<LoadingPlaceholder text="" />}>
        <Loaded {...props} />
      </Suspense>
    );
  };
}

export const QueryEditor = onDemand(async () => (await import('./editor/QueryEditor')).QueryEditor);
export const QueryHelp = onDemand(async () => (await import('./editor/QueryHelp')).QueryHelp);
export const ConfigEditor = onDemand(async () => (await import('./config/ConfigEditor')).ConfigEditor);
export const VariableEditor = onDemand(async () => (await import('./variables/VariableEditor')).VariableEditor);
export const AnnotationEditor = onDemand(async () => (await import('./annotations/AnnotationEditor')).AnnotationEditor);
