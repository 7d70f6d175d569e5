import type { CeleryEvent } from '../events/event.ts';
import { WORKER_LOST } from '../events/worker-lost.ts';
import type { TaskState } from '../state/task.ts';
import { offlineAfterMs, type WorkerState } from '../state/worker.ts';
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
  const failure = { exception, traceback };
  const why = [
    failureText(failure),
    expired === true ? 'it had expired' : '',
    terminated === true ? 'its process was ended' : '',
    requeue === true ? 'back to the queue' : '',
  ].filter((text) => text !== '');
  return {
    time: event.timestamp,
    severity: kind.severity,
    body: `Task ${textOf(task.name) ?? 'unknown'}[${task.uuid}] ${kind.text}${why.length === 0 ? '' : `: ${why.join(', ')}`}`,
    traceId: traceIdOfTask(task.uuid, task.root_id),
    spanId: spanIdOf(task.uuid, 'task'),
    attributes: {
      'celery.event': event.type,
      ...taskAttributes(task, place),
      'celery.worker': event.hostname,
      'celery.retries': retries,
      ...exceptionAttributes(failure),
      'celery.terminated': terminated === true || undefined,
      'celery.signum': typeof signum === 'string' || typeof signum === 'number' ? signum : undefined,
      'celery.expired': expired === true || undefined,
      'celery.requeue': typeof requeue === 'boolean' ? requeue : undefined,
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
