import type { Sender } from './senders.ts';
import type { Sample, SampleFamily } from './series.ts';

interface Host {
  readonly up: Sample;
  active: Sample | undefined;
  readonly workers: Set<Sender>;
}

/** The exporter's gauges of a host, over all its workers: up if any is, active added up. (The exporter lets the last event win.) */
export class HostGauges {
  readonly #up: SampleFamily;
  readonly #active: SampleFamily;
  readonly #hosts = new Map<string, Host>();

  constructor(up: SampleFamily, active: SampleFamily) {
    this.#up = up;
    this.#active = active;
  }

  /** Call after `online` or `active` of a worker changed. `tellsActive`: the active gauge exists from now on. */
  update(sender: Sender, tellsActive: boolean): void {
    let host = this.#hosts.get(sender.host);
    if (host === undefined) {
      host = { up: this.#up.acquire(sender.host), active: undefined, workers: new Set() };
      this.#hosts.set(sender.host, host);
    }
    host.workers.add(sender);
    if (tellsActive) host.active ??= this.#active.acquire(sender.host);
    this.#compute(host);
  }

  leave(sender: Sender): void {
    const host = this.#hosts.get(sender.host);
    if (host === undefined || !host.workers.delete(sender)) return;
    if (host.workers.size > 0) {
      this.#compute(host);
      return;
    }
    this.#up.release(host.up);
    if (host.active !== undefined) this.#active.release(host.active);
    this.#hosts.delete(sender.host);
  }

  #compute(host: Host): void {
    let up = 0;
    let active = 0;
    for (const worker of host.workers) {
      if (!worker.online) continue;
      up = 1;
      active += worker.active;
    }
    host.up.value = up;
    if (host.active !== undefined) host.active.value = active;
  }
}
