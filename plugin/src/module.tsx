import { AppPlugin, type AppPluginMeta, type AppRootProps, type PluginConfigPageProps } from '@grafana/data';
import { initPluginTranslations, t } from '@grafana/i18n';
import { LoadingPlaceholder } from '@grafana/ui';
import React, { lazy, Suspense } from 'react';
import { findTask, openOverview, openTask } from './app/links';
import { APP_ID } from './shared/ids';

await initPluginTranslations(APP_ID);

const LazyApp = lazy(() => import('./app/App').then(({ App }) => ({ default: App })));
const LazyConfiguration = lazy(() =>
  import('./app/Configuration').then(({ Configuration }) => ({ default: Configuration })),
);

const App = (props: AppRootProps) => (
  <Suspense fallback={<LoadingPlaceholder text="" />}>
    <LazyApp {...props} />
  </Suspense>
);

const SetUp = (props: PluginConfigPageProps<AppPluginMeta>) => (
  <Suspense fallback={<LoadingPlaceholder text="" />}>
    <LazyConfiguration {...props} />
  </Suspense>
);

export const plugin = new AppPlugin<{}>()
  .setRootPage(App)
  .addConfigPage({ title: t('app.config.title', 'Set-up'), icon: 'cog', id: 'set-up', body: SetUp })
  .addLink(openTask)
  .addLink(openOverview)
  .addLink(findTask);
