import type { FamilySpec } from './families.ts';

/**
 * Of what a family tells, and so which of several agents shows it: a sum over all that are scraped then counts nothing
 * twice.
 *
 * - `agent`: of the agent itself; each shows its own
 * - `tasks`: of the events of the tasks in the agent's slice
 * - `workers`: of the workers' heartbeats, which every agent hears
 * - `probes`: what the broker and the workers answered, who are asked by the leader alone
 */
export type Scope = 'agent' | 'tasks' | 'workers' | 'probes';

/** Which families the agent shows; its own it always does. */
export interface Shown {
  /** Counters and histograms of tasks. */
  readonly taskCounts: boolean;
  /** Gauges of tasks. */
  readonly taskGauges: boolean;
  readonly workers: boolean;
  readonly probes: boolean;
}

export const ALL_SHOWN: Shown = { taskCounts: true, taskGauges: true, workers: true, probes: true };

const WORKERS = [
  'flower_worker_online',
  'flower_worker_number_of_currently_executing_tasks',
  'celery_worker_up',
  'celery_worker_tasks_active',
  'umbel_worker_last_heartbeat_timestamp_seconds',
  'umbel_worker_clock_skew_seconds',
  'umbel_worker_info',
  'umbel_worker_starts_total',
  'umbel_worker_processed_total',
  'umbel_worker_load',
];
const PROBES =
  /^(celery_(queue_length|active_\w+)|umbel_(queue|probe)_\w+|umbel_worker_(reply_age_seconds|queue|pool_size|prefetch_count|rss_bytes|cpu_seconds_total)|umbel_tasks_orphaned_total|umbel_orphaned_tasks)$/;
const TASKS =
  /^(flower_\w+|celery_task_\w+|umbel_(tasks_expired_total|task_last_seen_timestamp_seconds|tasks_in_state|oldest_task_age_seconds|running_task_age_seconds))$/;

/** By the name in `FAMILIES`. */
export function scopeOf(name: string): Scope {
  if (WORKERS.includes(name)) return 'workers';
  if (PROBES.test(name)) return 'probes';
  return TASKS.test(name) ? 'tasks' : 'agent';
}

export function isShown(scope: Scope, type: FamilySpec['type'], shown: Shown): boolean {
  if (scope === 'agent') return true;
  if (scope !== 'tasks') return shown[scope];
  return type === 'gauge' ? shown.taskGauges : shown.taskCounts;
}
