import { isReady, SUCCESS } from '../state/states.ts';
import type { TaskState } from '../state/task.ts';
import type { Attempt } from './attempts.ts';
import {
  type Attributes,
  exceptionAttributes,
  failureText,
  markOf,
  messagingAttributes,
  taskAttributes,
  type TaskPlace,
  textOf,
} from './attributes.ts';
import { rootOf, spanIdOf, traceIdOfTask } from './ids.ts';
import type { SpanLink } from './trace-context.ts';

/** A finished span. Instants are epoch seconds. */
export interface Span {
  readonly name: string;
  /** `consumer`: it stands for a message that was processed. */
  readonly kind: 'consumer' | 'internal';
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly start: number;
  readonly end: number;
  readonly attributes: Attributes;
  readonly events: readonly SpanEvent[];
  readonly links: readonly SpanLink[];
  /** Set when it is in error: what for. */
  readonly error: string | undefined;
}

export interface SpanEvent {
  readonly name: string;
  readonly time: number;
  readonly attributes: Attributes;
}

/** A task without a name is one of which only later events were heard. */
const nameOf = (task: TaskState): string => textOf(task.name) ?? 'unknown task';

/**
 * The time of an ended attempt in the queue, and in the worker. What was not heard of gives no span: without task-sent
 * the time in the queue begins when the worker took the message, and an attempt that never started has no run.
 */
export function attemptSpans(task: TaskState, attempt: Attempt, place: TaskPlace): Span[] {
  const { number, ended, started } = attempt;
  if (ended === undefined) return [];
  const base = {
    kind: 'internal' as const,
    traceId: traceIdOfTask(task.uuid, task.root_id),
    parentSpanId: spanIdOf(task.uuid, 'task'),
    attributes: {
      ...taskAttributes(task, place),
      'celery.retries': number,
      'celery.state': attempt.state ?? task.state,
      'celery.worker': attempt.worker ?? task.worker ?? undefined,
    },
  };
  const spans: Span[] = [];
  const queued = queuedSince(attempt);
  if (queued !== undefined) {
    const end = Math.max(queued, started ?? ended);
    const spanId = spanIdOf(task.uuid, `queue ${number}`);
    spans.push({ ...base, ...NOTHING_ELSE, name: `queue ${nameOf(task)}`, spanId, start: queued, end });
  }
  const ran = ranSince(task, attempt, ended);
  if (ran !== undefined) spans.push({ ...base, ...runOf(task, attempt, ran, ended) });
  return spans;
}

const NOTHING_ELSE = { events: [], links: [], error: undefined } as const;

/** An eta or countdown is no time in the queue. */
function queuedSince({ sent, received, due }: Attempt): number | undefined {
  const since = sent ?? received;
  return since !== undefined && due !== undefined ? Math.max(since, due) : since;
}

function ranSince({ runtime }: TaskState, { started, failure }: Attempt, ended: number): number | undefined {
  if (started !== undefined) return Math.min(started, ended);
  return failure === undefined && typeof runtime === 'number' && runtime >= 0 ? ended - runtime : undefined;
}

function runOf(task: TaskState, { number, failure, link }: Attempt, start: number, end: number) {
  return {
    name: `run ${nameOf(task)}`,
    spanId: spanIdOf(task.uuid, `run ${number}`),
    start,
    end,
    events: failure === undefined ? [] : [exceptionEvent(failure, end)],
    links: link === undefined ? [] : [link],
    error: failure === undefined ? orphanText(task) : failureText(failure),
  };
}

function orphanText(task: TaskState): string | undefined {
  const reason = markOf(task, 'orphaned');
  return reason === undefined ? undefined : `orphaned: ${reason}`;
}

function exceptionEvent(failure: NonNullable<Attempt['failure']>, time: number): SpanEvent {
  return { name: 'exception', time, attributes: exceptionAttributes(failure) };
}

/** The whole of a task that has ended, from its publication to its end, with its retries as events. */
export function taskSpan(task: TaskState, attempts: readonly Attempt[], place: TaskPlace): Span {
  const last = attempts.at(-1);
  const end = Math.max(...attempts.map(({ ended }) => ended ?? -Infinity), 0) || (task.timestamp ?? 0);
  const starts = attempts.flatMap(({ sent, received, started }) => sent ?? received ?? started ?? []);
  // Celery's merged state stays STARTED when a worker rejects the message.
  const state = isReady(task.state) ? task.state : (last?.state ?? task.state);
  const isFailed = state !== SUCCESS;
  const failure = isFailed ? last?.failure : undefined;
  const orphaned = orphanText(task);
  const rootId = rootOf(task.uuid, task.root_id);
  return {
    name: nameOf(task),
    kind: 'consumer',
    traceId: traceIdOfTask(task.uuid, task.root_id),
    spanId: spanIdOf(task.uuid, 'task'),
    parentSpanId: parentSpanId(task, rootId),
    start: Math.min(end, ...starts),
    end,
    attributes: {
      ...messagingAttributes(task, place),
      ...taskAttributes(task, place),
      'celery.state': state,
      'celery.client': task.client ?? undefined,
      'celery.eta': textOf(task.eta),
      'celery.runtime': typeof task.runtime === 'number' ? task.runtime : undefined,
      'error.type': orphaned === undefined ? (isFailed ? errorType(state, failure) : undefined) : 'orphaned',
    },
    events: [
      ...attempts.flatMap((attempt) => (attempt === last ? [] : retryEvent(attempt))),
      ...(failure === undefined ? [] : [exceptionEvent(failure, end)]),
    ],
    links: attempts.flatMap(({ link }) => link ?? []).filter(isFirst),
    error: orphaned ?? (isFailed ? (failure && failureText(failure)) || state.toLowerCase() : undefined),
  };
}

/** The task that published this one; that of the workflow's root where only this is known. */
function parentSpanId({ uuid, parent_id }: TaskState, rootId: string): string | undefined {
  const parentId = textOf(parent_id) ?? rootId;
  return parentId === uuid ? undefined : spanIdOf(parentId, 'task');
}

/** A retry that was published without being told of has no end; the attempt that follows proves it. */
function retryEvent({ number, ended, failure }: Attempt): SpanEvent[] {
  if (ended === undefined) return [];
  const attributes = { 'celery.retries': number, ...(failure && exceptionAttributes(failure, false)) };
  return [{ name: 'retry', time: ended, attributes }];
}

/** Celery counts a revoked task among the exceptions too; a rejected message was not processed. */
function errorType(state: string, failure: Attempt['failure']): string {
  const type = failure && exceptionAttributes(failure, false)['exception.type'];
  return typeof type === 'string' ? type : state.toLowerCase();
}

function isFirst({ spanId }: SpanLink, index: number, all: readonly SpanLink[]): boolean {
  return all.findIndex((other) => other.spanId === spanId) === index;
}
