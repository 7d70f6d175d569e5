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
  /** Python reprs, as events have them. */
  readonly args: string;
  readonly kwargs: string;
  /** The same as JSON texts, as the message has them. */
  readonly argsJson: string;
  readonly kwargsJson: string;
  /** Where it waits, if not in the queue of its kind. */
  readonly queue?: string;
  readonly rootId: string;
  readonly workflow?: WorkflowRun;
  parentId: string | null;
  retries: number;
  etaMs?: number;
  expiresMs?: number;
  /** Epoch ms at which it came into its queue. */
  sentMs?: number;
  startedMs?: number;
}

/** A worker; a stopped one stays in the list and comes back as a new process. */
export interface DemoWorker extends Sender {
  readonly plan: WorkerPlan;
  concurrency: number;
  /** What it consumes from at the moment. */
  readonly queues: Set<string>;
  /** Ids that it will not start. */
  readonly revoked: Set<string>;
  /** Runs by task name since the start. */
  readonly totals: Map<string, number>;
  startedMs: number;
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

/** The queue in which a task waits. */
export function queueOf({ queue, kind }: DemoTask): string {
  return queue ?? kind.queue;
}

/** The host in a node name. */
export function hostOf(hostname: string): string {
  return hostname.split('@')[1] ?? '';
}

/** A worker that has not started yet; `scale` multiplies its processes. */
export function newWorker(plan: WorkerPlan, scale: number, child: Sender, startedMs: number): DemoWorker {
  return {
    plan,
    hostname: plan.hostname,
    pid: 0,
    clock: 0,
    concurrency: plan.concurrency * scale,
    queues: new Set(plan.queues),
    revoked: new Set(),
    totals: new Map(),
    startedMs,
    state: 'offline',
    generation: 0,
    processed: 0,
    reserved: [],
    scheduled: new Set(),
    active: new Set(),
    child,
  };
}
