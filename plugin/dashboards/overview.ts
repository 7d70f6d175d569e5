import { MappingType } from '@grafana/grafana-foundation-sdk/dashboard';
import { BY_VARIABLES, ENDED, inStates } from './filters';
import { dashboard, type Section } from './lib/build';
import { drillDown } from './lib/links';
import { barGauge, ours, stat, STATE_COLOURS, table, timeseries } from './lib/panels';
import { celery } from './lib/sources';
import { datasource, queue, task, worker } from './lib/variables';

const KEEP = ['task', 'queue', 'worker'] as const;
const tile = { width: 8, height: 3 } as const;

const health: Section = {
  row: 'Is it healthy?',
  panels: [
    stat({
      ...tile,
      title: 'Agent',
      description: 'Whether the agent hears the broker. When it does not, everything below stands still.',
      empty: 'no answer',
      unit: 'none',
      targets: [celery({ kind: 'status' })],
      fields: '/^Broker status$/',
      thresholds: [
        [0, 'red'],
        [1, 'green'],
      ],
      mappings: [
        {
          type: MappingType.ValueToText,
          options: {
            true: { text: 'connected', color: 'green', index: 0 },
            false: { text: 'broker away', color: 'red', index: 1 },
          },
        },
      ],
      links: [drillDown('How the agent stands', 'agent')],
    }),
    stat({
      ...tile,
      title: 'Workers',
      description: 'Workers that are online: they send heartbeats.',
      empty: '–',
      unit: 'none',
      calc: 'count',
      fields: '/^Worker$/',
      thresholds: [
        [0, 'red'],
        [1, 'green'],
      ],
      targets: [celery({ kind: 'workers', workers: ['$worker'], live: true })],
      transformations: [
        {
          id: 'filterByValue',
          options: {
            type: 'include',
            match: 'all',
            filters: [{ fieldName: 'Status', config: { id: 'equal', options: { value: true } } }],
          },
        },
      ],
      links: [drillDown('Workers', 'workers', {}, KEEP)],
    }),
    stat({
      ...tile,
      title: 'Success rate',
      description: 'Succeeded of those that succeeded or failed, in the time range. Retries count for neither.',
      empty: '–',
      unit: 'percentunit',
      decimals: 2,
      fields: '/^rate$/',
      thresholds: [
        [0, 'red'],
        [0.95, 'orange'],
        [0.99, 'green'],
      ],
      targets: [
        celery({ kind: 'series', columns: ['count'], filter: inStates('SUCCESS'), legend: 'succeeded' }, 'A'),
        celery({ kind: 'series', columns: ['count'], filter: inStates('SUCCESS', 'FAILURE'), legend: 'finished' }, 'B'),
      ],
      transformations: [
        { id: 'reduce', options: { reducers: ['sum'] } },
        { id: 'rowsToFields', options: {} },
        {
          id: 'calculateField',
          options: {
            mode: 'binary',
            alias: 'rate',
            replaceFields: true,
            binary: {
              left: { matcher: { id: 'byName', options: 'succeeded' } },
              operator: '/',
              right: { matcher: { id: 'byName', options: 'finished' } },
            },
          },
        },
      ],
      links: [drillDown('Failures', 'failures', {}, KEEP)],
    }),
    stat({
      ...tile,
      title: 'Failures',
      description: 'Runs that ended in an exception, in the time range.',
      empty: '–',
      unit: 'short',
      calc: 'sum',
      thresholds: [
        [0, 'green'],
        [1, 'orange'],
      ],
      targets: [celery({ kind: 'series', columns: ['count'], filter: inStates('FAILURE') })],
      links: [drillDown('Failures', 'failures', {}, KEEP)],
    }),
    stat({
      ...tile,
      title: 'Waiting',
      description: 'Messages ready in the queues, over all priorities.',
      empty: 'unknown',
      unit: 'short',
      calc: 'sum',
      fields: '/^Waiting$/',
      targets: [celery({ kind: 'queues', queues: ['$queue'] })],
      links: [drillDown('Queues', 'queues', {}, KEEP)],
    }),
    stat({
      ...tile,
      title: 'Longest run',
      description: 'For how long the task that began first among those that run has been running.',
      empty: '–',
      unit: 'ms',
      calc: 'max',
      fields: '/^Running for$/',
      targets: [celery({ kind: 'tasks', filter: inStates('STARTED'), sort: 'started', order: 'asc', limit: 100 })],
      links: [drillDown('Running tasks', 'tasks', {}, KEEP)],
    }),
  ],
};

