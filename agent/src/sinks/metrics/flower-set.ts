import type { CeleryEvent } from '../../core/events/event.ts';
import { rootOf } from '../../core/telemetry/ids.ts';
import type { TaskState } from '../../core/state/task.ts';
import type { EventType } from './event-types.ts';
import { FAILED, RECEIVED, REJECTED, REVOKED, STARTED, SUCCEEDED } from './event-types.ts';
import type { FlowerGroup, FlowerLeaf } from './groups.ts';
import type { MetricsOptions } from './options.ts';
import type { Sender } from './senders.ts';
import type { HistogramFamily, HistogramSeries, Sample, SampleFamily } from './series.ts';

export interface FlowerFamilies {
  readonly events: SampleFamily;
  readonly runtime: HistogramFamily;
  readonly prefetchTime: SampleFamily;
  readonly prefetched: SampleFamily;
  readonly online: SampleFamily;
  readonly executing: SampleFamily;
}

/** A task event, and what the sets need to know beside it. */
export interface TaskObservation {
  readonly event: CeleryEvent;
  readonly task: TaskState;
  /** Empty when unknown. */
  readonly name: string;
  readonly nowMs: number;
}

interface WorkerGauges {
  readonly online: Sample;
  executing: Sample | undefined;
}

/**
 * Flower's families, moved as flower/events.py `PrometheusMetrics` moves them, with three differences: a runtime of 0 is
 * observed, the prefetched gauge never falls below 0, and a worker without heartbeat becomes 0 after the worker timeout.
 */
export class FlowerSet {
  readonly #families: FlowerFamilies;
  readonly #options: MetricsOptions;
  readonly #groups = new Map<string, FlowerGroup>();
  readonly #gauges = new Map<Sender, WorkerGauges>();
  /** Counts what finds no room; its gauges would mean nothing. */
  readonly #overflow = emptyLeaf('other', 'other');
  #leafCount = 0;

  constructor(families: FlowerFamilies, options: MetricsOptions) {
    this.#families = families;
    this.#options = options;
  }

  join(sender: Sender): void {
    const worker = sender.label;
    let group = this.#groups.get(worker);
    if (group === undefined) {
      group = { worker, leaves: new Map(), senders: 0 };
      this.#groups.set(worker, group);
    }
    group.senders += 1;
    sender.flower = group;
  }

  /** Counts one task event. */
  task(sender: Sender, type: EventType, { event, task, name, nowMs }: TaskObservation): void {
    const group = sender.flower;
    if (group === undefined) return;
    const leaf = group.leaves.get(name) ?? this.#newLeaf(group, name);
    leaf.lastMs = nowMs;
    const counter = leaf.events[type.index] ?? this.#typeCounter(leaf, type);
    counter.value += 1;
    const runtime = event.fields['runtime'];
    if (typeof runtime === 'number' && Number.isFinite(runtime)) {
      leaf.runtime ??= this.#acquireRuntime(leaf);
      leaf.runtime.observe(runtime, rootOf(task.uuid, task.root_id), event.timestamp);
    }
    if (!task.eta && task.received && leaf !== this.#overflow) this.#prefetch(leaf, type.index, task, task.received);
  }

  /** worker-online and worker-heartbeat; `active` as the heartbeat told it. */
  alive(sender: Sender, active: number | undefined): void {
    const gauges = this.#gaugesOf(sender);
    gauges.online.value = 1;
    if (active === undefined) return;
    gauges.executing ??= this.#families.executing.acquire(sender.node);
    gauges.executing.value = active;
  }

  /** worker-offline: the executing gauge keeps its last value until the timeout, as in Flower. */
  offline(sender: Sender): void {
    this.#gaugesOf(sender).online.value = 0;
  }

  timedOut(sender: Sender): void {
    const gauges = this.#gauges.get(sender);
    if (gauges === undefined) return;
    gauges.online.value = 0;
    if (gauges.executing !== undefined) gauges.executing.value = 0;
  }

  /** A new process has nothing prefetched, whatever events were lost. */
  restarted(sender: Sender): void {
    for (const leaf of sender.flower?.leaves.values() ?? []) {
      if (leaf.prefetched !== undefined) leaf.prefetched.value = 0;
    }
  }

  /** Removes every series of the sender, unless other senders share its label. */
  leave(sender: Sender): void {
    const gauges = this.#gauges.get(sender);
    if (gauges !== undefined) {
      this.#families.online.release(gauges.online);
      if (gauges.executing !== undefined) this.#families.executing.release(gauges.executing);
      this.#gauges.delete(sender);
    }
    const group = sender.flower;
    if (group === undefined) return;
    sender.flower = undefined;
    group.senders -= 1;
    if (group.senders > 0) return;
    for (const leaf of group.leaves.values()) this.#release(leaf);
    this.#groups.delete(group.worker);
  }

  /** Removes the label sets that nothing moved since `beforeMs`. */
  expire(beforeMs: number): void {
    for (const group of this.#groups.values()) {
      for (const [name, leaf] of group.leaves) {
        if (leaf.lastMs >= beforeMs) continue;
        this.#release(leaf);
        group.leaves.delete(name);
      }
    }
  }

  /** Only tasks without eta and with a known received time come here. */
  #prefetch(leaf: FlowerLeaf, type: number, task: TaskState, received: number): void {
    if (type === RECEIVED) {
      leaf.prefetched ??= this.#families.prefetched.acquire(leaf.worker, leaf.task);
      leaf.prefetched.value += 1;
    } else if (type === STARTED && task.started) {
      this.#setPrefetchTime(leaf, task.started - received);
      this.#onePrefetchedLess(leaf);
    } else if ((type === SUCCEEDED || type === FAILED) && task.started) {
      this.#setPrefetchTime(leaf, 0);
    } else if ((type === REVOKED || type === REJECTED) && !task.started) {
      this.#onePrefetchedLess(leaf);
    }
  }

