import { PanelPlugin, type PanelProps } from '@grafana/data';
import { initPluginTranslations, t } from '@grafana/i18n';
import { suggestFor } from '../../shared/frames/suggest';
import { lazily } from '../../shared/ui/lazily';
import { DEFAULT_OPTIONS, type FailuresPanelOptions, migrateOptions, sortOptions } from './options';
import pluginJson from './plugin.json';

await initPluginTranslations(pluginJson.id);

const Panel = lazily<PanelProps<FailuresPanelOptions>>(() =>
  import('./FailuresPanel').then(({ FailuresPanel }) => FailuresPanel),
);

export const plugin = new PanelPlugin<FailuresPanelOptions>(Panel)
  .setPanelOptions((builder) =>
    builder.addRadio({
      path: 'sortBy',
      name: t('failures.sort', 'Sort by'),
      defaultValue: DEFAULT_OPTIONS.sortBy,
      settings: { options: sortOptions() },
    }),
  )
  .setMigrationHandler((panel) => migrateOptions(panel.options))
  .setSuggestionsSupplier(suggestFor('failures', t('failures.suggestion', 'Celery failures')));
