import { offlineAfterMs, type WorkerState } from '../state/worker.ts';
import type { RawMessage } from '../wire/message.ts';

/** Type of what the agent tells of a worker whose heartbeats stopped; Celery has no event for it. */
export const WORKER_LOST = 'worker-lost';

/**
 * That a worker fell silent, as a message like those of workers: the history then keeps it as an event of the worker.
 * Every replica of the agent makes the same event of the same silence, so that it is kept once.
 *
 * @param nowMs epoch ms
 */
export function workerLost(worker: WorkerState, nowMs: number): RawMessage {
  const { hostname, lastTimestamp, clock, pid } = worker;
  const timestamp = lastTimestamp + offlineAfterMs(worker) / 1000;
  const body = { type: WORKER_LOST, hostname, timestamp, clock, pid, last_seen: lastTimestamp };
  return {
    receivedMs: nowMs,
    routingKey: 'worker.lost',
    payload: Buffer.from(JSON.stringify(body)),
    properties: { contentType: 'application/json', contentEncoding: 'utf-8' },
  };
}
