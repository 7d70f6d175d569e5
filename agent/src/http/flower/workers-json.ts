import type { WorkerRecord } from '../../core/query/records.ts';
import { floatText, intText, stringText } from './python-json.ts';

/** `GET /api/workers?status=1`: each worker's name and whether it is alive. */
export function workerStatusText(workers: readonly WorkerRecord[]): string {
  return objectText(workers.map((worker) => [worker.hostname, worker.online ? 'true' : 'false']));
}

/**
 * `GET /api/workers` in the shape of Flower's inspector (flower/inspector.py). Events tell the process, its clock and
 * the time of its last sign of life; what only an inspect reply holds is there and empty, so that scripts find it.
 */
export function workersText(workers: readonly WorkerRecord[]): string {
  return objectText(workers.map((worker) => [worker.hostname, workerText(worker)]));
}

function workerText(worker: WorkerRecord): string {
  const stats = objectText([
    ['total', '{}'],
    ['pid', worker.pid === null ? 'null' : intText(worker.pid)],
    // `inspect stats` gives the clock as a text.
    ['clock', stringText(String(worker.clock ?? 0))],
  ]);
  return objectText([
    ['active_queues', '[]'],
    ['conf', '{}'],
    ['registered', '[]'],
    ['stats', stats],
    ['timestamp', floatText((worker.lastHeartbeatMs ?? worker.firstSeenMs) / 1000)],
  ]);
}

function objectText(members: readonly (readonly [string, string])[]): string {
  return `{${members.map(([key, text]) => `${stringText(key)}: ${text}`).join(', ')}}`;
}
