import type { Task } from '../api';

/** A row of a workflow's frame. */
export type WorkflowRow = Partial<Task> & {
  /** Of a group or chord that was sent by itself; else null */
  readonly groupId?: string | null;
};

/** A task of a workflow: what its frame told, gaps filled. */
export type WorkflowTask = Pick<Task, 'taskId' | 'state'> & {
  readonly [Member in (typeof TEXTS)[number]]: string | null;
} & { readonly [Member in (typeof NUMBERS)[number]]: number | null };

const TEXTS = ['name', 'worker', 'queue', 'parentId', 'rootId', 'groupId', 'exception', 'eta'] as const;
const NUMBERS = [
  'retries',
  'runtimeMs',
  'sentMs',
  'receivedMs',
  'startedMs',
  'succeededMs',
  'failedMs',
  'retriedMs',
  'revokedMs',
  'rejectedMs',
  'timestampMs',
] as const;

/** Members of a row that a workflow's picture needs. */
export const WORKFLOW_MEMBERS = ['taskId', 'state', ...TEXTS, ...NUMBERS] as const;

/** Celery's helper that polls for the end of a chord's header where the result backend cannot count. */
const CHORD_HELPER = 'celery.chord_unlock';

/** Rows of a frame as tasks; rows without an id, and second rows of a task, are left out. */
export function readTasks(rows: readonly WorkflowRow[]): WorkflowTask[] {
  const tasks = new Map<string, WorkflowTask>();
  for (const row of rows) {
    if (typeof row.taskId === 'string' && row.taskId !== '' && !tasks.has(row.taskId)) {
      tasks.set(row.taskId, toTask(row.taskId, row));
    }
  }
  return [...tasks.values()];
}

function toTask(taskId: string, row: WorkflowRow): WorkflowTask {
  const task: Record<string, unknown> = { taskId, state: row.state ?? 'PENDING' };
  for (const name of TEXTS) {
    task[name] = typeof row[name] === 'string' ? row[name] : null;
  }
  for (const name of NUMBERS) {
    task[name] = Number.isFinite(row[name]) ? row[name] : null;
  }
  return task as WorkflowTask;
}

export function isChordHelper({ name }: WorkflowTask): boolean {
  return name === CHORD_HELPER;
}

/** `add` of `shop.add`: names of one workflow often share their module. */
export function shortName({ name, taskId }: Pick<WorkflowTask, 'name' | 'taskId'>): string {
  return name === null ? taskId.slice(0, 8) : name.slice(name.lastIndexOf('.') + 1) || name;
}

/**
 * The first that is known of it, epoch ms. `task-sent` is told after the publishing, so a quick worker may well have
 * started it before.
 */
export function beginOf(task: WorkflowTask): number {
  const known = [task.sentMs, task.receivedMs, startOf(task)].filter((ms) => ms !== null);
  return known.length > 0 ? Math.min(...known) : (task.timestampMs ?? 0);
}

/** When its last attempt started, also where only its end and its runtime were heard; null: it has not run. */
export function startOf(task: WorkflowTask): number | null {
  const ended = endedMs(task);
  const isKnown = ended !== undefined && task.runtimeMs !== null;
  return task.startedMs ?? (isKnown ? ended - task.runtimeMs : null);
}

/** When it ended; undefined while it has not. */
export function endedMs(task: WorkflowTask): number | undefined {
  switch (task.state) {
    case 'SUCCESS':
      return task.succeededMs ?? task.timestampMs ?? undefined;
    case 'FAILURE':
      return task.failedMs ?? task.timestampMs ?? undefined;
    case 'REVOKED':
      return task.revokedMs ?? task.timestampMs ?? undefined;
    case 'REJECTED':
      return task.rejectedMs ?? task.timestampMs ?? undefined;
    default:
      return undefined;
  }
}

/** The end, or now for what has not ended. */
export function endOf(task: WorkflowTask, nowMs: number): number {
  return endedMs(task) ?? Math.max(nowMs, beginOf(task));
}

/** It has begun and has not ended. A task of an app's own state, e.g. PROGRESS, runs. */
export function isRunning(task: WorkflowTask): boolean {
  return startOf(task) !== null && endedMs(task) === undefined && task.state !== 'RETRY';
}
