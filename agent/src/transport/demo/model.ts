import type { TaskKind, WorkerPlan } from './catalogue.ts';
import type { Sender } from './emitter.ts';

/** A run of a workflow: which stage is under way and how many of its tasks are still open. */
export interface WorkflowRun {
  readonly stages: readonly (readonly string[])[];
  stage: number;
  open: number;
}

/** A task that is queued, reserved or running; finished ones are forgotten. */
export interface DemoTask {
  readonly id: string;
  readonly kind: TaskKind;
  readonly args: string;
  readonly kwargs: string;
  readonly rootId: string;
  readonly workflow?: WorkflowRun;
  parentId: string | null;
  retries: number;
  etaMs?: number;
  expiresMs?: number;
}

/** A worker; a stopped one stays in the list and comes back as a new process. */
export interface DemoWorker extends Sender {
  readonly plan: WorkerPlan;
  readonly concurrency: number;
  /** `stopping`: a warm shutdown, running tasks are finished. */
  state: 'offline' | 'online' | 'stopping';
  /** Counts the processes: what was planned for an earlier one is void. */
  generation: number;
  processed: number;
  readonly reserved: DemoTask[];
  readonly scheduled: Set<DemoTask>;
  readonly active: Set<DemoTask>;
  /** Pool children publish retries, next steps and custom events. */
  child: Sender;
}
