import { AppPlugin, type AppPluginMeta, type AppRootProps, type PluginConfigPageProps } from '@grafana/data';
import { initPluginTranslations, t } from '@grafana/i18n';
import { findTask, openOverview, openTask } from './app/links';
import { APP_ID } from './shared/ids';
import { lazily } from './shared/ui/lazily';

await initPluginTranslations(APP_ID);

const App = lazily<AppRootProps>(() => import('./app/App').then(({ App }) => App));
const SetUp = lazily<PluginConfigPageProps<AppPluginMeta>>(() =>
  import('./app/Configuration').then(({ Configuration }) => Configuration),
);

export const plugin = new AppPlugin<{}>()
  .setRootPage(App)
  .addConfigPage({ title: t('app.config.title', 'Set-up'), icon: 'cog', id: 'set-up', body: SetUp })
  .addLink(openTask)
  .addLink(openOverview)
  .addLink(findTask);
