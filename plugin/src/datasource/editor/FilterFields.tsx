import { t } from '@grafana/i18n';
import { Collapse, InlineField, InlineFieldRow, InlineSwitch } from '@grafana/ui';
import React, { useState } from 'react';
import type { Choices } from '../choices';
import type { TaskFilterFields } from '../query';
import { ListField, TextField } from './fields';

interface Props {
  readonly filter?: TaskFilterFields;
  readonly onChange: (filter: TaskFilterFields) => void;
  readonly choices: Choices;
  /** Roll-ups know name, state, worker and queue alone */
  readonly dimensionsOnly?: boolean;
}

/** Which tasks. */
export function FilterFields({ filter = {}, onChange, choices, dimensionsOnly = false }: Props) {
  const set = (change: Partial<TaskFilterFields>) => onChange({ ...filter, ...change });
  return (
    <>
      <InlineFieldRow>
        <ListField
          label={t('editor.names', 'Task names')}
          tooltip={t('editor.names-tooltip', 'With * at an end for a pattern, e.g. app.*')}
          kind="names"
          {...{ choices, value: filter.names, onChange: (names) => set({ names }) }}
        />
        <ListField
          label={t('editor.states', 'States')}
          kind="states"
          {...{ choices, value: filter.states, onChange: (states) => set({ states }) }}
        />
      </InlineFieldRow>
      <InlineFieldRow>
        <ListField
          label={t('editor.workers', 'Workers')}
          kind="workers"
          {...{ choices, value: filter.workers, onChange: (workers) => set({ workers }) }}
        />
        <ListField
          label={t('editor.queues', 'Queues')}
          kind="queues"
          {...{ choices, value: filter.queues, onChange: (queues) => set({ queues }) }}
        />
      </InlineFieldRow>
      {!dimensionsOnly && <MoreFields {...{ filter, set, choices }} />}
    </>
  );
}

function MoreFields({
  filter,
  set,
  choices,
}: {
  readonly filter: TaskFilterFields;
  readonly set: (change: Partial<TaskFilterFields>) => void;
  readonly choices: Choices;
}) {
  const { exceptionTypes = [], runtimeMin, runtimeMax, rootId, parentId, fingerprint, orphaned = false } = filter;
  const isUsed =
    exceptionTypes.length > 0 || [runtimeMin, runtimeMax, rootId, parentId, fingerprint, orphaned].some(Boolean);
  const [isOpen, setOpen] = useState(isUsed);
  return (
    <>
      <TextField
        label={t('editor.search', 'Search')}
        tooltip={t('editor.search-tooltip', 'As in Flower: any text, or state:FAILURE name:import args:"42"')}
        placeholder="state:FAILURE name:import"
        grow
        value={filter.search}
        onChange={(search) => set({ search })}
      />
      <Collapse label={t('editor.more', 'More filters')} isOpen={isOpen} onToggle={setOpen}>
        <InlineFieldRow>
          <ListField
            label={t('editor.exceptions', 'Exceptions')}
            kind="exceptionTypes"
            {...{ choices, value: exceptionTypes, onChange: (types) => set({ exceptionTypes: types }) }}
          />
          <TextField
            label={t('editor.fingerprint', 'Fingerprint')}
            tooltip={t('editor.fingerprint-tooltip', 'Of a group of failures')}
            value={fingerprint}
            onChange={(value) => set({ fingerprint: value })}
          />
        </InlineFieldRow>
        <InlineFieldRow>
          <TextField
            label={t('editor.runtime-min', 'Runtime at least')}
            placeholder="90s"
            value={runtimeMin}
            onChange={(value) => set({ runtimeMin: value })}
          />
          <TextField
            label={t('editor.runtime-max', 'Runtime at most')}
            placeholder="5m"
            value={runtimeMax}
            onChange={(value) => set({ runtimeMax: value })}
          />
        </InlineFieldRow>
        <InlineField
          label={t('editor.orphaned', 'Orphaned only')}
          tooltip={t('editor.orphaned-tooltip', 'Tasks that nobody works on any more: their worker is gone')}
        >
          <InlineSwitch
            label={t('editor.orphaned', 'Orphaned only')}
            value={orphaned}
            onChange={({ currentTarget }) => set({ orphaned: currentTarget.checked })}
          />
        </InlineField>
        <InlineFieldRow>
          <TextField label={t('editor.root', 'Root ID')} value={rootId} onChange={(value) => set({ rootId: value })} />
          <TextField
            label={t('editor.parent', 'Parent ID')}
            value={parentId}
            onChange={(value) => set({ parentId: value })}
          />
        </InlineFieldRow>
      </Collapse>
    </>
  );
}
