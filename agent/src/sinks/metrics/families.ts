/** Which option switches a family: Flower's, celery-exporter's, the agent's own (always on), the process's. */
export type FamilySet = 'flower' | 'exporter' | 'umbel' | 'process';

export interface FamilySpec {
  /** As in the text format 0.0.4; the exporter's with its default prefix. */
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly labels: readonly string[];
  readonly help: string;
  readonly set: FamilySet;
}

const WORKER_TASK = ['worker', 'task'];
const EXPORTER_TASK = ['name', 'hostname', 'queue_name'];
const QUEUE = ['queue_name'];
const WORKER = ['worker'];

const FLOWER = [
  row('flower_events_total', 'counter', ['worker', 'type', 'task'], 'Number of events'),
  row('flower_task_runtime_seconds', 'histogram', WORKER_TASK, 'Task runtime'),
  row(
    'flower_task_prefetch_time_seconds',
    'gauge',
    WORKER_TASK,
    'The time the task spent waiting at the celery worker to be executed.',
  ),
  row(
    'flower_worker_prefetched_tasks',
    'gauge',
    WORKER_TASK,
    'Number of tasks of given type prefetched at a worker. Never below 0, 0 again when the worker restarts',
  ),
  row('flower_worker_online', 'gauge', ['worker'], 'Worker online status. 0 also after the worker timeout'),
  row(
    'flower_worker_number_of_currently_executing_tasks',
    'gauge',
    ['worker'],
    'Number of tasks currently executing at a worker',
  ),
] as const;

const EXPORTER = [
  row('celery_task_sent_total', 'counter', EXPORTER_TASK, 'Sent when a task message is published.'),
  row('celery_task_received_total', 'counter', EXPORTER_TASK, 'Sent when the worker receives a task.'),
  row('celery_task_started_total', 'counter', EXPORTER_TASK, 'Sent just before the worker executes the task.'),
  row('celery_task_succeeded_total', 'counter', EXPORTER_TASK, 'Sent if the task executed successfully.'),
  row(
    'celery_task_failed_total',
    'counter',
    ['name', 'hostname', 'exception', 'queue_name'],
    'Sent if the execution of the task failed.',
  ),
  row('celery_task_rejected_total', 'counter', EXPORTER_TASK, 'The task was rejected by the worker.'),
  row('celery_task_revoked_total', 'counter', EXPORTER_TASK, 'Sent if the task has been revoked.'),
  row('celery_task_retried_total', 'counter', EXPORTER_TASK, 'Sent if the task failed, but will be retried.'),
  row('celery_task_runtime', 'histogram', EXPORTER_TASK, 'Runtime of succeeded tasks in seconds.'),
  row(
    'celery_task_queue_wait_time',
    'histogram',
    EXPORTER_TASK,
    'Seconds from sending (or the eta, if later) to the start. Needs task-sent events.',
  ),
  row('celery_worker_up', 'gauge', ['hostname'], 'Whether a worker of the host has recently sent a heartbeat.'),
  row('celery_worker_tasks_active', 'gauge', ['hostname'], 'Tasks the workers of the host are processing.'),
  row('celery_queue_length', 'gauge', QUEUE, 'Messages that wait in the queue, of every priority.'),
  row('celery_active_consumer_count', 'gauge', QUEUE, 'Consumers of the queue. RabbitMQ only: Redis does not tell.'),
  row('celery_active_worker_count', 'gauge', QUEUE, 'Workers that consume the queue.'),
  row('celery_active_process_count', 'gauge', QUEUE, 'Processes or threads in the pools of those workers.'),
] as const;

