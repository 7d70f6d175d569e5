import { t } from '@grafana/i18n';
import { InlineField, InlineFieldRow, MultiCombobox } from '@grafana/ui';
import React, { useId } from 'react';
import { CountField, ListField, TextField, LABEL_WIDTH } from '../../editor/fields';
import type { EditorProps } from '../editor';

export function AuditEditor({ query, onChange }: EditorProps<'audit'>) {
  const outcomes = [
    { value: 'ok', label: t('editor.outcome.ok', 'Done') },
    { value: 'failed', label: t('editor.outcome.failed', 'Failed') },
    { value: 'refused', label: t('editor.outcome.refused', 'Refused') },
  ];
  return (
    <InlineFieldRow>
      <TextField
        label={t('editor.user', 'User')}
        value={query.user}
        onChange={(user) => onChange({ ...query, user })}
      />
      <ListField
        label={t('editor.actions', 'Actions')}
        placeholder="task.revoke"
        value={query.actions}
        onChange={(actions) => onChange({ ...query, actions })}
      />
      <InlineField label={t('editor.outcomes', 'Outcomes')} labelWidth={LABEL_WIDTH}>
        <MultiCombobox
          id={useId()}
          width="auto"
          minWidth={20}
          placeholder={t('editor.any', 'Any')}
          options={outcomes}
          value={query.outcomes ?? []}
          onChange={(chosen) => onChange({ ...query, outcomes: chosen.map(({ value }) => value) })}
        />
      </InlineField>
      <TextField
        label={t('editor.target', 'Target')}
        tooltip={t('editor.target-tooltip', 'Part of a task id, a worker or a name')}
        value={query.target}
        onChange={(target) => onChange({ ...query, target })}
      />
      <CountField
        label={t('editor.limit', 'Limit')}
        most={10_000}
        usual={1000}
        value={query.limit}
        onChange={(limit) => onChange({ ...query, limit })}
      />
    </InlineFieldRow>
  );
}
