import { t } from '@grafana/i18n';
import React from 'react';
import { CountField } from '../../editor/fields';
import { FilterFields } from '../../editor/FilterFields';
import type { EditorProps } from '../editor';

export function FailuresEditor({ query, onChange, choices }: EditorProps<'failures'>) {
  return (
    <>
      <FilterFields filter={query.filter} onChange={(filter) => onChange({ ...query, filter })} choices={choices} />
      <CountField
        label={t('editor.groups', 'Groups at most')}
        most={999}
        usual={50}
        value={query.limit}
        onChange={(limit) => onChange({ ...query, limit })}
      />
    </>
  );
}
