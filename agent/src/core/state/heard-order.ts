import type { CeleryEvent } from '../events/event.ts';

/**
 * The events of one task, each told by whichever of several receivers stored it first, in the order in which a single
 * receiver would have heard them.
 *
 * A broker hands on what one sender sends in the order of sending, so its events are ordered by its own timestamps, then
 * by its clock. Those of different senders are ordered by when they were received: an event counts as heard no later than
 * the next ones of its sender, because a receiver that lags behind the others would otherwise put it after them.
 * Receivers whose system clocks differ by more than the time between two senders' events can still mistake their order.
 */
export function inHeardOrder(events: readonly CeleryEvent[]): CeleryEvent[] {
  const heardMs = new Map<CeleryEvent, number>();
  const next = new Map<string, number>();
  const sent = [...events].sort((a, b) => a.timestamp - b.timestamp || a.clock - b.clock);
  for (const event of sent.toReversed()) {
    const heard = Math.min(event.receivedMs, next.get(event.hostname) ?? Infinity);
    next.set(event.hostname, heard);
    heardMs.set(event, heard);
  }
  // The sort is stable: what was heard at once stays in the order of sending.
  return sent.sort((a, b) => (heardMs.get(a) ?? 0) - (heardMs.get(b) ?? 0));
}
