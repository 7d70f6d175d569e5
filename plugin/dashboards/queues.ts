import { BY_VARIABLES, inStates } from './filters';
import { dashboard } from './lib/build';
import { ours, timeseries } from './lib/panels';
import { celery, prometheus } from './lib/sources';
import { datasource, metricFilters, prometheus as prometheusVariable, queue, task, worker } from './lib/variables';

/** Queues of the same name on two brokers are two. */
const BY_QUEUE = '{{queue_name}} {{cluster}}';
const graph = { width: 12, height: 8, coloursByName: true } as const;

export const queues = dashboard({
  key: 'queues',
  title: 'Celery / Queues',
  description: 'What waits, for how long, who takes it, and whether the workers keep up.',
  variables: [datasource, prometheusVariable, metricFilters, queue, task, worker],
  sections: [
    {
      panels: [
        ours('queues', {
          title: 'Queues',
          description: 'Length, age of the oldest message, consumers and rates, as the broker tells them.',
          empty: 'No queue is known',
          width: 24,
          height: 9,
          targets: [celery({ kind: 'queues', queues: ['$queue'] })],
        }),
        timeseries({
          ...graph,
          title: 'Received by queue',
          description: 'Tasks taken from each queue, a second.',
          empty: 'No task was received in this time range',
          unit: 'suffix:/s',
          targets: [celery({ kind: 'series', columns: ['rate'], by: ['queue'], filter: inStates('RECEIVED') })],
        }),
        timeseries({
          ...graph,
          title: 'Finished by queue',
          description: 'Runs that came to an end, a second.',
          empty: 'No task finished in this time range',
          unit: 'suffix:/s',
          targets: [celery({ kind: 'series', columns: ['rate'], by: ['queue'], filter: BY_VARIABLES })],
        }),
        timeseries({
          ...graph,
          title: 'Failed by queue',
          description: 'Runs that ended in an exception, in each step.',
          empty: 'Nothing failed in this time range',
          unit: 'short',
          bars: true,
          stacked: true,
          targets: [celery({ kind: 'series', columns: ['count'], by: ['queue'], filter: inStates('FAILURE') })],
        }),
        timeseries({
          ...graph,
          title: 'Runtime, 95th percentile, by queue',
          description: 'Of succeeded runs. Short and long tasks in one queue hold each other up.',
          empty: 'No task succeeded in this time range',
          unit: 'ms',
          targets: [celery({ kind: 'series', columns: ['p95'], by: ['queue'], filter: BY_VARIABLES })],
        }),
      ],
    },
    {
      row: 'Over time, from Prometheus',
      collapsed: true,
      panels: [
        timeseries({
          ...graph,
          title: 'Messages waiting',
          description: 'Ready messages of every priority (umbel_queue_messages).',
          empty: 'Prometheus has no metrics of the agent',
          unit: 'short',
          from: 'prometheus',
          targets: [
            prometheus('max by (cluster, namespace, job, queue_name) (umbel_queue_messages{queue_name=~"$queue"})', {
              legend: BY_QUEUE,
            }),
          ],
        }),
        timeseries({
          ...graph,
          title: 'Age of the oldest message',
          description:
            'At least. Known from task-sent events; without them from a first message that does not move (Redis), or that has a timestamp (RabbitMQ).',
          empty: 'No message waits, its age is not known, or Prometheus has no metrics of the agent',
          unit: 's',
          from: 'prometheus',
          targets: [
            prometheus(
              'max by (cluster, namespace, job, queue_name) (umbel_queue_oldest_message_age_seconds{queue_name=~"$queue"} or umbel_oldest_task_age_seconds{state="PENDING", queue_name=~"$queue"}) and max by (cluster, namespace, job, queue_name) (umbel_queue_messages) > 0',
              { legend: BY_QUEUE },
            ),
          ],
        }),
        timeseries({
          ...graph,
          title: 'Waiting time, 95th percentile',
          description: 'From sending, or the eta if later, to the start. Needs task_send_sent_event.',
          empty: 'No task with a known sending time, or Prometheus has no metrics of the agent',
          unit: 's',
          from: 'prometheus',
          targets: [
            prometheus(
              'histogram_quantile(0.95, sum by (cluster, namespace, job, le, queue_name) (rate(celery_task_queue_wait_time_bucket{queue_name=~"$queue"}[$__rate_interval])))',
              { legend: BY_QUEUE },
            ),
          ],
        }),
        timeseries({
          ...graph,
          title: 'Workers by queue',
          description: 'Workers that consume each queue (celery_active_worker_count).',
          empty: 'Prometheus has no metrics of the agent',
          unit: 'none',
          from: 'prometheus',
          targets: [
            prometheus(
              'max by (cluster, namespace, job, queue_name) (celery_active_worker_count{queue_name=~"$queue"})',
              {
                legend: BY_QUEUE,
              },
            ),
          ],
        }),
      ],
    },
  ],
});