const flow: Section = {
  panels: [
    timeseries({
      title: 'Finished by state',
      description: 'Runs that came to an end, by how they ended.',
      empty: 'No task finished in this time range',
      width: 12,
      height: 8,
      unit: 'short',
      bars: true,
      stacked: true,
      targets: [celery({ kind: 'series', columns: ['count'], by: ['state'], filter: ENDED })],
      overrides: STATE_COLOURS,
    }),
    timeseries({
      title: 'What came and what was done',
      description: 'Tasks received and tasks finished a second. Received above finished for long: work piles up.',
      empty: 'No task in this time range',
      width: 12,
      height: 8,
      unit: 'suffix:/s',
      targets: [celery({ kind: 'series', columns: ['rate'], by: ['state'], filter: inStates('RECEIVED', 'SUCCESS') })],
      overrides: STATE_COLOURS,
    }),
  ],
};

const failing: Section = {
  row: 'What is failing, and since when?',
  panels: [
    ours('failures', {
      title: 'Failures by cause',
      description: 'Exceptions grouped by type and message, with the first and the last time each was seen.',
      empty: 'Nothing failed in this time range',
      width: 24,
      height: 9,
      targets: [celery({ kind: 'failures', filter: BY_VARIABLES, limit: 50 })],
    }),
  ],
};

const stuck: Section = {
  row: 'What is stuck?',
  panels: [
    ours('queues', {
      title: 'Queues',
      description: 'Messages that wait, how old the oldest is, and who takes them.',
      empty: 'No queue is known',
      width: 12,
      height: 9,
      targets: [celery({ kind: 'queues', queues: ['$queue'] })],
    }),
    table({
      title: 'Running for the longest time',
      description: 'Tasks that were started and have not ended, the oldest first.',
      empty: 'Nothing runs',
      width: 12,
      height: 9,
      targets: [celery({ kind: 'tasks', filter: inStates('STARTED'), sort: 'started', order: 'asc', limit: 50 })],
      columns: ['name', 'taskId', 'worker', 'runningMs'],
      // The time last would be out of sight in a narrow window.
      transformations: [
        { id: 'organize', options: { indexByName: { Name: 0, 'Running for': 1, Worker: 2, 'Task ID': 3 } } },
      ],
      overrides: [
        {
          field: 'taskId',
          set: {
            'custom.width': 120,
            links: [drillDown('Task', 'task', { taskId: '${__value.raw}' }, KEEP)],
          },
        },
      ],
    }),
  ],
};

const slow: Section = {
  row: 'What is slow?',
  panels: [
    timeseries({
      title: 'Runtime, 95th percentile, by task',
      description: 'Of succeeded runs; the ten tasks that ran most often.',
      empty: 'No task succeeded in this time range',
      width: 14,
      height: 9,
      unit: 'ms',
      calcs: ['lastNotNull', 'max'],
      targets: [celery({ kind: 'series', columns: ['p95'], by: ['name'], filter: BY_VARIABLES, limit: 10 })],
    }),
    barGauge({
      title: 'Slowest tasks',
      description: 'The highest 95th percentile of the runtime in the time range, by task.',
      empty: 'No task succeeded in this time range',
      width: 10,
      height: 9,
      unit: 'ms',
      values: true,
      targets: [celery({ kind: 'series', columns: ['p95'], by: ['name'], filter: inStates('SUCCESS'), limit: 200 })],
      transformations: [
        { id: 'reduce', options: { reducers: ['max'], labelsToFields: false } },
        { id: 'sortBy', options: { sort: [{ field: 'Max', desc: true }] } },
        { id: 'limit', options: { limitField: 10 } },
      ],
    }),
  ],
};

const workers: Section = {
  row: 'Who works?',
  panels: [
    ours('workers', {
      title: 'Workers',
      description: 'State, pool, load and what each worker has done.',
      empty: 'No worker was seen',
      width: 24,
      height: 9,
      targets: [celery({ kind: 'workers', workers: ['$worker'], live: true })],
    }),
  ],
};

export const overview = dashboard({
  key: 'overview',
  title: 'Celery / Overview',
  description: 'Is it healthy, what is failing, what is stuck, what is slow, and since when.',
  variables: [datasource, task, queue, worker],
  sections: [health, flow, failing, stuck, slow, workers],
});
