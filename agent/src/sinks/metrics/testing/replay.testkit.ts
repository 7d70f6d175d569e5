import { decodeMessage } from '../../../core/events/decode.ts';
import type { CeleryEvent } from '../../../core/events/event.ts';
import { ClusterState } from '../../../core/state/cluster.ts';
import type { Clock } from '../../../lib/clock.ts';
import { type Metrics, createMetrics } from '../metrics.ts';
import type { MetricsOptions } from '../options.ts';

/** Events of the tests happen from here on, epoch ms. */
export const START_MS = 1_795_400_000_000;

/** A clock that stands still until it is set. */
export class SetClock implements Clock {
  nowMs = START_MS;
  now(): number {
    return this.nowMs;
  }
  every(): () => void {
    return () => undefined;
  }
  after(): () => void {
    return () => undefined;
  }
  sleep(): Promise<void> {
    return Promise.resolve();
  }
}

export type Body = Readonly<Record<string, unknown>> & { readonly type: string };

/** Metrics behind the real decoder and model, fed with the bodies of events. */
export class Replay {
  readonly clock = new SetClock();
  readonly metrics: Metrics;
  readonly #state = new ClusterState({ openTasks: 10_000, finishedTasks: 10_000, workers: 1000, recentEvents: 10_000 });
  #sent = 0;

  constructor(options: Partial<MetricsOptions> = {}) {
    this.metrics = createMetrics({ processSet: false, ...options }, this.clock);
  }

  event(event: CeleryEvent): void {
    const change = this.#state.apply(event, this.clock.nowMs);
    if (change !== undefined) this.metrics.onChange(change, this.clock.nowMs);
  }

  /** Sends an event as a worker would: what is missing of its head is filled in, `timestamp` from the clock. */
  send(type: string, body: Readonly<Record<string, unknown>> = {}): void {
    this.#sent += 1;
    const head = { hostname: 'celery@host', uuid: 'task-1', timestamp: this.clock.nowMs / 1000, clock: this.#sent };
    const text = JSON.stringify({ ...head, pid: 1, ...body, type });
    const payload = Buffer.from(
      JSON.stringify({
        body: Buffer.from(text).toString('base64'),
        'content-type': 'application/json',
        'content-encoding': 'utf-8',
        properties: { body_encoding: 'base64' },
        headers: {},
      }),
    );
    const { events, rejects } = decodeMessage({ receivedMs: this.clock.nowMs, routingKey: type, payload });
    if (rejects[0] !== undefined) throw new Error(rejects[0].detail);
    for (const event of events) this.event(event);
  }

  /** Moves the clock and sweeps. */
  pass(ms: number): void {
    this.clock.nowMs += ms;
    this.metrics.sweep(this.clock.nowMs);
  }

  async text(accept?: string): Promise<string> {
    return (await this.metrics.text(accept)).body;
  }

  /** The samples of the families whose names begin so, `name{labels} value`, without comments. */
  async lines(prefix: string): Promise<string[]> {
    return (await this.text()).split('\n').filter((line) => line.startsWith(prefix));
  }
}
