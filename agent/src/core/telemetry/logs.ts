import type { CeleryEvent } from '../events/event.ts';
import { WORKER_LOST } from '../events/worker-lost.ts';
import { findingEvent, type Finding, type OrphanReason, subjectOf } from '../heal/finding.ts';
import { stateOfSubject } from '../state/states.ts';
import type { TaskState } from '../state/task.ts';
import { offlineAfterMs, type WorkerState } from '../state/worker.ts';
import type { Failure } from './attempts.ts';
import {
  type Attributes,
  exceptionAttributes,
  failureText,
  taskAttributes,
  type TaskPlace,
  textOf,
} from './attributes.ts';
import { spanIdOf, traceIdOfTask } from './ids.ts';

export type Severity = 'INFO' | 'WARN' | 'ERROR';

/** One log record. */
export interface LogEntry {
  /** Epoch seconds, by the sender's clock: the same in every replica. */
  readonly time: number;
  readonly severity: Severity;
  readonly body: string;
  readonly attributes: Attributes;
  /** Of the task's span; absent for workers. */
  readonly traceId?: string;
  readonly spanId?: string;
}

const TASK_LOGS: Readonly<Record<string, { readonly severity: Severity; readonly text: string }>> = {
  failed: { severity: 'ERROR', text: 'failed' },
  retried: { severity: 'WARN', text: 'is retried' },
  revoked: { severity: 'WARN', text: 'was revoked' },
  rejected: { severity: 'WARN', text: 'was rejected' },
};

/** The record that a task event deserves; undefined where it is no trouble. `retries`: number of the attempt it ends. */
export function taskLog(event: CeleryEvent, task: TaskState, place: TaskPlace, retries: number): LogEntry | undefined {
  const kind = TASK_LOGS[event.subject];
  if (kind === undefined) return undefined;
  const { exception, traceback, terminated, signum, expired, requeue } = event.fields;
  const why = [
    expired === true ? 'it had expired' : '',
    terminated === true ? 'its process was ended' : '',
    requeue === true ? 'back to the queue' : '',
  ];
  const entry = taskEntry(event, task, place, { ...kind, failure: { exception, traceback }, why });
  return {
    ...entry,
    attributes: {
      ...entry.attributes,
      'celery.worker': event.hostname,
      // The task may have gone on, or have been found out about, since: the record is told a moment later.
      'celery.state': stateOfSubject(event.subject),
      'celery.healed': undefined,
      'celery.orphaned': undefined,
      'celery.retries': retries,
      'celery.terminated': terminated === true || undefined,
      'celery.signum': typeof signum === 'string' || typeof signum === 'number' ? signum : undefined,
      'celery.expired': expired === true || undefined,
      'celery.requeue': typeof requeue === 'boolean' ? requeue : undefined,
    },
  };
}

const ORPHAN_TEXTS: Readonly<Record<OrphanReason, string>> = {
  'worker-lost': 'its worker is gone',
  'worker-restarted': 'its worker was started again',
  'end-unheard': 'its worker does not know it any more',
};

/** The record of what was found out about a task without an event of it; undefined where it is no trouble. */
export function findingLog(finding: Finding, task: TaskState, place: TaskPlace): LogEntry | undefined {
  const { verdict } = finding;
  if (verdict.kind === 'replaced') return undefined;
  const event = findingEvent(finding);
  if (verdict.kind === 'orphaned') {
    const severity = verdict.reason === 'end-unheard' ? 'WARN' : 'ERROR';
    return taskEntry(event, task, place, { severity, text: 'is orphaned', why: [ORPHAN_TEXTS[verdict.reason]] });
  }
  const kind = TASK_LOGS[subjectOf(verdict.state)];
  const { exception, traceback } = verdict;
  return (
    kind && taskEntry(event, task, place, { ...kind, failure: { exception, traceback }, why: ['found out later'] })
  );
}

interface TaskTrouble {
  readonly severity: Severity;
  readonly text: string;
  readonly failure?: Failure;
  /** Besides the failure; empty texts are left out. */
  readonly why: readonly string[];
}

function taskEntry(
  { type, timestamp }: CeleryEvent,
  task: TaskState,
  place: TaskPlace,
  { severity, text, failure, why }: TaskTrouble,
): LogEntry {
  const reasons = [failure === undefined ? '' : failureText(failure), ...why].filter((reason) => reason !== '');
  return {
    time: timestamp,
    severity,
    body: `Task ${textOf(task.name) ?? 'unknown'}[${task.uuid}] ${text}${reasons.length === 0 ? '' : `: ${reasons.join(', ')}`}`,
    traceId: traceIdOfTask(task.uuid, task.root_id),
    spanId: spanIdOf(task.uuid, 'task'),
    attributes: {
      'celery.event': type,
      ...taskAttributes(task, place),
      ...(failure && exceptionAttributes(failure)),
    },
  };
}

/** What happened to a worker. */
export type WorkerTurn = 'online' | 'restarted' | 'offline' | 'lost';

const WORKER_LOGS: Readonly<Record<WorkerTurn, { readonly severity: Severity; readonly text: string }>> = {
  online: { severity: 'INFO', text: 'is online' },
  restarted: { severity: 'WARN', text: 'was started again under another process id' },
  offline: { severity: 'WARN', text: 'went offline' },
  lost: { severity: 'ERROR', text: 'sends no heartbeats any more' },
};

/** `event`: absent when it was lost, which no event tells; the time is then that at which it counted as lost. */
export function workerLog(turn: WorkerTurn, worker: WorkerState, event: CeleryEvent | undefined): LogEntry {
  const { severity, text } = WORKER_LOGS[turn];
  return {
    time: event?.timestamp ?? (worker.lastSeenMs + offlineAfterMs(worker)) / 1000,
    severity,
    body: `Worker ${worker.hostname} ${text}`,
    attributes: {
      'celery.event': turn === 'lost' ? WORKER_LOST : event?.type,
      'celery.worker': worker.hostname,
      'celery.worker_change': turn,
      'celery.pid': typeof worker.pid === 'number' ? worker.pid : undefined,
      'celery.version': textOf(worker.sw_ver),
      'celery.system': textOf(worker.sw_sys),
    },
  };
}
