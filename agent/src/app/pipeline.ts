import { decodeMessage } from '../core/events/decode.ts';
import { workerLost } from '../core/events/worker-lost.ts';
import type { Change, WorkerChange } from '../core/state/change.ts';
import type { ClusterState } from '../core/state/cluster.ts';
import { type EventBatch, eventBatch } from '../sinks/port.ts';

/** Counted since the start of the process; shown on `/api/v1/status`. */
export interface Totals {
  events: number;
  taskEvents: number;
  rejects: number;
  /** Task events of other agents' slices. */
  foreign: number;
  dropped: number;
}

export interface ChangeSinks {
  readonly metrics: { onChange(change: Change, nowMs: number): void };
  readonly live: { publish(change: Change): void };
  readonly otlp: { onChange(change: Change): void } | undefined;
}

export interface Delivery extends ChangeSinks {
  readonly cluster: ClusterState;
  readonly totals: Totals;
  readonly history: { readonly feed: { push(batch: EventBatch): void } } | undefined;
}

/** One decoded message, on its way to every sink. */
export function deliver(batch: EventBatch, nowMs: number, to: Delivery): void {
  for (const event of batch.events) {
    to.totals.events += 1;
    if (event.group === 'task') to.totals.taskEvents += 1;
    const change = to.cluster.apply(event, nowMs);
    if (change !== undefined) publish(change, nowMs, to);
  }
  to.history?.feed.push(batch);
}

/** What the agent noticed by itself: a worker fell silent. No event told it, so the history is given one. */
export function deliverLost(change: WorkerChange, nowMs: number, to: Delivery): void {
  publish(change, nowMs, to);
  const message = workerLost(change.worker, nowMs);
  to.history?.feed.push(eventBatch(message, decodeMessage(message).events));
}

export function publish(change: Change, nowMs: number, to: ChangeSinks): void {
  to.metrics.onChange(change, nowMs);
  to.live.publish(change);
  to.otlp?.onChange(change);
}
