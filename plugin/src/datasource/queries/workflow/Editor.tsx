import { t } from '@grafana/i18n';
import { InlineField, InlineFieldRow, RadioButtonGroup } from '@grafana/ui';
import React from 'react';
import { TextField, LABEL_WIDTH } from '../../editor/fields';
import type { EditorProps } from '../editor';

export function WorkflowEditor({ query, onChange }: EditorProps<'workflow'>) {
  return (
    <InlineFieldRow>
      <TextField
        label={t('editor.task-id', 'Task ID')}
        tooltip={t('editor.workflow-task', 'Of any task of the workflow')}
        width={50}
        value={query.taskId}
        onChange={(taskId) => onChange({ ...query, taskId })}
      />
      <InlineField label={t('editor.show', 'Show')} labelWidth={LABEL_WIDTH}>
        <RadioButtonGroup
          aria-label={t('editor.show', 'Show')}
          options={[
            { value: 'table' as const, label: t('editor.table', 'Table') },
            { value: 'graph' as const, label: t('editor.graph', 'Node graph') },
            { value: 'trace' as const, label: t('editor.trace', 'Trace') },
          ]}
          value={query.show ?? 'table'}
          onChange={(show) => onChange({ ...query, show })}
        />
      </InlineField>
    </InlineFieldRow>
  );
}
