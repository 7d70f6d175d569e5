import type { TaskChange } from '../../core/state/change.ts';
import type { WorkerState } from '../../core/state/worker.ts';
import { asDisplayText, asInteger, asNumber, asNumbers, asText } from '../../core/wire/fields.ts';
import type { LiveTask, LiveWorker } from '../../http/ports.ts';

/** Longer texts are cut: the stream tells that something happened, the API tells all of it. */
const EXCEPTION_LIMIT = 1000;
const LINE_LIMIT = 200;

/** A copy of what a subscriber may see: the model goes on changing its own objects. */
export function liveTask({ event, task, before }: TaskChange): LiveTask {
  const runtime = asNumber(task.runtime);
  return {
    kind: 'task',
    type: event.type,
    timestampMs: event.timestamp * 1000,
    taskId: task.uuid,
    name: asText(task.name),
    state: task.state,
    previousState: before ?? null,
    worker: task.worker,
    queue: asText(task.queue),
    rootId: asText(task.root_id),
    parentId: asText(task.parent_id),
    args: cut(task.args, LINE_LIMIT),
    kwargs: cut(task.kwargs, LINE_LIMIT),
    retries: asInteger(task.retries),
    runtimeMs: runtime === null ? null : runtime * 1000,
    result: cut(task.result, LINE_LIMIT),
    exception: cut(task.exception, EXCEPTION_LIMIT),
  };
}

const cut = (value: unknown, limit: number): string | null => asDisplayText(value)?.slice(0, limit) ?? null;

/** `type`: of the event that caused it, or `worker-lost`. */
export function liveWorker(
  worker: WorkerState,
  cause: {
    readonly type: string;
    readonly timestampMs: number;
    readonly wasOnline: boolean;
    readonly restarted: boolean;
  },
): LiveWorker {
  return {
    kind: 'worker',
    type: cause.type,
    timestampMs: cause.timestampMs,
    worker: worker.hostname,
    online: worker.online,
    wasOnline: cause.wasOnline,
    restarted: cause.restarted,
    pid: asInteger(worker.pid),
    active: asInteger(worker.active),
    processed: asInteger(worker.processed),
    loadavg: asNumbers(worker.loadavg),
  };
}
