import type { Masker } from '../mask/mask.ts';

/** Replies that hold arguments of tasks (celery/worker/control.py); the `dump_` names are those of old workers. */
const TELLS_TASKS: ReadonlySet<string> = new Set([
  ...['active', 'reserved', 'scheduled', 'query_task'],
  ...['dump_active', 'dump_reserved', 'dump_schedule'],
]);
/** What names a task and its place in them (celery/worker/request.py `Request.info`). */
const HEAD: ReadonlySet<string> = new Set(['id', 'name', 'type', 'hostname', 'delivery_info', 'worker_pid']);

/**
 * A worker's reply with the secrets in the arguments of its tasks masked, as they are masked in events; ids and names,
 * which may hold words like `token`, stay. Other replies are handed back as they are.
 */
export function maskTasks(method: string, reply: unknown, masker: Masker): unknown {
  return TELLS_TASKS.has(method) ? maskWithin(reply, masker) : reply;
}

/** Requests stand in lists, under `request` (scheduled) and under the task's id (query_task). */
function maskWithin(value: unknown, masker: Masker): unknown {
  if (Array.isArray(value)) return value.map((item) => maskWithin(item, masker));
  if (typeof value !== 'object' || value === null) return value;
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  const isRequest = 'args' in value || 'kwargs' in value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]: [string, unknown]) => {
      if (!isRequest) return [key, maskWithin(item, masker)];
      return [key, HEAD.has(key) ? item : masker.value(item)];
    }),
  );
}
