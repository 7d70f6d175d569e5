/** What is kept for a time of its own. */
export type Kept = 'events' | 'tasks' | 'rollups';

/** A table that is cut by time. */
export interface PartitionedTable {
  readonly table: string;
  /** The time it is cut by. */
  readonly column: string;
  readonly type: 'timestamptz' | 'date';
  readonly by: 'day' | 'month';
  /** Columns of its primary key. */
  readonly key: string;
  /** The column whose rows stay together on one node. */
  readonly distributedBy: string;
  readonly kept: Kept;
  /** Storage parameters of each partition. */
  readonly storage?: string;
}

/** Roll-ups of the current minutes and hours are written again and again: room in the page keeps those updates off the index. */
export const TABLES: readonly PartitionedTable[] = [
  {
    ...{ table: 'celery_task_events', column: 'occurred_at', type: 'timestamptz', by: 'day', kept: 'events' },
    ...{ key: 'task_id, occurred_at, identity', distributedBy: 'task_id' },
  },
  {
    ...{ table: 'celery_worker_events', column: 'occurred_at', type: 'timestamptz', by: 'day', kept: 'events' },
    ...{ key: 'hostname, occurred_at, identity', distributedBy: 'hostname' },
  },
  {
    ...{ table: 'celery_tasks', column: 'seen_on', type: 'date', by: 'day', kept: 'tasks' },
    ...{ key: 'task_id, seen_on', distributedBy: 'task_id' },
  },
  {
    ...{ table: 'celery_task_rollups', column: 'minute', type: 'timestamptz', by: 'month', kept: 'rollups' },
    ...{ key: 'minute, name, queue, worker', distributedBy: 'name', storage: 'fillfactor = 60' },
  },
  {
    ...{ table: 'celery_task_rollups_hourly', column: 'hour', type: 'timestamptz', by: 'month', kept: 'rollups' },
    ...{ key: 'hour, name, queue', distributedBy: 'name', storage: 'fillfactor = 60' },
  },
];
