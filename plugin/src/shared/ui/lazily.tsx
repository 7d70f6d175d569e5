import { LoadingPlaceholder } from '@grafana/ui';
import React, { lazy, Suspense } from 'react';

/**
 * A component whose code is loaded when it is first shown. Grafana loads the module of each plugin for its settings
 * alone, too; and what panels share is loaded once for all of them.
 */
export function lazily<Props extends object>(
  load: () => Promise<React.ComponentType<Props>>,
): React.FunctionComponent<Props> {
  const Lazy = lazy(async () => {
    const Component = await load();
    return { default: ({ props }: { readonly props: Props }) => <Component {...props} /> };
  });
  return function Loaded(props: Props) {
    return (
      <Suspense fallback={<LoadingPlaceholder text="" />}>
        <Lazy props={props} />
      </Suspense>
    );
  };
}
