import type { WorkerInspection } from '../../core/control/service.ts';
import type { WorkerRecord } from '../../core/query/records.ts';
import { objectText } from './answer.ts';
import { floatText, intText, stringText, valueText } from './python-json.ts';

/** `GET /api/workers?status=1`: each worker's name and whether it is alive. */
export function workerStatusText(workers: readonly WorkerRecord[]): string {
  return objectText(workers.map((worker) => [worker.hostname, worker.online ? 'true' : 'false']));
}

/** What was asked of the workers, in the order of Flower's `inspect_methods` (flower/inspector.py). */
const PARTS = [
  ...(['stats', 'active_queues', 'registered', 'scheduled', 'active', 'reserved', 'revoked', 'conf'] as const),
];

/** `GET /api/workers` as the workers answered; parts nobody has told are not there. */
export function inspectionsText(workers: Iterable<readonly [string, WorkerInspection]>): string {
  return objectText([...workers].map(([name, inspection]) => [name, inspectionText(inspection)]));
}

function inspectionText(inspection: WorkerInspection): string {
  const told = PARTS.flatMap((part): [string, string][] => {
    const value = inspection[part];
    return value === undefined ? [] : [[part, valueText(value)]];
  });
  return objectText([...told, ['timestamp', floatText(inspection.timestampMs / 1000)]]);
}

/**
 * The same without remote control. Events tell the process, its clock and the time of its last sign of life; what only
 * an inspect reply holds is there and empty, so that scripts find it.
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
