import { dashboard } from './lib/build';
import { drillDown } from './lib/links';
import { logs, ours, stat, table, traces } from './lib/panels';
import { celery } from './lib/sources';
import { datasource, taskId } from './lib/variables';

const detail = () => celery({ kind: 'task', taskId: '$task_id', show: 'detail' });
/** Narrower ones have no room for their titles at 800 px. */
const tile = { width: 8, height: 3, empty: '–' } as const;

export const task = dashboard({
  key: 'task',
  title: 'Celery / Task',
  description: 'One task: what it was, where it ran, what it waited for, and what came of it.',
  from: 'now-6h',
  variables: [datasource, taskId],
  sections: [
    {
      panels: [
        stat({
          ...tile,
          title: 'State',
          description: 'State after the last event.',
          unit: 'none',
          thresholds: [[0, 'text']],
          fields: '/^State$/',
          targets: [detail()],
        }),
        stat({
          ...tile,
          title: 'Task',
          description: 'Name of the task.',
          unit: 'none',
          fields: '/^Name$/',
          targets: [detail()],
          width: 16,
        }),
        stat({
          ...tile,
          title: 'Runtime',
          description: 'How long the last attempt ran.',
          unit: 'ms',
          fields: '/^Runtime$/',
          targets: [detail()],
        }),
        stat({
          ...tile,
          title: 'Retries',
          description: 'Retries so far.',
          unit: 'none',
          fields: '/^Retries$/',
          targets: [detail()],
        }),
        stat({
          ...tile,
          title: 'Worker',
          description: 'Worker that sent the last event.',
          unit: 'none',
          fields: '/^Worker$/',
          targets: [detail()],
          links: [drillDown('Worker', 'worker', { worker: '${__data.fields.worker}' })],
        }),
        ours('tasks', {
          title: 'Task and actions',
          description: 'The task as a row: it opens arguments, result, traceback, and what can be done.',
          empty: 'No task has this ID',
          width: 24,
          height: 5,
          targets: [detail()],
        }),
        table({
          title: 'Timeline',
          description: 'Every event of the task in the order of its attempts, with the time since the first.',
          empty: 'No event of this task is kept',
          width: 12,
          height: 10,
          targets: [celery({ kind: 'task', taskId: '$task_id', show: 'timeline' })],
        }),
        logs({
          title: 'Events',
          description: 'The same events as log lines, with all their fields.',
          empty: 'No event of this task in this time range',
          width: 12,
          height: 10,
          targets: [celery({ kind: 'events', taskId: '$task_id' })],
        }),
        traces({
          title: 'Trace of the workflow',
          description: 'The task among those of its workflow: waiting and running.',
          empty: 'No task has this ID',
          width: 24,
          height: 14,
          targets: [celery({ kind: 'workflow', taskId: '$task_id', show: 'trace' })],
        }),
      ],
    },
  ],
});
