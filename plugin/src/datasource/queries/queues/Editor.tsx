import { t } from '@grafana/i18n';
import React from 'react';
import { ListField } from '../../editor/fields';
import type { EditorProps } from '../editor';

export function QueuesEditor({ query, onChange, choices }: EditorProps<'queues'>) {
  return (
    <ListField
      label={t('editor.queues', 'Queues')}
      placeholder={t('editor.all', 'All')}
      kind="queues"
      {...{ choices, value: query.queues, onChange: (queues) => onChange({ ...query, queues }) }}
    />
  );
}
