import { PanelPlugin, type PanelProps } from '@grafana/data';
import { initPluginTranslations, t } from '@grafana/i18n';
import { suggestFor } from '../../shared/frames/suggest';
import { lazily } from '../../shared/ui/lazily';
import { migrateOptions } from './migrations';
import pluginJson from './plugin.json';
import { DEFAULT_OPTIONS, type WorkersOptions } from './types';

await initPluginTranslations(pluginJson.id);

const Panel = lazily<PanelProps<WorkersOptions>>(() =>
  import('./WorkersPanel').then(({ WorkersPanel }) => WorkersPanel),
);

export const plugin = new PanelPlugin<WorkersOptions>(Panel)
  .setPanelOptions((builder) =>
    builder
      .addSelect({
        path: 'sortBy',
        name: t('workers.option.sort', 'Sort by'),
        defaultValue: DEFAULT_OPTIONS.sortBy,
        settings: {
          options: [
            { value: 'hostname', label: t('workers.column.name', 'Worker') },
            { value: 'status', label: t('workers.column.status', 'Status') },
            { value: 'active', label: t('workers.column.active', 'Active') },
            { value: 'processed', label: t('workers.column.processed', 'Processed') },
            { value: 'rate', label: t('workers.column.rate', 'Tasks /s') },
            { value: 'load', label: t('workers.column.load', 'Load') },
            { value: 'maxRssBytes', label: t('workers.column.memory', 'Memory') },
            { value: 'cpuSeconds', label: t('workers.column.cpu', 'CPU') },
          ],
        },
      })
      .addBooleanSwitch({
        path: 'descending',
        name: t('workers.option.descending', 'Most first'),
        defaultValue: DEFAULT_OPTIONS.descending,
      })
      .addNumberInput({
        path: 'hideOfflineAfterMinutes',
        name: t('workers.option.hide-offline', 'Hide offline after'),
        description: t('workers.option.hide-offline-help', 'Minutes without a heartbeat; 0 shows all that were seen'),
        defaultValue: DEFAULT_OPTIONS.hideOfflineAfterMinutes,
        settings: { min: 0 },
      })
      .addBooleanSwitch({
        path: 'actions',
        name: t('workers.option.actions', 'Actions'),
        description: t('workers.option.actions-help', 'Selection and the menus of commands'),
        defaultValue: DEFAULT_OPTIONS.actions,
      }),
  )
  .setMigrationHandler((panel) => migrateOptions(panel.options))
  .setNoPadding()
  .setSuggestionsSupplier(suggestFor('workers', t('workers.suggestion', 'Celery workers')));
