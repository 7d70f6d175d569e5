import { t } from '@grafana/i18n';
import { InlineFieldRow } from '@grafana/ui';
import React from 'react';
import { CountField, ListField, TextField } from '../../editor/fields';
import type { EventsQuery } from '../../query';
import type { EditorProps } from '../editor';

export function EventsEditor({ query, onChange, choices }: EditorProps<'events'>) {
  const set = (change: Partial<EventsQuery>) => onChange({ ...query, ...change });
  const { names, states, workers } = query.filter ?? {};
  const filter = (change: EventsQuery['filter']) => set({ filter: { ...query.filter, ...change } });
  return (
    <>
      <InlineFieldRow>
        <ListField
          label={t('editor.names', 'Task names')}
          tooltip={t('editor.names-tooltip', 'With * at an end for a pattern, e.g. app.*')}
          kind="names"
          {...{ choices, value: names, onChange: (value) => filter({ names: value }) }}
        />
        <ListField
          label={t('editor.states', 'States')}
          tooltip={t('editor.event-states', 'That the event leads to')}
          kind="states"
          {...{ choices, value: states, onChange: (value) => filter({ states: value }) }}
        />
      </InlineFieldRow>
      <InlineFieldRow>
        <ListField
          label={t('editor.workers', 'Workers')}
          kind="workers"
          {...{ choices, value: workers, onChange: (value) => filter({ workers: value }) }}
        />
        <ListField
          label={t('editor.types', 'Event types')}
          placeholder="task-failed"
          value={query.types}
          onChange={(types) => set({ types })}
        />
      </InlineFieldRow>
      <InlineFieldRow>
        <TextField label={t('editor.task-id', 'Task ID')} value={query.taskId} onChange={(taskId) => set({ taskId })} />
        <TextField
          label={t('editor.text', 'Text')}
          tooltip={t('editor.text-tooltip', 'Anywhere in the event, any case')}
          value={query.text}
          onChange={(text) => set({ text })}
        />
        <CountField
          label={t('editor.limit', 'Limit')}
          most={10_000}
          usual={1000}
          value={query.limit}
          onChange={(limit) => set({ limit })}
        />
      </InlineFieldRow>
    </>
  );
}
