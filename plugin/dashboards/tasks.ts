import { BY_VARIABLES, WITH_STATE } from './filters';
import { dashboard } from './lib/build';
import { ours, STATE_COLOURS, timeseries } from './lib/panels';
import { celery } from './lib/sources';
import { datasource, fingerprint, queue, state, task, worker } from './lib/variables';

const WITH_GROUP = { fingerprint: '$fingerprint' } as const;
const graph = { width: 12, height: 7 } as const;

export const tasks = dashboard({
  key: 'tasks',
  title: 'Celery / Tasks',
  description: 'Search, follow and act on tasks.',
  variables: [datasource, task, state, queue, worker, fingerprint],
  sections: [
    {
      panels: [
        timeseries({
          ...graph,
          title: 'Events by state',
          description: 'How many tasks came into each state.',
          empty: 'No task in this time range',
          unit: 'short',
          bars: true,
          stacked: true,
          targets: [
            celery({ kind: 'series', columns: ['count'], by: ['state'], filter: { ...WITH_STATE, ...WITH_GROUP } }),
          ],
          overrides: STATE_COLOURS,
        }),
        timeseries({
          ...graph,
          title: 'Runtime',
          description: 'Percentiles of the runtimes of succeeded tasks.',
          empty: 'No task succeeded in this time range',
          unit: 'ms',
          targets: [
            celery({ kind: 'series', columns: ['p50', 'p95', 'p99'], filter: { ...BY_VARIABLES, ...WITH_GROUP } }),
          ],
        }),
        ours('tasks', {
          title: 'Tasks',
          description: 'Newest first, kept current while the time range ends now. A row opens its details.',
          empty: 'No task matches',
          width: 24,
          height: 22,
          targets: [celery({ kind: 'tasks', filter: { ...WITH_STATE, ...WITH_GROUP }, live: true })],
        }),
      ],
    },
  ],
});
