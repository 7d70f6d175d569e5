import type { ControlRequest, Target } from '../core/control/command.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { BrokerTransport } from '../transport/port.ts';
import type { KnownWorker } from './deps.ts';

/** As Flower (flower/events.py `events_enable_interval`), ms. */
export const ENABLE_EVENTS_EVERY_MS = 5000;
const LOOK_EVERY_MS = 1000;

export interface EventSwitchDeps {
  readonly transport: Pick<BrokerTransport, 'scheme' | 'control' | 'health'>;
  readonly workers: () => readonly KnownWorker[];
  /** Switch task events on; without it only the heartbeat after a connection is asked for. */
  readonly enableEvents: boolean;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Keeps workers telling: asks everybody for a heartbeat after each (re)connection, as Celery's own receiver does, and
 * every 5 s tells those without task events to send them, as Flower does. Sent without asking for replies. Who was told
 * by hand to stop sending is left alone until told otherwise.
 */
export class EventSwitch {
  readonly #deps: EventSwitchDeps;
  readonly #muted = new Set<string>();
  #heardConnection: number | undefined;
  #nextMs = 0;
  #stop: () => void = () => undefined;
  #failing = false;

  constructor(deps: EventSwitchDeps) {
    this.#deps = deps;
  }

  start(): void {
    if (this.#deps.transport.scheme === 'demo') return;
    this.#look();
    this.#stop = this.#deps.clock.every(LOOK_EVERY_MS, () => this.#look());
  }

  stop(): void {
    this.#stop();
  }

  /** To be told of commands that were sent by hand, with the workers they reach. */
  noticed({ method, target }: ControlRequest, reached: readonly string[]): void {
    if (method === 'enable_events') {
      if (target.kind === 'all') this.#muted.clear();
      for (const worker of reached) this.#muted.delete(worker);
    }
    if (method === 'disable_events') for (const worker of reached) this.#muted.add(worker);
  }

  #look(): void {
    const { clock, transport, enableEvents } = this.#deps;
    const { connected, sinceMs } = transport.health();
    if (!connected) {
      this.#heardConnection = undefined;
      return;
    }
    const nowMs = clock.now();
    if (this.#heardConnection !== sinceMs) {
      this.#heardConnection = sinceMs;
      this.#nextMs = nowMs;
      void this.#cast('heartbeat', { kind: 'all' });
    }
    if (!enableEvents || nowMs < this.#nextMs) return;
    this.#nextMs = nowMs + ENABLE_EVENTS_EVERY_MS;
    const target = this.#unmuted();
    if (target !== undefined) void this.#cast('enable_events', target);
  }

  #unmuted(): Target | undefined {
    if (this.#muted.size === 0) return { kind: 'all' };
    const [first, ...rest] = this.#deps
      .workers()
      .filter(({ hostname, online }) => online && !this.#muted.has(hostname))
      .map(({ hostname }) => hostname);
    return first === undefined ? undefined : { kind: 'workers', workers: [first, ...rest] };
  }

  async #cast(method: string, target: Target): Promise<void> {
    try {
      await this.#deps.transport.control.cast({ method, arguments: {}, target });
      this.#failing = false;
    } catch (error) {
      if (!this.#failing) this.#deps.logger.warn({ err: error, method }, 'a command could not be sent to the workers');
      this.#failing = true;
    }
  }
}
