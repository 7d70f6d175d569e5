import { t } from '@grafana/i18n';
import { Combobox, InlineField, InlineFieldRow } from '@grafana/ui';
import React, { useId } from 'react';
import { ChoiceField, LABEL_WIDTH } from '../../editor/fields';
import type { WorkerQuery } from '../../query';
import type { EditorProps } from '../editor';

type Show = NonNullable<WorkerQuery['show']>;

export function WorkerEditor({ query, onChange, choices }: EditorProps<'worker'>) {
  const views: Array<{ value: Show; label: string }> = [
    { value: 'detail', label: t('editor.worker.detail', 'Detail') },
    { value: 'events', label: t('editor.worker.events', 'Events') },
    { value: 'active', label: t('editor.worker.active', 'Active tasks') },
    { value: 'reserved', label: t('editor.worker.reserved', 'Reserved tasks') },
    { value: 'scheduled', label: t('editor.worker.scheduled', 'Scheduled tasks') },
    { value: 'registered', label: t('editor.worker.registered', 'Registered tasks') },
    { value: 'queues', label: t('editor.worker.queues', 'Queues') },
    { value: 'stats', label: t('editor.worker.stats', 'Statistics') },
    { value: 'conf', label: t('editor.worker.conf', 'Configuration') },
  ];
  return (
    <InlineFieldRow>
      <ChoiceField
        label={t('editor.worker-label', 'Worker')}
        kind="workers"
        {...{ choices, value: query.hostname, onChange: (hostname) => onChange({ ...query, hostname }) }}
      />
      <InlineField label={t('editor.show', 'Show')} labelWidth={LABEL_WIDTH}>
        <Combobox
          id={useId()}
          width={24}
          options={views}
          value={query.show ?? 'detail'}
          onChange={({ value }) => onChange({ ...query, show: value })}
        />
      </InlineField>
    </InlineFieldRow>
  );
}
