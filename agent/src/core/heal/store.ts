import type { TaskState } from '../state/task.ts';
import type { Basis, Finding } from './finding.ts';
import type { OpenTask } from './judge.ts';

/** States of Celery in which a task that has begun can be stuck; beside them there are those of an app's own events. */
export const STUCK_STATES: readonly string[] = ['STARTED', 'RECEIVED', 'RETRY'];

/** An open task of the history. */
export interface StoredOpenTask extends OpenTask {
  readonly name: string | null;
}

/** Where a walk through the tasks of one state stands: at the task that was read last. */
export type Place = Pick<OpenTask, 'timestamp' | 'taskId'>;

/** A gap, ended, in which something may have been missed; epoch ms. */
export interface UnhealedGap {
  readonly id: number;
  readonly fromMs: number;
  readonly toMs: number;
}

/** A finding that is in the history now. */
export interface Settled {
  readonly finding: Finding;
  /** As the finding left it; read only. */
  readonly task: TaskState;
}

/** What healing needs of the history; every method rejects while the database cannot be asked. */
export interface HealStore {
  /** Notes which gaps another agent covered; resolves with the rest of those that ended and are not healed. */
  takeGaps(nowMs: number): Promise<readonly UnhealedGap[]>;
  /** What was put right after it, by number of tasks. */
  closeGap(id: number, healed: Readonly<Record<string, unknown>>): Promise<void>;
  /** States of tasks that are the app's own (PROGRESS): no event of Celery leads to them. */
  customStates(): Promise<readonly string[]>;
  /** Newest first, behind the place. */
  openTasks(state: string, limit: number, after?: Place): Promise<readonly StoredOpenTask[]>;
  /** Those of the ids of which the history knows nothing. */
  unknownAmong(taskIds: readonly string[]): Promise<readonly string[]>;
  /** Those of the ids of which the history knows no name, though it knows the task. */
  unnamedAmong(taskIds: readonly string[]): Promise<readonly (Basis & { readonly taskId: string })[]>;
  /** Orphaned tasks in the history that were not sent again. */
  countOrphaned(): Promise<number>;
  /** Puts findings into their tasks; resolves with those whose task was still as it had been looked at. */
  settle(findings: readonly Finding[]): Promise<readonly Settled[]>;
}
