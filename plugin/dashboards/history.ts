import { BY_VARIABLES, ENDED } from './filters';
import { dashboard } from './lib/build';
import { barGauge, heatmap, STATE_COLOURS, table, timeseries } from './lib/panels';
import { celery, prometheus } from './lib/sources';
import { datasource, metricFilters, prometheus as prometheusVariable, queue, task, worker } from './lib/variables';

const graph = { width: 12, height: 8 } as const;
const NO_METRICS = 'Prometheus has no metrics of the agent in this time range';
const IN_PROMETHEUS = 'task=~"$task", worker=~"$worker"';

export const history = dashboard({
  key: 'history',
  title: 'Celery / History and performance',
  description: 'Throughput and runtimes over days and weeks, and when the agent could not hear.',
  from: 'now-24h',
  refresh: '1m',
  variables: [datasource, prometheusVariable, metricFilters, task, queue, worker],
  sections: [
    {
      row: 'From the history',
      panels: [
        timeseries({
          ...graph,
          title: 'Finished by state',
          description: 'Runs that came to an end, in each step.',
          empty: 'No task finished in this time range',
          unit: 'short',
          bars: true,
          stacked: true,
          targets: [celery({ kind: 'series', columns: ['count'], by: ['state'], filter: ENDED })],
          overrides: STATE_COLOURS,
        }),
        timeseries({
          ...graph,
          title: 'Throughput by task',
          description: 'Runs that came to an end, a second; the ten largest.',
          empty: 'No task finished in this time range',
          unit: 'suffix:/s',
          targets: [celery({ kind: 'series', columns: ['rate'], by: ['name'], filter: BY_VARIABLES, limit: 10 })],
        }),
        timeseries({
          ...graph,
          title: 'Runtime',
          description: 'Percentiles over all tasks that are chosen.',
          empty: 'No task succeeded in this time range',
          unit: 'ms',
          targets: [celery({ kind: 'series', columns: ['p50', 'p95', 'p99'], filter: BY_VARIABLES })],
        }),
        timeseries({
          ...graph,
          title: 'Runtime, 99th percentile, by task',
          description: 'Of succeeded runs; the ten tasks that ran most often.',
          empty: 'No task succeeded in this time range',
          unit: 'ms',
          targets: [celery({ kind: 'series', columns: ['p99'], by: ['name'], filter: BY_VARIABLES, limit: 10 })],
        }),
        barGauge({
          ...graph,
          title: 'Most frequent tasks',
          description: 'Runs that came to an end in the time range, by task.',
          empty: 'No task finished in this time range',
          unit: 'short',
          calc: 'sum',
          targets: [celery({ kind: 'series', columns: ['count'], by: ['name'], filter: BY_VARIABLES, limit: 8 })],
        }),
        table({
          ...graph,
          title: 'Gaps',
          description: 'Times in which the agent could not hear events, and why. Numbers are too low there.',
          empty: 'None in this time range: every event was heard',
          targets: [celery({ kind: 'gaps' })],
        }),
      ],
    },
    {
      row: 'From Prometheus',
      panels: [
        heatmap({
          ...graph,
          title: 'Runtimes',
          description: 'How many runs took how long (flower_task_runtime_seconds).',
          empty: NO_METRICS,
          unit: 's',
          from: 'prometheus',
          targets: [
            prometheus(
              `sum by (le) (increase(flower_task_runtime_seconds_bucket{${IN_PROMETHEUS}}[$__rate_interval]))`,
              { heatmap: true, legend: '{{le}}', exemplar: true },
            ),
          ],
        }),
        timeseries({
          ...graph,
          title: 'Success rate',
          description: 'Succeeded of those that succeeded or failed, by queue.',
          empty: NO_METRICS,
          unit: 'percentunit',
          max: 1,
          from: 'prometheus',
          targets: [
            prometheus(
              'sum by (cluster, namespace, job, queue_name) (rate(celery_task_succeeded_total{name=~"$task", queue_name=~"$queue"}[$__rate_interval])) / (sum by (cluster, namespace, job, queue_name) (rate(celery_task_succeeded_total{name=~"$task", queue_name=~"$queue"}[$__rate_interval])) + (sum by (cluster, namespace, job, queue_name) (rate(celery_task_failed_total{name=~"$task", queue_name=~"$queue"}[$__rate_interval])) or 0 * sum by (cluster, namespace, job, queue_name) (rate(celery_task_succeeded_total{name=~"$task", queue_name=~"$queue"}[$__rate_interval]))))',
              { legend: '{{queue_name}} {{cluster}}' },
            ),
          ],
        }),
        timeseries({
          ...graph,
          title: 'Waiting time, 95th percentile',
          description: 'From sending, or the eta if later, to the start, by queue. Needs task_send_sent_event.',
          empty: NO_METRICS,
          unit: 's',
          from: 'prometheus',
          targets: [
            prometheus(
              'histogram_quantile(0.95, sum by (cluster, namespace, job, le, queue_name) (rate(celery_task_queue_wait_time_bucket{name=~"$task", queue_name=~"$queue"}[$__rate_interval])))',
              { legend: '{{queue_name}} {{cluster}}' },
            ),
          ],
        }),
        timeseries({
          ...graph,
          title: 'Busy workers',
          description: 'Tasks that run, by worker.',
          empty: NO_METRICS,
          unit: 'none',
          from: 'prometheus',
          targets: [
            prometheus(
              'max by (cluster, namespace, job, worker) (flower_worker_number_of_currently_executing_tasks{worker=~"$worker"})',
              {
                legend: '{{worker}} {{cluster}}',
              },
            ),
          ],
        }),
      ],
    },
  ],
});
