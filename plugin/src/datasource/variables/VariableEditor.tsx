import type { QueryEditorProps } from '@grafana/data';
import { t } from '@grafana/i18n';
import { Combobox, InlineField } from '@grafana/ui';
import React, { useId } from 'react';
import { LABEL_WIDTH } from '../editor/fields';
import type { CeleryDataSource } from '../datasource';
import type { CeleryOptions } from '../options';
import type { CeleryQuery } from '../query';
import type { VariableKind, VariableQuery } from './query';

type Props = QueryEditorProps<CeleryDataSource, CeleryQuery, CeleryOptions, VariableQuery>;

/** What the variable offers; narrow it with the variable's regular expression. */
export function VariableEditor({ query, onChange }: Props) {
  const options: Array<{ value: VariableKind; label: string }> = [
    { value: 'tasks', label: t('variable.tasks', 'Task names') },
    { value: 'workers', label: t('variable.workers', 'Workers') },
    { value: 'queues', label: t('variable.queues', 'Queues') },
    { value: 'states', label: t('variable.states', 'States') },
    { value: 'exceptions', label: t('variable.exceptions', 'Exception types of the last 7 days') },
    { value: 'recent', label: t('variable.recent', 'Ids of the latest tasks') },
  ];
  return (
    <InlineField label={t('variable.list', 'List')} labelWidth={LABEL_WIDTH}>
      <Combobox
        id={useId()}
        width={40}
        options={options}
        value={query.kind ?? 'tasks'}
        onChange={({ value }) => onChange({ ...query, refId: query.refId ?? 'variable', kind: value })}
      />
    </InlineField>
  );
}
