import { PanelPlugin } from '@grafana/data';
import { initPluginTranslations, t } from '@grafana/i18n';
import { suggestFor } from '../../shared/frames/suggest';
import { FailuresPanel, sortOptions } from './FailuresPanel';
import { DEFAULT_OPTIONS, type FailuresPanelOptions, migrateOptions } from './options';
import pluginJson from './plugin.json';

await initPluginTranslations(pluginJson.id);

export const plugin = new PanelPlugin<FailuresPanelOptions>(FailuresPanel)
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
