import { t } from '@grafana/i18n';
import { InlineField, InlineFieldRow, InlineSwitch } from '@grafana/ui';
import React from 'react';
import { ListField } from '../../editor/fields';
import type { EditorProps } from '../editor';

export function WorkersEditor({ query, onChange, choices }: EditorProps<'workers'>) {
  return (
    <InlineFieldRow>
      <ListField
        label={t('editor.workers', 'Workers')}
        placeholder={t('editor.all', 'All')}
        kind="workers"
        {...{ choices, value: query.workers, onChange: (workers) => onChange({ ...query, workers }) }}
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
  );
}