const UMBEL = [
  row('umbel_build_info', 'gauge', ['version'], 'Always 1; the version of the agent.'),
  row(
    'umbel_leader',
    'gauge',
    [],
    '1 for the one agent of those on a database that leads (retention, healing, probing), 0 for the others.',
  ),
  row(
    'umbel_standing_by',
    'gauge',
    [],
    '1 while the broker gives the events to another agent (RabbitMQ), 0 otherwise.',
  ),
  row(
    'umbel_slice_active',
    'gauge',
    ['slice'],
    'Of the agents of a slice (`--slice`) 1 for the one that shows what was counted in it. The whole stream is 1/1.',
  ),
  row(
    'umbel_slices_missing',
    'gauge',
    [],
    'Slices that no agent on the database listens to, as the leader knows; 0 of the others.',
  ),
  row(
    'umbel_slices_misfit',
    'gauge',
    [],
    'Slices of another number than its own (1/3 beside 1/2) that agents on the database have, as the leader knows: their tasks are counted twice.',
  ),
  row('umbel_events_of_other_slices_total', 'counter', [], "Task events of other agents' slices (`--slice`)."),
  row('umbel_events_received_total', 'counter', ['type'], 'Events that reached the model, by type.'),
  row('umbel_events_rejected_total', 'counter', ['reason'], 'Messages and events that could not be used.'),
  row(
    'umbel_messages_dropped_total',
    'counter',
    ['queue'],
    'Messages that found no room in memory nor on disk; a broken part of a file counts as one.',
  ),
  row('umbel_event_lag_seconds', 'gauge', [], "Age of the last event when it was processed, by its sender's clock."),
  row('umbel_event_gaps_total', 'counter', [], 'Times in which events could not be heard.'),
  row('umbel_gap_seconds_total', 'counter', [], 'Seconds in which events could not be heard.'),
  row(
    'umbel_tasks_healed_total',
    'counter',
    ['source'],
    'Tasks whose state was read elsewhere, because its event was not heard: result-backend, inspect, queue.',
  ),
  row(
    'umbel_tasks_orphaned_total',
    'counter',
    ['worker', 'name', 'reason'],
    'Tasks that nobody works on any more: worker-lost, worker-restarted; end-unheard: they may have ended while nobody listened.',
  ),
  row(
    'umbel_orphaned_tasks',
    'gauge',
    [],
    'Orphaned tasks in the history that were not sent again. Of the agent that heals.',
  ),
  row('umbel_heal_runs_total', 'counter', ['outcome'], 'Looks at open tasks: done, failed (tried again).'),
  row('umbel_tasks_unknown_name_total', 'counter', [], 'Task events whose task name is not known.'),
  row(
    'umbel_worker_last_heartbeat_timestamp_seconds',
    'gauge',
    ['worker'],
    'When the last heartbeat of the worker arrived, epoch seconds.',
  ),
  row(
    'umbel_worker_clock_skew_seconds',
    'gauge',
    ['worker'],
    "Arrival of the last heartbeat minus its timestamp: the worker's clock is behind, or its events are late.",
  ),
  row(
    'umbel_worker_info',
    'gauge',
    ['worker', 'software', 'version', 'system'],
    'Always 1 while the worker is online; what it says it runs.',
  ),
  row(
    'umbel_worker_starts_total',
    'counter',
    WORKER,
    'Times the worker said that it is online, or had another process id.',
  ),
  row(
    'umbel_worker_processed_total',
    'counter',
    WORKER,
    'Tasks taken since its start, as the worker counts them in its heartbeats, with task events or without.',
  ),
  row(
    'umbel_worker_load',
    'gauge',
    WORKER,
    "Load average of the worker's machine over one minute, from its heartbeats.",
  ),
  row('umbel_worker_reply_age_seconds', 'gauge', WORKER, 'How long ago the worker last answered to remote control.'),
  row('umbel_worker_queue', 'gauge', ['worker', 'queue_name'], 'Always 1; the worker consumes the queue.'),
  row(
    'umbel_tasks_expired_total',
    'counter',
    ['name', 'queue_name'],
    "Tasks revoked because their expiry was over. Needs celery-exporter's families.",
  ),
  row(
    'umbel_task_last_seen_timestamp_seconds',
    'gauge',
    ['name'],
    "When the last event of the task's name was counted, epoch seconds. Needs celery-exporter's families.",
  ),
  row('umbel_broker_connected', 'gauge', [], '1 while the agent is connected to the broker.'),
  row('umbel_broker_reconnects_total', 'counter', [], 'Connections to the broker after the first.'),
  row('umbel_intake_queue_bytes', 'gauge', [], 'Messages read from the broker and not yet decoded.'),
  row('umbel_tasks_held', 'gauge', [], 'Tasks in memory.'),
  row(
    'umbel_tasks_in_state',
    'gauge',
    ['state', 'queue_name'],
    'Unfinished tasks in memory, counted every few seconds. 0 for the purge time after the last one.',
  ),
  row(
    'umbel_oldest_task_age_seconds',
    'gauge',
    ['state', 'queue_name'],
    'How long ago the oldest unfinished task in memory came into this state, or was due where it waits for an eta.',
  ),
  row(
    'umbel_running_task_age_seconds',
    'gauge',
    ['name', 'queue_name'],
    'How long ago the oldest task of this name that runs was started; there while one runs.',
  ),
  row('umbel_queue_messages', 'gauge', QUEUE, 'Messages that wait in the queue, of every priority.'),
  row('umbel_queue_unacked', 'gauge', QUEUE, 'Messages of the queue that workers hold and have not acknowledged.'),
  row(
    'umbel_queue_consumers',
    'gauge',
    QUEUE,
    'Consumers of the queue as the broker tells; where it does not (Redis), workers that consume it.',
  ),
  row(
    'umbel_queue_oldest_message_age_seconds',
    'gauge',
    QUEUE,
    'How long the oldest message has waited at least. Redis: since its task-sent event, else while the first message does not move; RabbitMQ: classic queues of messages with a timestamp, from the management API.',
  ),
  row('umbel_queue_publish_rate', 'gauge', QUEUE, "Messages a second into the queue, from RabbitMQ's management API."),
  row(
    'umbel_queue_deliver_rate',
    'gauge',
    QUEUE,
    "Messages a second out of the queue, from RabbitMQ's management API.",
  ),
  row(
    'umbel_worker_pool_size',
    'gauge',
    WORKER,
    'Processes or threads of the pool; of greenlets the most there may be.',
  ),
  row(
    'umbel_worker_prefetch_count',
    'gauge',
    WORKER,
    'Messages the worker takes from the broker ahead of working on them.',
  ),
  row(
    'umbel_worker_rss_bytes',
    'gauge',
    WORKER,
    "Peak resident memory of the worker's main process (getrusage), without its pool processes; the present one where only memsample tells.",
  ),
  row(
    'umbel_worker_cpu_seconds_total',
    'counter',
    WORKER,
    "User and system CPU time of the worker's main process, without its pool processes.",
  ),
  row(
    'umbel_probe_age_seconds',
    'gauge',
    ['probe'],
    'How long ago the broker (queues) or the workers were last asked with success.',
  ),
  row('umbel_probe_duration_seconds', 'gauge', ['probe'], 'Duration of the last probe that succeeded.'),
  row('umbel_probe_errors_total', 'counter', ['probe'], 'Probes that failed.'),
  row('umbel_result_backend_up', 'gauge', [], '0 while results cannot be looked up, 1 otherwise.'),
  row('umbel_history_up', 'gauge', [], '1 while the last write to the history succeeded.'),
  row('umbel_history_queue_events', 'gauge', [], 'Events that wait to be written to the history.'),
  row('umbel_history_spilled_bytes', 'gauge', [], 'Bytes that wait in segment files.'),
  row('umbel_history_lag_seconds', 'gauge', [], 'Age of the oldest event that is not in the history; 0 when all are.'),
  row('umbel_history_write_seconds', 'histogram', [], 'Duration of one write to the history.'),
  row('umbel_history_batch_events', 'histogram', [], 'Events in one write to the history.'),
  row('umbel_history_errors_total', 'counter', [], 'Writes to the history that failed.'),
  row(
    'umbel_history_rows_total',
    'counter',
    ['kind'],
    'Rows written to the history: new events, and tasks as often as they changed.',
  ),
  row('umbel_history_doubled_events_total', 'counter', [], 'Events the history already had.'),
  row(
    'umbel_history_poisoned_events_total',
    'counter',
    [],
    'Events Postgres refused: stored without their fields, or left out where it refused that too.',
  ),
  row('umbel_history_size_bytes', 'gauge', [], 'Size of the database that holds the history, asked for every minute.'),
  row(
    'umbel_history_oldest_timestamp_seconds',
    'gauge',
    [],
    'Begin of the oldest day whose events are kept in a partition, epoch seconds.',
  ),
  row('umbel_history_retention_seconds', 'gauge', [], 'How long events are to be kept: `--retention-days`.'),
  row('umbel_live_subscribers', 'gauge', [], 'Subscribers of the live stream.'),
  row('umbel_live_dropped_total', 'counter', [], 'Messages that slow subscribers of the live stream missed.'),
  row('umbel_otlp_up', 'gauge', ['signal'], '1 while the OTLP receiver takes what is sent (traces, logs).'),
  row('umbel_otlp_sent_total', 'counter', ['signal'], 'Spans and log records that the OTLP receiver took.'),
  row(
    'umbel_otlp_dropped_total',
    'counter',
    ['signal', 'reason'],
    'Spans and log records that were not sent: no room (overflow), the receiver will never take them (refused), the agent ended first (shutdown).',
  ),
  row('umbel_otlp_errors_total', 'counter', ['signal'], 'Batches that the OTLP receiver did not take.'),
  row('umbel_otlp_waiting', 'gauge', ['signal'], 'Spans and log records that wait to be sent.'),
  row('umbel_otlp_waiting_bytes', 'gauge', ['signal'], 'Memory that they take, roughly.'),
  row('umbel_otlp_sampled_out_total', 'counter', [], 'Tasks whose trace was left out by --otlp-sample-ratio.'),
  row('umbel_bound_used', 'gauge', ['bound'], 'What fills up with the load: how much is in use, bytes or a number.'),
  row(
    'umbel_bound_limit',
    'gauge',
    ['bound'],
    'Its limit, in the same unit; where nothing fills up, what one text, request or client may have: characters, bytes or seconds.',
  ),
  row(
    'umbel_bound_exceeded_total',
    'counter',
    ['bound'],
    'Times that something found no room there, or was over the limit.',
  ),
  row(
    'umbel_shedding',
    'gauge',
    ['work'],
    '1 while the agent leaves this out to keep up with the events: telemetry, live, searches.',
  ),
  row('umbel_shed_total', 'counter', ['work'], 'Tasks not told by OTLP, live streams and searches refused for it.'),
  row('umbel_series', 'gauge', ['family'], 'Series held by this agent.'),
  row(
    'umbel_label_sets_dropped_total',
    'counter',
    ['family'],
    'Label sets that found no room in a family and are counted under `other` (gauges: not shown).',
  ),
] as const;

