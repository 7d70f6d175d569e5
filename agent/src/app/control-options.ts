import type { Config } from '../config/config.ts';
import type { ControlOptions } from '../control/deps.ts';

/** `origin` is the sender's name in new tasks. */
export function controlOptions({ control, metrics }: Config, origin: string): ControlOptions {
  return {
    inspectTimeoutMs: control.inspectTimeoutMs,
    enableEvents: control.enableEvents,
    defaultQueue: metrics.defaultQueue,
    queues: metrics.queues,
    origin,
  };
}
