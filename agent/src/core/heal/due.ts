import { PENDING } from '../state/states.ts';
import type { OpenTask } from './judge.ts';

/** A task of a living worker is asked for when nothing was heard of it for this long, ms; and again after as long. */
export const QUIET_MS = 600_000;

/** A worker, as the live model knows it. */
export interface SeenWorker {
  readonly online: boolean;
  readonly lastSeenMs: number;
  /** When its process was first heard of; 0: that was before the agent's time. */
  readonly startedMs: number;
}

export interface LookContext {
  readonly nowMs: number;
  /** Since when the agent hears what workers say, epoch ms. */
  readonly listeningSinceMs: number;
  /** End of the last gap that is not healed yet. */
  readonly gapEndMs: number | undefined;
  /** How long a worker must be silent until its tasks are given up, ms. */
  readonly orphanAfterMs: number;
  readonly worker: (hostname: string) => SeenWorker | undefined;
  /** When a worker last said that it holds the task, epoch ms. */
  readonly confirmedMs: (taskId: string) => number | undefined;
}

/** Whether the task's end may lie in a time in which nobody listened. */
export function isInGap({ timestamp }: Pick<OpenTask, 'timestamp'>, { gapEndMs }: LookContext): boolean {
  return gapEndMs !== undefined && timestamp * 1000 <= gapEndMs;
}

/** How long nothing was heard of the worker while the agent listened; 0 while it is online. */
export function silentMs(worker: SeenWorker | undefined, { nowMs, listeningSinceMs }: LookContext): number {
  if (worker?.online === true) return 0;
  return Math.max(0, nowMs - Math.max(worker?.lastSeenMs ?? 0, listeningSinceMs));
}

/** Whether there is reason to ask what has become of an open task. */
export function isDue(task: OpenTask, context: LookContext): boolean {
  if (task.mark === 'replaced') return false;
  if (isInGap(task, context) || task.mark === 'orphaned') return true;
  if (task.worker === null || task.state === PENDING) return false;
  const worker = context.worker(task.worker);
  if (silentMs(worker, context) >= context.orphanAfterMs) return true;
  const heardMs = task.timestamp * 1000;
  if (worker !== undefined && worker.startedMs > heardMs) return true;
  const lastMs = Math.max(heardMs, context.confirmedMs(task.taskId) ?? 0, task.etaMs ?? 0);
  return context.nowMs - lastMs >= QUIET_MS;
}
