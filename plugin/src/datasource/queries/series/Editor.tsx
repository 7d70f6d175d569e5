import { t } from '@grafana/i18n';
import { InlineField, InlineFieldRow, MultiCombobox } from '@grafana/ui';
import React, { useId } from 'react';
import { CountField, TextField, LABEL_WIDTH } from '../../editor/fields';
import { FilterFields } from '../../editor/FilterFields';
import type { SeriesQuery } from '../../query';
import type { EditorProps } from '../editor';

type Columns = NonNullable<SeriesQuery['columns']>;
type Dimensions = NonNullable<SeriesQuery['by']>;

export function SeriesEditor({ query, onChange, choices }: EditorProps<'series'>) {
  const columns: Array<{ value: Columns[number]; label: string }> = [
    { value: 'count', label: t('editor.column.count', 'Count') },
    { value: 'rate', label: t('editor.column.rate', 'Rate') },
    { value: 'p50', label: t('editor.column.p50', 'Runtime, median') },
    { value: 'p95', label: t('editor.column.p95', 'Runtime, 95th percentile') },
    { value: 'p99', label: t('editor.column.p99', 'Runtime, 99th percentile') },
  ];
  const dimensions: Array<{ value: Dimensions[number]; label: string }> = [
    { value: 'name', label: t('editor.by.name', 'Task name') },
    { value: 'state', label: t('editor.by.state', 'State') },
    { value: 'worker', label: t('editor.by.worker', 'Worker') },
    { value: 'queue', label: t('editor.by.queue', 'Queue') },
  ];
  return (
    <>
      <InlineFieldRow>
        <InlineField label={t('editor.columns', 'Values')} labelWidth={LABEL_WIDTH}>
          <MultiCombobox
            id={useId()}
            width="auto"
            minWidth={30}
            maxWidth={60}
            options={columns}
            value={query.columns ?? ['count']}
            onChange={(chosen) => onChange({ ...query, columns: chosen.map(({ value }) => value) })}
          />
        </InlineField>
        <InlineField label={t('editor.by-label', 'By')} labelWidth={LABEL_WIDTH}>
          <MultiCombobox
            id={useId()}
            width="auto"
            minWidth={30}
            maxWidth={60}
            placeholder={t('editor.total', 'One total')}
            options={dimensions}
            value={query.by ?? []}
            onChange={(chosen) => onChange({ ...query, by: chosen.map(({ value }) => value) })}
          />
        </InlineField>
      </InlineFieldRow>
      <FilterFields
        dimensionsOnly
        filter={query.filter}
        onChange={(filter) => onChange({ ...query, filter })}
        choices={choices}
      />
      <InlineFieldRow>
        <TextField
          label={t('editor.step', 'Step')}
          tooltip={t('editor.step-tooltip', 'Whole minutes; by the width of the panel when empty')}
          placeholder="5m"
          width={12}
          value={query.step}
          onChange={(step) => onChange({ ...query, step })}
        />
        <TextField
          label={t('editor.legend', 'Legend')}
          tooltip={t('editor.legend-tooltip', 'Names of labels in double braces, as in Prometheus')}
          placeholder="{{name}}"
          value={query.legend}
          onChange={(legend) => onChange({ ...query, legend })}
        />
        <CountField
          label={t('editor.series-limit', 'Series at most')}
          most={999}
          usual={50}
          value={query.limit}
          onChange={(limit) => onChange({ ...query, limit })}
        />
      </InlineFieldRow>
    </>
  );
}