/** Made by prom-client (`collectDefaultMetrics`) from /proc of the own process, under the names Flower's client uses. */
const PROCESS = [
  row('process_cpu_seconds_total', 'counter', [], 'User and system CPU time spent.'),
  row('process_resident_memory_bytes', 'gauge', [], 'Resident memory.'),
  row('process_virtual_memory_bytes', 'gauge', [], 'Virtual memory.'),
  row('process_start_time_seconds', 'gauge', [], 'Start of the process, epoch seconds.'),
  row('process_open_fds', 'gauge', [], 'Open file descriptors.'),
  row('process_max_fds', 'gauge', [], 'Most open file descriptors.'),
] as const;

export type FlowerFamily = (typeof FLOWER)[number]['name'];
export type ExporterFamily = (typeof EXPORTER)[number]['name'];
export type UmbelFamily = (typeof UMBEL)[number]['name'];

/** Every family the agent promises, in the order of the output. docs/metrics.md is made from it. */
export const FAMILIES: readonly FamilySpec[] = [
  ...FLOWER.map((spec) => ({ ...spec, set: 'flower' as const })),
  ...EXPORTER.map((spec) => ({ ...spec, set: 'exporter' as const })),
  ...UMBEL.map((spec) => ({ ...spec, set: 'umbel' as const })),
  ...PROCESS.map((spec) => ({ ...spec, set: 'process' as const })),
];

function row<const N extends string>(
  name: N,
  type: FamilySpec['type'],
  labels: readonly string[],
  help: string,
): Omit<FamilySpec, 'set'> & { readonly name: N } {
  return { name, type, labels, help };
}
