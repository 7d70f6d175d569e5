import type { QueryEditorProps } from '@grafana/data';
import { t } from '@grafana/i18n';
import { Combobox, InlineField } from '@grafana/ui';
import React, { useId } from 'react';
import { LABEL_WIDTH } from './fields';
import type { CeleryDataSource } from '../datasource';
import { migrateQuery } from '../migrate';
import type { CeleryOptions } from '../options';
import { AuditEditor } from '../queries/audit/Editor';
import type { KindEditor } from '../queries/editor';
import { EventsEditor } from '../queries/events/Editor';
import { FailuresEditor } from '../queries/failures/Editor';
import { QueuesEditor } from '../queries/queues/Editor';
import { SeriesEditor } from '../queries/series/Editor';
import { TaskEditor } from '../queries/task/Editor';
import { TasksEditor } from '../queries/tasks/Editor';
import { WorkerEditor } from '../queries/worker/Editor';
import { WorkersEditor } from '../queries/workers/Editor';
import { WorkflowEditor } from '../queries/workflow/Editor';
import type { CeleryQuery, QueryKind } from '../query';

const EDITORS: { readonly [K in QueryKind]?: KindEditor<K> } = {
  tasks: TasksEditor,
  task: TaskEditor,
  series: SeriesEditor,
  failures: FailuresEditor,
  workers: WorkersEditor,
  worker: WorkerEditor,
  queues: QueuesEditor,
  workflow: WorkflowEditor,
  events: EventsEditor,
  audit: AuditEditor,
};

type Props = QueryEditorProps<CeleryDataSource, CeleryQuery, CeleryOptions>;

/** What to ask for, and the fields of that. A change runs the query. */
export function QueryEditor({ query: saved, onChange, onRunQuery, datasource }: Props) {
  const query = migrateQuery(saved);
  const change = (next: CeleryQuery) => {
    onChange(next);
    onRunQuery();
  };
  const Fields = EDITORS[query.kind] as KindEditor<QueryKind> | undefined;
  return (
    <>
      <InlineField label={t('editor.kind', 'Query')} labelWidth={LABEL_WIDTH}>
        <Combobox
          id={useId()}
          width={30}
          options={kindOptions()}
          value={query.kind}
          onChange={({ value }) => change(ofKind(value, query))}
        />
      </InlineField>
      {Fields !== undefined && <Fields query={query} onChange={change} choices={datasource.choices} />}
    </>
  );
}

/** What both kinds have is kept: the filter, a task's id. */
function ofKind(kind: QueryKind, { refId, datasource, hide, key, ...rest }: CeleryQuery): CeleryQuery {
  const { filter, taskId } = rest as { filter?: object; taskId?: string };
  const kept = { ...(filter === undefined ? {} : { filter }), ...(taskId === undefined ? {} : { taskId }) };
  return { ...kept, refId, datasource, hide, key, kind } as CeleryQuery;
}

function kindOptions(): Array<{ value: QueryKind; label: string; description: string }> {
  return [
    {
      value: 'tasks',
      label: t('kind.tasks', 'Tasks'),
      description: t('kind.tasks-text', 'A row per task'),
    },
    {
      value: 'task',
      label: t('kind.task', 'Task'),
      description: t('kind.task-text', 'All about one task, or its timeline'),
    },
    {
      value: 'series',
      label: t('kind.series', 'Time series'),
      description: t('kind.series-text', 'Counts, rates and runtimes over time'),
    },
    {
      value: 'failures',
      label: t('kind.failures', 'Failures'),
      description: t('kind.failures-text', 'Grouped by exception and message'),
    },
    {
      value: 'workers',
      label: t('kind.workers', 'Workers'),
      description: t('kind.workers-text', 'A row per worker'),
    },
    {
      value: 'worker',
      label: t('kind.worker', 'Worker'),
      description: t('kind.worker-text', 'One worker: its tasks, events, queues, settings'),
    },
    {
      value: 'queues',
      label: t('kind.queues', 'Queues'),
      description: t('kind.queues-text', 'Lengths, ages, consumers, rates'),
    },
    {
      value: 'workflow',
      label: t('kind.workflow', 'Workflow'),
      description: t('kind.workflow-text', 'Chains, groups and chords as table, graph or trace'),
    },
    {
      value: 'events',
      label: t('kind.events', 'Events'),
      description: t('kind.events-text', 'What workers told, as logs'),
    },
    {
      value: 'audit',
      label: t('kind.audit', 'Audit'),
      description: t('kind.audit-text', 'Who did what; for admins'),
    },
    {
      value: 'gaps',
      label: t('kind.gaps', 'Gaps'),
      description: t('kind.gaps-text', 'Times in which events could not be heard'),
    },
    {
      value: 'status',
      label: t('kind.status', 'Agent status'),
      description: t('kind.status-text', 'How the agent stands'),
    },
  ];
}
