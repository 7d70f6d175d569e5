import type { WorkerQuery } from '../src/datasource/query';
import { dashboard } from './lib/build';
import { drillDown } from './lib/links';
import { ours, STATE_COLOURS, table, timeseries } from './lib/panels';
import { celery } from './lib/sources';
import { datasource, oneWorker } from './lib/variables';

const ask = (show: NonNullable<WorkerQuery['show']>) => celery({ kind: 'worker', hostname: '$worker', show });
const list = { width: 12, height: 8 } as const;
const toTask = [
  { field: '/^(id|taskId)$/', set: { links: [drillDown('Task', 'task', { taskId: '${__value.raw}' })] } },
];

export const worker = dashboard({
  key: 'worker',
  title: 'Celery / Worker',
  description: 'One worker: what it runs, what waits at it, how it is set up. Lists are asked of the worker itself.',
  refresh: '1m',
  variables: [datasource, oneWorker],
  sections: [
    {
      panels: [
        ours('workers', {
          title: 'Worker',
          description: 'State, pool, load, memory, queues, and orders.',
          empty: 'No such worker was seen',
          width: 24,
          height: 5,
          targets: [celery({ kind: 'workers', workers: ['$worker'], live: true })],
        }),
        timeseries({
          ...list,
          title: 'Events by state',
          description: 'How many tasks came into each state at this worker.',
          empty: 'The worker did nothing in this time range',
          unit: 'short',
          bars: true,
          stacked: true,
          targets: [celery({ kind: 'series', columns: ['count'], by: ['state'], filter: { workers: ['$worker'] } })],
          overrides: STATE_COLOURS,
        }),
        timeseries({
          ...list,
          title: 'Runtime, 95th percentile, by task',
          description: 'Of the runs that succeeded at this worker.',
          empty: 'No task succeeded at this worker in this time range',
          unit: 'ms',
          targets: [
            celery({ kind: 'series', columns: ['p95'], by: ['name'], filter: { workers: ['$worker'] }, limit: 10 }),
          ],
        }),
      ],
    },
    {
      row: 'At the worker now',
      panels: [
        table({
          ...list,
          title: 'Active',
          description: 'Tasks it runs.',
          empty: 'It runs nothing, or does not answer',
          targets: [ask('active')],
          overrides: toTask,
        }),
        table({
          ...list,
          title: 'Reserved',
          description: 'Tasks it took from the broker and has not started.',
          empty: 'Nothing waits at it, or it does not answer',
          targets: [ask('reserved')],
          overrides: toTask,
        }),
        table({
          ...list,
          title: 'Scheduled',
          description: 'Tasks it holds until they are due: an eta, a countdown, a retry.',
          empty: 'Nothing is scheduled at it, or it does not answer',
          targets: [ask('scheduled')],
          overrides: toTask,
        }),
        table({
          ...list,
          title: 'Queues',
          description: 'Queues it consumes.',
          empty: 'It consumes no queue, or does not answer',
          targets: [ask('queues')],
        }),
        ours('tasks', {
          title: 'Its latest tasks',
          description: 'Tasks whose last event came from this worker.',
          empty: 'It has done nothing in this time range',
          width: 24,
          height: 11,
          targets: [celery({ kind: 'tasks', filter: { workers: ['$worker'] }, live: true })],
        }),
      ],
    },
    {
      row: 'How it is set up',
      panels: [
        table({
          ...list,
          title: 'Statistics',
          description: 'Pool, broker connection, resource use, totals.',
          empty: 'It does not answer',
          targets: [ask('stats')],
        }),
        table({
          ...list,
          title: 'Registered tasks',
          description: 'Tasks it can run, with their rate limits.',
          empty: 'It does not answer',
          targets: [ask('registered')],
        }),
        table({
          ...list,
          title: 'Configuration',
          description: 'Settings that are not the default. Celery hides passwords, and so does the agent.',
          empty: 'It does not answer',
          targets: [ask('conf')],
        }),
        table({
          ...list,
          title: 'Events of the worker',
          description: 'When it came online and went away.',
          empty: 'Nothing in this time range',
          targets: [ask('events')],
        }),
      ],
    },
  ],
});
