import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import type { BrokerTransport, ControlChannel, EventListener, TaskQueues, TransportHealth } from '../port.ts';
import { demoControl, demoTasks } from './cluster.ts';
import { DemoSimulation } from './simulation.ts';

export interface DemoTransportOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Default: another one at every start. */
  readonly seed?: number;
  /** Default 5. */
  readonly tasksPerSecond?: number;
}

const STEP_MS = 100;

/** A simulated cluster in place of a broker: its events begin when it is listened to. Never leaves a gap. */
export function openDemoTransport(options: DemoTransportOptions): BrokerTransport {
  return new DemoTransport(options);
}

class DemoTransport implements BrokerTransport {
  readonly scheme = 'demo';
  readonly control: ControlChannel;
  readonly tasks: TaskQueues;
  readonly displayUrl = 'demo://';
  readonly #options: DemoTransportOptions;
  #stop: (() => void) | undefined;
  #simulation: DemoSimulation | undefined;
  #sinceMs: number;

  constructor(options: DemoTransportOptions) {
    this.#options = options;
    this.#sinceMs = options.clock.now();
    const cluster = { clock: options.clock, simulation: () => this.#simulation };
    this.control = demoControl(cluster);
    this.tasks = demoTasks(cluster);
  }

  consumeEvents(listener: EventListener): void {
    if (this.#stop !== undefined) throw new Error('consumeEvents was called before');
    const { clock, logger, seed, tasksPerSecond } = this.#options;
    const startMs = clock.now();
    const simulation = new DemoSimulation({
      startMs,
      seed: seed ?? startMs,
      ...(tasksPerSecond !== undefined && { tasksPerSecond }),
    });
    this.#simulation = simulation;
    this.#sinceMs = startMs;
    this.#stop = clock.every(STEP_MS, () => {
      for (const message of simulation.step(clock.now())) listener.onMessage(message);
    });
    logger.warn('this is a demo: a simulated cluster inside the agent, no broker is connected');
  }

  settle(): void {
    return undefined; // nothing waits for an acknowledgement
  }

  health(): TransportHealth {
    return { connected: this.#stop !== undefined, sinceMs: this.#sinceMs, reconnects: 0 };
  }

  async close(): Promise<void> {
    this.#stop?.();
    this.#stop = undefined;
    this.#simulation = undefined;
    this.#sinceMs = this.#options.clock.now();
    await Promise.resolve();
  }
}
