import { parseFailure } from '../query/failure.ts';
import type { TaskState } from '../state/task.ts';
import { countOf, type Failure } from './attempts.ts';
import { rootOf } from './ids.ts';

/**
 * What a span or a log record says of itself; names are those of OpenTelemetry's semantic conventions, or `celery.…`.
 * Undefined is what there is nothing to say of. Always written out as a whole: objects of one shape take a fraction of the
 * memory of those that are put together from what there is.
 */
export type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

/** What the events do not tell of a task. */
export interface TaskPlace {
  /** `messaging.system`: `redis`, `rabbitmq`. */
  readonly system: string;
  readonly queue: string;
}

/** Kept of a traceback, characters from its end; Loki takes 64 KB for all that is beside a line. */
export const TRACEBACK_LIMIT = 32_768;

/** A text that is one; Celery checks no types. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** What names the task, on every span and log record of it. */
export function taskAttributes(task: TaskState, { queue }: TaskPlace): Attributes {
  const rootId = rootOf(task.uuid, task.root_id);
  return {
    'celery.task_id': task.uuid,
    'celery.task_name': textOf(task.name),
    'celery.queue': queue,
    'celery.worker': task.worker ?? undefined,
    'celery.state': task.state,
    'celery.retries': countOf(task.retries),
    'celery.root_id': rootId,
    'celery.parent_id': textOf(task.parent_id),
    'celery.healed': markOf(task, 'healed'),
    'celery.orphaned': markOf(task, 'orphaned'),
  };
}

/** What healing found out about the task: where its end was read, or why nobody works on it any more. */
export function markOf({ mark }: TaskState, kind: 'healed' | 'orphaned'): string | undefined {
  return mark?.kind === kind ? mark.detail : undefined;
}

/** `messaging.…` of the message that carried the task. */
export function messagingAttributes(task: TaskState, { system, queue }: TaskPlace): Attributes {
  return {
    'messaging.system': system,
    'messaging.operation.type': 'process',
    'messaging.operation.name': 'run',
    'messaging.destination.name': queue,
    'messaging.message.id': task.uuid,
    'messaging.message.conversation_id': rootOf(task.uuid, task.root_id),
  };
}

/** `exception.type`, `exception.message` and, unless left out, `exception.stacktrace`. */
export function exceptionAttributes({ exception, traceback }: Failure, withTraceback = true): Attributes {
  const failure = parseFailure(exception, traceback);
  return {
    'exception.type': failure?.type,
    'exception.message': textOf(failure?.message),
    'exception.stacktrace': withTraceback ? textOf(traceback)?.slice(-TRACEBACK_LIMIT) : undefined,
  };
}

/** In one line: `ValueError: no address`. */
export function failureText({ exception, traceback }: Failure): string {
  const failure = parseFailure(exception, traceback);
  if (failure === null) return '';
  return failure.message === '' ? failure.type : `${failure.type}: ${failure.message}`;
}
