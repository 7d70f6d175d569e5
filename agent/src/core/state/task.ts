import type { CeleryEvent } from '../events/event.ts';

/**
 * A task as `celery.events.state.Task` (celery/events/state.py) holds it, member for member, under the wire's
 * names. Values stay what the event carried, whatever their type: Celery checks none of them.
 */
export class TaskState {
  readonly uuid: string;
  name: unknown = null;
  state = 'PENDING';
  sent: number | null = null;
  received: number | null = null;
  started: number | null = null;
  succeeded: number | null = null;
  failed: number | null = null;
  retried: number | null = null;
  revoked: number | null = null;
  rejected: number | null = null;
  args: unknown = null;
  kwargs: unknown = null;
  eta: unknown = null;
  expires: unknown = null;
  retries: unknown = null;
  /** Node name of the last worker that sent an event about it; null while only its publisher did. */
  worker: string | null = null;
  result: unknown = null;
  exception: unknown = null;
  timestamp: number | null = null;
  runtime: unknown = null;
  traceback: unknown = null;
  exchange: unknown = null;
  routing_key: unknown = null;
  /** Celery's Task has no `queue`; the history and the metrics need it. */
  queue: unknown = null;
  clock: number = 0;
  /** Node name of the publisher: host of task-sent. */
  client: string | null = null;
  root_id: unknown = null;
  parent_id: unknown = null;
  /** Sender's process of the last merged event. */
  pid: unknown = null;

  constructor(uuid: string) {
    this.uuid = uuid;
  }
}

/** Merges one event into the task by the rules of `celery.events.state.Task.event`. */
export function mergeTaskEvent(task: TaskState, event: CeleryEvent): void {
  throw new Error(`not written: ${task.uuid} ${event.type}`);
}
