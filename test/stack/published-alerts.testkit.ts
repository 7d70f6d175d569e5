/** Expressions of the alerts of celery-mixin (celery-exporter) and of Flower's documentation, as they are published. */
const MIXIN = [
  `sum(
  increase(
    celery_task_failed_total{
      job=~".*celery.*",
      queue_name!~"None",
      name!~"None"
    }[10m]
  )
)  by (job, namespace, queue_name, name)
/
(
  sum(
    increase(
      celery_task_failed_total{
        job=~".*celery.*",
        queue_name!~"None",
        name!~"None"
      }[10m]
    )
  )  by (job, namespace, queue_name, name)
  +
  sum(
    increase(
      celery_task_succeeded_total{
        job=~".*celery.*",
        queue_name!~"None",
        name!~"None"
      }[10m]
    )
  )  by (job, namespace, queue_name, name)
)
* 100 > 5`,
  `sum(
  celery_queue_length{
    job=~".*celery.*",
    queue_name!~"None"
  }
)  by (job, namespace, queue_name)
> 100`,
  'celery_worker_up{job=~".*celery.*"} == 0',
];

const FLOWER = [
  'flower_worker_online == 0',
  '(sum(avg_over_time(flower_events_total{type="task-failed"}[15m])) by (task) / sum(avg_over_time(flower_events_total{type=~"task-failed|task-succeeded"}[15m])) by (task)) * 100 > 1',
  'sum(avg_over_time(flower_task_prefetch_time_seconds[15m])) by (task, worker) > 1',
];

export const PUBLISHED: readonly string[] = [...MIXIN, ...FLOWER];
