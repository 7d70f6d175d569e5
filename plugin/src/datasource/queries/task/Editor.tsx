import { t } from '@grafana/i18n';
import { InlineField, InlineFieldRow, RadioButtonGroup } from '@grafana/ui';
import React from 'react';
import { TextField, LABEL_WIDTH } from '../../editor/fields';
import type { EditorProps } from '../editor';

export function TaskEditor({ query, onChange }: EditorProps<'task'>) {
  return (
    <InlineFieldRow>
      <TextField
        label={t('editor.task-id', 'Task ID')}
        width={50}
        value={query.taskId}
        onChange={(taskId) => onChange({ ...query, taskId })}
      />
      <InlineField label={t('editor.show', 'Show')} labelWidth={LABEL_WIDTH}>
        <RadioButtonGroup
          aria-label={t('editor.show', 'Show')}
          options={[
            { value: 'detail' as const, label: t('editor.detail', 'Detail') },
            { value: 'timeline' as const, label: t('editor.timeline', 'Timeline') },
          ]}
          value={query.show ?? 'detail'}
          onChange={(show) => onChange({ ...query, show })}
        />
      </InlineField>
    </InlineFieldRow>
  );
}
