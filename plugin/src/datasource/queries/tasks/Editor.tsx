import { t } from '@grafana/i18n';
import { InlineField, InlineFieldRow, InlineSwitch, RadioButtonGroup, Combobox } from '@grafana/ui';
import React, { useId } from 'react';
import type { TaskSortKey } from '../../../shared/api';
import { CountField, LABEL_WIDTH } from '../../editor/fields';
import { FilterFields } from '../../editor/FilterFields';
import type { EditorProps } from '../editor';
import { MOST_ROWS, PAGE } from './request';

export function TasksEditor({ query, onChange, choices }: EditorProps<'tasks'>) {
  const sorts: Array<{ value: TaskSortKey; label: string }> = [
    { value: 'timestamp', label: t('editor.sort.timestamp', 'Last event') },
    { value: 'received', label: t('editor.sort.received', 'Received') },
    { value: 'started', label: t('editor.sort.started', 'Started') },
    { value: 'runtime', label: t('editor.sort.runtime', 'Runtime') },
    { value: 'name', label: t('editor.sort.name', 'Name') },
    { value: 'state', label: t('editor.sort.state', 'State') },
    { value: 'worker', label: t('editor.sort.worker', 'Worker') },
  ];
  return (
    <>
      <FilterFields filter={query.filter} onChange={(filter) => onChange({ ...query, filter })} choices={choices} />
      <InlineFieldRow>
        <InlineField label={t('editor.sort-by', 'Sort by')} labelWidth={LABEL_WIDTH}>
          <Combobox
            id={useId()}
            width={20}
            options={sorts}
            value={query.sort ?? 'timestamp'}
            onChange={({ value }) => onChange({ ...query, sort: value })}
          />
        </InlineField>
        <InlineField label={t('editor.order', 'Order')}>
          <RadioButtonGroup
            aria-label={t('editor.order', 'Order')}
            options={[
              { value: 'desc' as const, label: t('editor.descending', 'Descending') },
              { value: 'asc' as const, label: t('editor.ascending', 'Ascending') },
            ]}
            value={query.order ?? 'desc'}
            onChange={(order) => onChange({ ...query, order })}
          />
        </InlineField>
        <CountField
          label={t('editor.limit', 'Limit')}
          tooltip={t('editor.tasks-limit', 'Rows, up to 10,000')}
          most={MOST_ROWS}
          usual={PAGE}
          value={query.limit}
          onChange={(limit) => onChange({ ...query, limit })}
        />
        <InlineField
          label={t('editor.live', 'Live')}
          tooltip={t('editor.live-tooltip', 'Rows change as things happen, while the time range ends now')}
        >
          <InlineSwitch
            aria-label={t('editor.live', 'Live')}
            value={query.live ?? false}
            onChange={(event) => onChange({ ...query, live: event.currentTarget.checked })}
          />
        </InlineField>
      </InlineFieldRow>
    </>
  );
}
