import type { CeleryEvent } from '../events/event.ts';
import type { TaskState } from './task.ts';
import type { WorkerState } from './worker.ts';

/** What one event did to the model: all that a live sink ever sees. Read only: the model goes on changing the objects. */
export type Change = TaskChange | WorkerChange;

export interface TaskChange {
  readonly kind: 'task';
  readonly event: CeleryEvent;
  /** After the merge. */
  readonly task: TaskState;
  /** Its state before; undefined when this event is the first of the task. */
  readonly before: string | undefined;
  /** `worker` of the task before the merge. */
  readonly workerBefore: string | null;
  /** The sender, when this event was what brought it online: it was unknown or offline before. */
  readonly revived?: WorkerState | undefined;
}

export interface WorkerChange {
  readonly kind: 'worker';
  /** Absent when no event but a missing heartbeat caused it. */
  readonly event?: CeleryEvent;
  /** A worker first heard of by its `worker-offline` is reported, but not kept: Celery's rule. */
  readonly worker: WorkerState;
  readonly wasOnline: boolean;
  /** A new process id under the same node name. */
  readonly restarted: boolean;
}
