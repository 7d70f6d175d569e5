import { PanelPlugin, type PanelProps } from '@grafana/data';
import { initPluginTranslations, t } from '@grafana/i18n';
import { suggestFor } from '../../shared/frames/suggest';
import { lazily } from '../../shared/ui/lazily';
import { migrateOptions } from './migrations';
import pluginJson from './plugin.json';
import { DEFAULT_OPTIONS, type WorkflowOptions } from './types';

await initPluginTranslations(pluginJson.id);

const Panel = lazily<PanelProps<WorkflowOptions>>(() =>
  import('./WorkflowPanel').then(({ WorkflowPanel }) => WorkflowPanel),
);

export const plugin = new PanelPlugin<WorkflowOptions>(Panel)
  .setPanelOptions((builder) =>
    builder
      .addRadio({
        path: 'view',
        name: t('workflow.option.view', 'First view'),
        defaultValue: DEFAULT_OPTIONS.view,
        settings: {
          options: [
            { value: 'graph', label: t('workflow.view.graph', 'Graph') },
            { value: 'gantt', label: t('workflow.view.gantt', 'Gantt') },
          ],
        },
      })
      .addNumberInput({
        path: 'collapseFrom',
        name: t('workflow.option.collapse', 'Collapse equal tasks from'),
        description: t('workflow.option.collapse-help', 'So many alike become one box, "×120"; 0 for never'),
        defaultValue: DEFAULT_OPTIONS.collapseFrom,
        settings: { min: 0, integer: true },
      })
      .addBooleanSwitch({
        path: 'legend',
        name: t('workflow.option.legend', 'Legend'),
        defaultValue: DEFAULT_OPTIONS.legend,
      }),
  )
  .setMigrationHandler((panel) => migrateOptions(panel.options))
  .setNoPadding()
  .setSuggestionsSupplier(suggestFor('workflow', t('workflow.suggestion', 'Celery workflow')));
