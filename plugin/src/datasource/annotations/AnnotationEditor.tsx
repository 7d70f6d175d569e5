import type { QueryEditorProps } from '@grafana/data';
import { t } from '@grafana/i18n';
import { InlineField, RadioButtonGroup } from '@grafana/ui';
import React from 'react';
import { LABEL_WIDTH } from '../editor/fields';
import type { CeleryDataSource } from '../datasource';
import type { CeleryOptions } from '../options';
import type { AnnotationsQuery, CeleryQuery } from '../query';

type Show = NonNullable<AnnotationsQuery['show']>;

/** What to mark on a dashboard. */
export function AnnotationEditor({
  query,
  onChange,
  onRunQuery,
}: QueryEditorProps<CeleryDataSource, CeleryQuery, CeleryOptions>) {
  const options: Array<{ value: Show; label: string; description: string }> = [
    {
      value: 'workers',
      label: t('annotations.workers', 'Workers'),
      description: t('annotations.workers-text', 'Workers that came online or went offline'),
    },
    {
      value: 'failures',
      label: t('annotations.failures', 'Bursts of failures'),
      description: t('annotations.failures-text', 'Times in which far more tasks failed than in the rest of the range'),
    },
    {
      value: 'gaps',
      label: t('annotations.gaps', 'Gaps'),
      description: t('annotations.gaps-text', 'Times in which events could not be heard'),
    },
    {
      value: 'actions',
      label: t('annotations.actions', 'Actions of users'),
      description: t('annotations.actions-text', 'From the audit; shown to admins alone'),
    },
  ];
  const show = query.kind === 'annotations' ? (query.show ?? 'workers') : 'workers';
  return (
    <InlineField label={t('annotations.show', 'Show')} labelWidth={LABEL_WIDTH}>
      <RadioButtonGroup
        aria-label={t('annotations.show', 'Show')}
        options={options}
        value={show}
        onChange={(value) => {
          onChange({ ...query, kind: 'annotations', show: value } as CeleryQuery);
          onRunQuery();
        }}
      />
    </InlineField>
  );
}
