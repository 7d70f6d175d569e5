import { FieldColorModeId, FieldConfigProperty, PanelPlugin, type PanelProps, ThresholdsMode } from '@grafana/data';
import { initPluginTranslations, t } from '@grafana/i18n';
import { suggestFor } from '../../shared/frames/suggest';
import { lazily } from '../../shared/ui/lazily';
import { migrateOptions } from './migrations';
import pluginJson from './plugin.json';
import { DEFAULT_OPTIONS, type QueuesOptions } from './types';

await initPluginTranslations(pluginJson.id);

const Panel = lazily<PanelProps<QueuesOptions>>(() => import('./QueuesPanel').then(({ QueuesPanel }) => QueuesPanel));

export const plugin = new PanelPlugin<QueuesOptions>(Panel)
  .useFieldConfig({
    standardOptions: {
      [FieldConfigProperty.Color]: { defaultValue: { mode: FieldColorModeId.Thresholds } },
      [FieldConfigProperty.Thresholds]: {
        defaultValue: {
          mode: ThresholdsMode.Absolute,
          steps: [
            { value: -Infinity, color: 'green' },
            { value: 100, color: 'orange' },
            { value: 1000, color: 'red' },
          ],
        },
      },
    },
  })
  .setPanelOptions((builder) =>
    builder
      .addSelect({
        path: 'sortBy',
        name: t('queues.option.sort', 'Sort by'),
        defaultValue: DEFAULT_OPTIONS.sortBy,
        settings: {
          options: [
            { value: 'messages', label: t('queues.column.messages', 'Waiting') },
            { value: 'oldestMs', label: t('queues.column.oldest', 'Oldest') },
            { value: 'name', label: t('queues.column.name', 'Queue') },
            { value: 'unacked', label: t('queues.column.unacked', 'Unacked') },
            { value: 'consumers', label: t('queues.column.consumers', 'Consumers') },
            { value: 'publishRate', label: t('queues.column.in', 'In /s') },
            { value: 'deliverRate', label: t('queues.column.out', 'Out /s') },
          ],
        },
      })
      .addBooleanSwitch({
        path: 'descending',
        name: t('queues.option.descending', 'Most first'),
        defaultValue: DEFAULT_OPTIONS.descending,
      })
      .addBooleanSwitch({
        path: 'hideEmpty',
        name: t('queues.option.hide-empty', 'Hide empty queues'),
        defaultValue: DEFAULT_OPTIONS.hideEmpty,
      })
      .addBooleanSwitch({
        path: 'workers',
        name: t('queues.option.workers', 'Workers that consume it'),
        defaultValue: DEFAULT_OPTIONS.workers,
      }),
  )
  .setMigrationHandler((panel) => migrateOptions(panel.options))
  .setNoPadding()
  .setSuggestionsSupplier(suggestFor('queues', t('queues.suggestion', 'Celery queues')));
