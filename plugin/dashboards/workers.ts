import { BY_VARIABLES, inStates } from './filters';
import { dashboard } from './lib/build';
import { ours, timeseries } from './lib/panels';
import { celery } from './lib/sources';
import { datasource, queue, task, worker } from './lib/variables';

const graph = { width: 12, height: 8, coloursByName: true } as const;

export const workers = dashboard({
  key: 'workers',
  title: 'Celery / Workers',
  description: 'Which workers are there, what they do, and orders to them.',
  variables: [datasource, worker, task, queue],
  sections: [
    {
      panels: [
        ours('workers', {
          title: 'Workers',
          description: 'State, pool, load, memory, queues. Orders go to the workers that are chosen.',
          empty: 'No worker was seen',
          width: 24,
          height: 12,
          targets: [celery({ kind: 'workers', workers: ['$worker'], live: true })],
        }),
        timeseries({
          ...graph,
          title: 'Finished by worker',
          description: 'Runs that came to an end, a second.',
          empty: 'No task finished in this time range',
          unit: 'suffix:/s',
          targets: [celery({ kind: 'series', columns: ['rate'], by: ['worker'], filter: BY_VARIABLES, limit: 30 })],
        }),
        timeseries({
          ...graph,
          title: 'Failed by worker',
          description:
            'Runs that ended in an exception, in each step. One worker far above the others: look at its machine.',
          empty: 'Nothing failed in this time range',
          unit: 'short',
          bars: true,
          stacked: true,
          targets: [
            celery({ kind: 'series', columns: ['count'], by: ['worker'], filter: inStates('FAILURE'), limit: 30 }),
          ],
        }),
        timeseries({
          ...graph,
          title: 'Runtime, 95th percentile, by worker',
          description: 'Of succeeded runs. The same tasks slower on one worker: it is overloaded.',
          empty: 'No task succeeded in this time range',
          unit: 'ms',
          targets: [celery({ kind: 'series', columns: ['p95'], by: ['worker'], filter: BY_VARIABLES, limit: 30 })],
        }),
        timeseries({
          ...graph,
          title: 'Received by worker',
          description: 'Tasks taken from the broker, in each step.',
          empty: 'No task was received in this time range',
          unit: 'short',
          targets: [
            celery({ kind: 'series', columns: ['count'], by: ['worker'], filter: inStates('RECEIVED'), limit: 30 }),
          ],
        }),
      ],
    },
  ],
});
