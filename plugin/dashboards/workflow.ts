import { dashboard } from './lib/build';
import { nodeGraph, ours, traces } from './lib/panels';
import { celery } from './lib/sources';
import { datasource, taskId } from './lib/variables';

const show = (what: 'table' | 'graph' | 'trace') => celery({ kind: 'workflow', taskId: '$task_id', show: what });

export const workflow = dashboard({
  key: 'workflow',
  title: 'Celery / Workflow',
  description: 'Chains, groups and chords: who called whom, what waited for what, and where the time went.',
  from: 'now-6h',
  variables: [datasource, taskId],
  sections: [
    {
      panels: [
        ours('workflow', {
          title: 'Workflow',
          description: 'Every task of the workflow over time, the critical path marked.',
          empty: 'No task has this ID',
          width: 24,
          height: 14,
          targets: [show('table')],
        }),
        nodeGraph({
          title: 'Who called whom',
          description: 'Tasks as nodes, from the root on.',
          empty: 'No task has this ID',
          width: 12,
          height: 14,
          targets: [show('graph')],
        }),
        traces({
          title: 'As a trace',
          description: 'Waiting and running of every task, as spans.',
          empty: 'No task has this ID',
          width: 12,
          height: 14,
          targets: [show('trace')],
        }),
        ours('tasks', {
          title: 'Tasks of the workflow',
          description: 'Each opens its arguments, result and traceback.',
          empty: 'No task has this ID',
          width: 24,
          height: 10,
          targets: [show('table')],
        }),
      ],
    },
  ],
});