  #setPrefetchTime(leaf: FlowerLeaf, seconds: number): void {
    leaf.prefetchTime ??= this.#families.prefetchTime.acquire(leaf.worker, leaf.task);
    leaf.prefetchTime.value = seconds;
  }

  #onePrefetchedLess(leaf: FlowerLeaf): void {
    leaf.prefetched ??= this.#families.prefetched.acquire(leaf.worker, leaf.task);
    if (leaf.prefetched.value > 0) leaf.prefetched.value -= 1;
  }

  #gaugesOf(sender: Sender): WorkerGauges {
    let gauges = this.#gauges.get(sender);
    if (gauges === undefined) {
      gauges = { online: this.#families.online.acquire(sender.node), executing: undefined };
      this.#gauges.set(sender, gauges);
    }
    return gauges;
  }

  #typeCounter(leaf: FlowerLeaf, type: EventType): Sample {
    const counter = this.#families.events.acquire(leaf.worker, type.label, leaf.task);
    leaf.events[type.index] = counter;
    return counter;
  }

  #acquireRuntime(leaf: FlowerLeaf): HistogramSeries {
    const { runtime } = this.#families;
    return this.#options.histogramWorkerLabel ? runtime.acquire(leaf.worker, leaf.task) : runtime.acquire(leaf.task);
  }

  #newLeaf(group: FlowerGroup, task: string): FlowerLeaf {
    const { maxLabelSetsPerFamily } = this.#options;
    if (maxLabelSetsPerFamily > 0 && this.#leafCount >= maxLabelSetsPerFamily) {
      this.#families.events.dropped += 1;
      return this.#overflow;
    }
    this.#leafCount += 1;
    const leaf = emptyLeaf(group.worker, task);
    group.leaves.set(task, leaf);
    return leaf;
  }

  #release(leaf: FlowerLeaf): void {
    this.#leafCount -= 1;
    for (const counter of leaf.events) if (counter !== undefined) this.#families.events.release(counter);
    if (leaf.runtime !== undefined) this.#families.runtime.release(leaf.runtime);
    if (leaf.prefetchTime !== undefined) this.#families.prefetchTime.release(leaf.prefetchTime);
    if (leaf.prefetched !== undefined) this.#families.prefetched.release(leaf.prefetched);
  }
}

function emptyLeaf(worker: string, task: string): FlowerLeaf {
  return {
    worker,
    task,
    lastMs: 0,
    events: [],
    runtime: undefined,
    prefetchTime: undefined,
    prefetched: undefined,
  };
}
