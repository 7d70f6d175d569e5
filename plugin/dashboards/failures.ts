import { BY_VARIABLES, inStates } from './filters';
import { dashboard } from './lib/build';
import { ours, timeseries } from './lib/panels';
import { celery } from './lib/sources';
import { datasource, queue, task, worker } from './lib/variables';

const graph = { width: 8, height: 7, coloursByName: true } as const;

export const failures = dashboard({
  key: 'failures',
  title: 'Celery / Failures',
  description: 'What fails, why, since when, and the tasks to look at or to send again.',
  from: 'now-6h',
  variables: [datasource, task, queue, worker],
  sections: [
    {
      panels: [
        timeseries({
          ...graph,
          title: 'Failed by task',
          description: 'Runs that ended in an exception, in each step.',
          empty: 'Nothing failed in this time range',
          unit: 'short',
          bars: true,
          stacked: true,
          targets: [
            celery({ kind: 'series', columns: ['count'], by: ['name'], filter: inStates('FAILURE'), limit: 15 }),
          ],
        }),
        timeseries({
          ...graph,
          title: 'Failed by worker',
          description: 'One worker alone: look at its machine. All of them: look at the code, or at what it calls.',
          empty: 'Nothing failed in this time range',
          unit: 'short',
          bars: true,
          stacked: true,
          targets: [
            celery({ kind: 'series', columns: ['count'], by: ['worker'], filter: inStates('FAILURE'), limit: 15 }),
          ],
        }),
        timeseries({
          ...graph,
          title: 'Retried by task',
          description: 'Attempts that will be tried again, in each step.',
          empty: 'Nothing was retried in this time range',
          unit: 'short',
          bars: true,
          stacked: true,
          targets: [celery({ kind: 'series', columns: ['count'], by: ['name'], filter: inStates('RETRY'), limit: 15 })],
        }),
        ours('failures', {
          title: 'Failures by cause',
          description: 'Exceptions grouped by type and message: how many, since when, and a traceback of one.',
          empty: 'Nothing failed in this time range',
          width: 24,
          height: 11,
          targets: [celery({ kind: 'failures', filter: BY_VARIABLES })],
        }),
        ours('tasks', {
          title: 'Failed tasks',
          description: 'The tasks behind the groups, newest first.',
          empty: 'Nothing failed in this time range',
          width: 24,
          height: 13,
          targets: [celery({ kind: 'tasks', filter: inStates('FAILURE'), live: true })],
        }),
      ],
    },
  ],
});
