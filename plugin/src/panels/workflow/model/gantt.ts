import type { Relations } from '../../../shared/workflow/relations';
import { beginOf, endedMs, endOf, isRunning, startOf, type WorkflowTask } from '../../../shared/workflow/tasks';

export type BarKind = 'tries' | 'wait' | 'run';

/** A stretch of a task's life. `tries`: earlier attempts and the pauses between them; only the last one is told apart. */
export interface Bar {
  readonly kind: BarKind;
  readonly fromMs: number;
  readonly toMs: number;
}

export interface GanttRow {
  readonly task: WorkflowTask;
  /** Of the tree: 0 for roots */
  readonly depth: number;
  readonly bars: readonly Bar[];
  readonly critical: boolean;
}

export interface Gantt {
  /** As a tree: children below their parent, in the order of their beginning */
  readonly rows: readonly GanttRow[];
  readonly fromMs: number;
  readonly toMs: number;
  /** Something has not ended: the right edge is now */
  readonly open: boolean;
}

/** @param nowMs where bars of what has not ended end, epoch ms */
export function toGantt(relations: Relations, criticalIds: readonly string[], nowMs: number): Gantt {
  const critical = new Set(criticalIds);
  const rows = inTreeOrder(relations).map(({ task, depth }) => ({
    task,
    depth,
    bars: barsOf(task, nowMs, lastEndBefore(task, relations, nowMs)),
    critical: critical.has(task.taskId),
  }));
  const tasks = rows.map(({ task }) => task);
  const fromMs = tasks.reduce((least, task) => Math.min(least, beginOf(task)), Infinity);
  const toMs = tasks.reduce((most, task) => Math.max(most, endOf(task, nowMs)), -Infinity);
  const open = tasks.some((task) => endedMs(task) === undefined);
  return tasks.length === 0
    ? { rows, fromMs: nowMs, toMs: nowMs, open }
    : { rows, fromMs, toMs: Math.max(toMs, fromMs + 1), open };
}

/**
 * @param knownFromMs when what it comes after had ended: the first attempt of a task that was retried is not told, each
 *   attempt is published anew
 */
export function barsOf(task: WorkflowTask, nowMs: number, knownFromMs = Infinity): Bar[] {
  const end = endOf(task, nowMs);
  const retried = (task.retries ?? 0) > 0 || task.state === 'RETRY' ? task.retriedMs : null;
  const begin = retried === null ? beginOf(task) : Math.min(beginOf(task), knownFromMs);
  const waitFrom = retried === null ? begin : Math.min(Math.max(retried, begin), end);
  const started = startOf(task);
  const isRun = started !== null && started >= waitFrom && task.state !== 'RETRY';
  const runFrom = isRun ? Math.min(started, end) : end;
  const bars: Bar[] = [
    { kind: 'tries', fromMs: begin, toMs: waitFrom },
    { kind: 'wait', fromMs: waitFrom, toMs: runFrom },
    { kind: 'run', fromMs: runFrom, toMs: end },
  ];
  return bars.filter(({ kind, fromMs, toMs }) => toMs > fromMs || (kind === 'run' && isRun));
}

function lastEndBefore({ taskId }: WorkflowTask, { tasks, before }: Relations, nowMs: number): number | undefined {
  const sources = (before.get(taskId) ?? []).flatMap((id) => tasks.get(id) ?? []);
  return sources.length === 0 ? undefined : Math.max(...sources.map((source) => endOf(source, nowMs)));
}

function inTreeOrder({ tasks, before, after, roots }: Relations): Array<{ task: WorkflowTask; depth: number }> {
  const rows: Array<{ task: WorkflowTask; depth: number }> = [];
  const seen = new Set<string>();
  const stack = [...roots].reverse().map((id) => ({ id, depth: 0 }));
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    const { id, depth } = top;
    const task = tasks.get(id);
    // A callback comes below the last of its header.
    const isEarly = (before.get(id) ?? []).some((source) => !seen.has(source));
    if (task === undefined || seen.has(id) || isEarly) {
      continue;
    }
    seen.add(id);
    rows.push({ task, depth });
    stack.push(...[...(after.get(id) ?? [])].reverse().map((next) => ({ id: next, depth: depth + 1 })));
  }
  return rows;
}

/** How long it waited for a worker, ms; undefined while it has not run. */
export function waitOf(task: WorkflowTask, nowMs: number): number | undefined {
  const bars = barsOf(task, nowMs);
  return bars.some(({ kind }) => kind === 'run') ? lengthOf(bars, 'wait') : undefined;
}

export function runOf(task: WorkflowTask, nowMs: number): number | undefined {
  return task.runtimeMs ?? (isRunning(task) ? lengthOf(barsOf(task, nowMs), 'run') : undefined);
}

function lengthOf(bars: readonly Bar[], kind: BarKind): number {
  return bars.filter((bar) => bar.kind === kind).reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);
}

const STEPS_MS = [1, 2, 5].flatMap((digit) => [1, 10, 100, 1000].map((size) => digit * size)).sort((a, b) => a - b);
const LONG_STEPS_MS = [10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21_600, 43_200, 86_400].map(
  (seconds) => seconds * 1000,
);

/** Marks of a time axis, ms from its begin: round steps, at most `most` of them. */
export function ticks(spanMs: number, most: number): number[] {
  const steps = [...STEPS_MS, ...LONG_STEPS_MS].filter((step) => spanMs / step <= Math.max(most, 1));
  const step = steps.length > 0 ? Math.min(...steps) : Math.ceil(spanMs / Math.max(most, 1) / 86_400_000) * 86_400_000;
  return Array.from({ length: Math.floor(spanMs / step) + 1 }, (_, index) => index * step);
}
