import { PanelPlugin, type PanelProps } from '@grafana/data';
import { initPluginTranslations, t } from '@grafana/i18n';
import { suggestFor } from '../../shared/frames/suggest';
import { lazily } from '../../shared/ui/lazily';
import { ColumnsEditor } from './ColumnsEditor';
import { migrateOptions } from './migrations';
import { DEFAULT_OPTIONS, type TasksPanelOptions } from './options';
import pluginJson from './plugin.json';

await initPluginTranslations(pluginJson.id);

const Panel = lazily<PanelProps<TasksPanelOptions>>(() => import('./TasksPanel').then(({ TasksPanel }) => TasksPanel));

export const plugin = new PanelPlugin<TasksPanelOptions>(Panel)
  .setPanelOptions((builder) =>
    builder
      .addBooleanSwitch({
        path: 'showToolbar',
        name: t('tasks.option.toolbar', 'Toolbar'),
        description: t('tasks.option.toolbar-help', 'Search, states, export and columns above the table'),
        defaultValue: DEFAULT_OPTIONS.showToolbar,
      })
      .addCustomEditor({
        id: 'columns',
        path: 'columns',
        name: t('tasks.columns', 'Columns'),
        defaultValue: DEFAULT_OPTIONS.columns,
        editor: ColumnsEditor,
      }),
  )
  .setMigrationHandler((panel) => migrateOptions(panel.options))
  .setSuggestionsSupplier(suggestFor('tasks', t('tasks.suggestion', 'Celery tasks')));
