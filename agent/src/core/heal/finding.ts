import type { CeleryEvent } from '../events/event.ts';
import { eventIdentity } from '../events/identity.ts';
import { isReady, PENDING, RECEIVED, STARTED } from '../state/states.ts';
import { mergeTaskEvent, type TaskMark, type TaskState } from '../state/task.ts';

/** Where a state was read that no event told: the result backend, a worker that was asked, or the message in its queue. */
export type HealSource = 'result-backend' | 'inspect' | 'queue';

/**
 * Why nobody works on a task any more: its worker is gone; it was started again since; or it is there and does not know
 * the task, which may then have ended while nobody listened, without a result being kept.
 */
export type OrphanReason = 'worker-lost' | 'worker-restarted' | 'end-unheard';

/** A state that was read, under the wire's names; members that are absent are not known. Times are epoch seconds. */
export interface Healed {
  readonly kind: 'healed';
  readonly source: HealSource;
  readonly state: string;
  /** When the task came into it; null where that is not told. */
  readonly at: number | null;
  /** Node name. */
  readonly worker?: string;
  readonly name?: string;
  readonly queue?: string;
  readonly retries?: number;
  /** ISO 8601. */
  readonly eta?: string;
  readonly expires?: string;
  readonly root_id?: string;
  readonly parent_id?: string;
  /** Python reprs. */
  readonly args?: string;
  readonly kwargs?: string;
  readonly result?: string;
  readonly exception?: string;
  readonly traceback?: string;
}

export interface Orphaned {
  readonly kind: 'orphaned';
  readonly reason: OrphanReason;
}

/** An orphaned task in whose place another was sent. */
export interface Replaced {
  readonly kind: 'replaced';
  readonly newTaskId: string;
}

/** What a task was known as when somebody looked: if it is another by now, an event was faster and is right. */
export interface Basis {
  readonly state: string;
  /** Epoch seconds, exactly. */
  readonly timestamp: number;
  readonly mark: TaskMark['kind'] | null;
}

/** Something found out about a task without an event of it. */
export interface Finding {
  readonly taskId: string;
  /** Undefined: the history did not know the task. */
  readonly basis: Basis | undefined;
  readonly verdict: Healed | Orphaned | Replaced;
  /** When it was found out, epoch seconds. */
  readonly foundAt: number;
}

/** Sender of what the agent adds to timelines. No worker: those have an `@` in their names. */
export const FINDER = 'umbel';

const SUBJECT_OF_STATE: ReadonlyMap<string, string> = new Map([
  ['SUCCESS', 'succeeded'],
  ['FAILURE', 'failed'],
  ['REVOKED', 'revoked'],
  ['RECEIVED', 'received'],
  ['STARTED', 'started'],
  ['PENDING', 'sent'],
]);

/** Subject of the task event that leads into the state. */
export function subjectOf(state: string): string {
  return SUBJECT_OF_STATE.get(state) ?? state.toLowerCase();
}

export function basisOf({ state, timestamp, mark }: Pick<TaskState, 'state' | 'timestamp' | 'mark'>): Basis {
  return { state, timestamp: timestamp ?? 0, mark: mark?.kind ?? null };
}

/** Whether the task, undefined where there is none, is still what the finding is about. */
export function isStill(task: TaskState | undefined, { basis }: Finding): boolean {
  if (task === undefined || basis === undefined) return task === undefined && basis === undefined;
  const now = basisOf(task);
  return now.state === basis.state && now.timestamp === basis.timestamp && now.mark === basis.mark;
}

/** Whether nothing more is to be expected of the task. */
export function isEnd({ verdict }: Finding): boolean {
  return verdict.kind !== 'healed' || isReady(verdict.state);
}

/** When a task came into a state that does not end it. */
const BEGINNINGS = new Map<string, 'sent' | 'received' | 'started'>([
  [PENDING, 'sent'],
  [RECEIVED, 'received'],
  [STARTED, 'started'],
]);

/** Of these what events told is as the publisher meant it: a finding only fills in. */
const FILLED_IN = ['name', 'args', 'kwargs', 'retries', 'eta', 'expires', 'root_id', 'parent_id'] as const;

/**
 * Puts the finding into its task. A state is merged as the event would have been that was not heard: what Celery's rules
 * would not take from that event is not taken from here either. Worker and clock stay where the finding tells none, and so
 * does the time of a beginning.
 */
export function applyFinding(task: TaskState, { verdict, foundAt }: Finding): void {
  if (verdict.kind !== 'healed') {
    const detail = verdict.kind === 'orphaned' ? verdict.reason : verdict.newTaskId;
    task.mark = { kind: verdict.kind, detail, at: foundAt };
    return;
  }
  const { source, state, at, worker: told, queue, ...fields } = verdict;
  const worker = told ?? task.worker;
  const { client } = task;
  const subject = subjectOf(state);
  const untold = at === null ? BEGINNINGS.get(state) : undefined;
  const time = untold === undefined ? null : task[untold];
  const body: Record<string, unknown> = { ...fields };
  Reflect.deleteProperty(body, 'kind');
  for (const key of FILLED_IN) if ((task[key] ?? null) !== null) Reflect.deleteProperty(body, key);
  const unheard = { type: `task-${subject}`, group: 'task' as const, subject, uuid: task.uuid, identity: 0 };
  mergeTaskEvent(task, {
    ...unheard,
    hostname: worker ?? '',
    timestamp: at ?? foundAt,
    clock: task.clock,
    receivedMs: foundAt * 1000,
    fields: body,
  });
  task.worker = worker;
  task.client = client;
  if (untold !== undefined) task[untold] = time;
  if (queue !== undefined) task.queue ??= queue;
  task.mark = { kind: 'healed', detail: source, at: foundAt };
}

/** The finding in the task's timeline: an entry of the agent's own, which cannot be mistaken for what a worker sent. */
export function findingEvent({ taskId, verdict, foundAt }: Finding): CeleryEvent {
  const subject = verdict.kind;
  const type = `umbel-${subject}`;
  const told = Object.fromEntries(Object.entries(verdict).filter(([key]) => key !== 'kind'));
  const fields = { ...told, type, uuid: taskId, hostname: FINDER, timestamp: foundAt, clock: 0 };
  const identity = eventIdentity(FINDER, type, taskId, 0, foundAt);
  const head = { type, group: 'task' as const, subject, hostname: FINDER, uuid: taskId, timestamp: foundAt, clock: 0 };
  return { ...head, identity, receivedMs: foundAt * 1000, fields };
}
