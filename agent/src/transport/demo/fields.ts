import type { DemoTask, DemoWorker } from './model.ts';
import type { Random } from './random.ts';

/** What a worker tells of itself in `worker-online`, `-heartbeat` and `-offline`. */
export function workerStatus(worker: DemoWorker, random: Random): Record<string, unknown> {
  const load = worker.active.size / 2;
  const loadavg = [1, 0.9, 0.8].map((part) => Math.round((load * part + random.between(0.05, 0.4)) * 100) / 100);
  return {
    freq: 2,
    active: worker.active.size,
    processed: worker.processed,
    loadavg,
    sw_ident: 'py-celery',
    sw_ver: '5.7.0',
    sw_sys: 'Linux',
  };
}

/** Tasks that a worker has taken and not finished, put-off ones aside. */
export function held(worker: DemoWorker): number {
  return worker.active.size + worker.reserved.length;
}

/** The fields of a task message that `task-sent` and `task-received` repeat. */
export function messageFields(task: DemoTask): Record<string, unknown> {
  return {
    name: task.kind.name,
    args: task.args,
    kwargs: task.kwargs,
    root_id: task.rootId,
    parent_id: task.parentId,
    retries: task.retries,
    eta: isoTime(task.etaMs),
    expires: isoTime(task.expiresMs),
  };
}

/** As Python's `isoformat()` of an aware datetime in UTC. */
function isoTime(epochMs: number | undefined): string | null {
  return epochMs === undefined ? null : new Date(epochMs).toISOString().replace('Z', '000+00:00');
}
