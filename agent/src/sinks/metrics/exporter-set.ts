import type { CeleryEvent } from '../../core/events/event.ts';
import { exceptionType, UNKNOWN_EXCEPTION } from '../../core/query/failure.ts';
import { etaSeconds } from '../../core/state/eta.ts';
import type { TaskState } from '../../core/state/task.ts';
import { rootOf } from '../../core/telemetry/ids.ts';
import type { EventType } from './event-types.ts';
import { FAILED, REVOKED, SENT, STARTED, SUCCEEDED } from './event-types.ts';
import type { ExporterGroup, ExporterLeaf } from './groups.ts';
import { HostGauges } from './host-gauges.ts';
import { labelText } from './label-text.ts';
import type { MetricsOptions } from './options.ts';
import type { QueueNames } from './queue-names.ts';
import type { Sender } from './senders.ts';
import type { HistogramFamily, HistogramSeries, Sample, SampleFamily } from './series.ts';

export interface ExporterFamilies {
  readonly sent: SampleFamily;
  /** By `EventType.index`, without task-sent and task-failed. */
  readonly counters: readonly (SampleFamily | undefined)[];
  readonly failed: SampleFamily;
  readonly expired: SampleFamily;
  readonly runtime: HistogramFamily;
  readonly wait: HistogramFamily;
  readonly up: SampleFamily;
  readonly active: SampleFamily;
}

/** Label value of `name` where the exporter knows none: Python's `str(None)`. */
const NO_NAME = 'None';
const NO_COUNTERS: readonly Sample[] = [];
/** Names whose exception classes are remembered. */
const MAX_NAMES = 10_000;

/** celery-exporter's families, moved as its `track_task_event` moves them, with the differences of docs/metrics.md. */
export class ExporterSet {
  readonly hosts: HostGauges;
  readonly #families: ExporterFamilies;
  readonly #options: MetricsOptions;
  readonly #groups = new Map<string, ExporterGroup>();
  readonly #overflow = emptyLeaf('other', 'other', 'other', NO_COUNTERS);
  readonly #queues: QueueNames;
  readonly #exceptionsOfName = new Map<string, Set<string>>();
  #leafCount = 0;

  constructor(families: ExporterFamilies, options: MetricsOptions, queues: QueueNames) {
    this.#families = families;
    this.#options = options;
    this.#queues = queues;
    this.hosts = new HostGauges(families.up, families.active);
  }

  /** Counts one task event of the sender. */
  task(sender: Sender, type: EventType, event: CeleryEvent, task: TaskState, nowMs: number): void {
    const isSent = type.index === SENT;
    const group = isSent ? (sender.sent ?? this.#joinSent(sender)) : (sender.worked ?? this.#joinWorked(sender));
    const name = task.name === null || task.name === undefined ? NO_NAME : labelText(task.name);
    const queue = this.#queues.of(task);
    const leaf = group.leaves.get(name)?.get(queue) ?? this.#newLeaf(group, name, queue);
    leaf.lastMs = nowMs;
    const counter = leaf.counters[type.index];
    if (counter !== undefined) counter.value += 1;
    if (type.index === SUCCEEDED) this.#succeeded(leaf, event, task);
    else if (type.index === STARTED) this.#started(leaf, event, task);
    else if (type.index === FAILED) this.#failed(leaf, event).value += 1;
    else if (type.index === REVOKED && event.fields['expired'] === true)
      (leaf.expired ??= this.#acquireExpired(leaf)).value += 1;
    else if (isSent) (leaf.sent ??= this.#acquireSent(leaf)).value += 1;
  }

  /** The first heartbeat of the sender tells that it is a worker. */
  becameWorker(sender: Sender): void {
    for (const group of new Set([sender.sent, sender.worked])) if (group !== undefined) group.workers += 1;
  }

  /**
   * Removes the series of a sender's hostname when it was the last worker there (whatever publishers remain, as the
   * exporter does), or the last sender.
   */
  leave(sender: Sender): void {
    this.hosts.leave(sender);
    for (const group of new Set([sender.sent, sender.worked])) {
      if (group === undefined) continue;
      group.senders -= 1;
      const isWorker = sender.lastHeartbeatMs > 0;
      if (isWorker) group.workers -= 1;
      if (group.senders > 0 && !(isWorker && group.workers === 0)) continue;
      for (const byQueue of group.leaves.values()) for (const leaf of byQueue.values()) this.#release(leaf);
      group.leaves.clear();
      if (group.senders === 0) this.#groups.delete(group.hostname);
    }
    sender.sent = undefined;
    sender.worked = undefined;
  }

  /** When each task name was last counted, epoch ms. */
  lastSeenMs(): ReadonlyMap<string, number> {
    const seen = new Map<string, number>();
    for (const { leaves } of this.#groups.values()) {
      for (const [name, byQueue] of leaves) {
        for (const { lastMs } of byQueue.values()) if (lastMs > (seen.get(name) ?? 0)) seen.set(name, lastMs);
      }
    }
    return seen;
  }

  /** Removes the label sets that nothing moved since `beforeMs`. */
  expire(beforeMs: number): void {
    for (const group of this.#groups.values()) {
      for (const [name, byQueue] of group.leaves) {
        for (const [queue, leaf] of byQueue) {
          if (leaf.lastMs >= beforeMs) continue;
          this.#release(leaf);
          byQueue.delete(queue);
        }
        if (byQueue.size === 0) group.leaves.delete(name);
      }
    }
  }

  #succeeded(leaf: ExporterLeaf, event: CeleryEvent, task: TaskState): void {
    const runtime = event.fields['runtime'];
    if (typeof runtime !== 'number' || !Number.isFinite(runtime)) return;
    leaf.runtime ??= this.#acquireHistogram(this.#families.runtime, leaf);
    leaf.runtime.observe(runtime, rootOf(task.uuid, task.root_id), event.timestamp);
  }

  /** Each delivery is measured anew; the wait for an eta, a retry's back-off too, is no waiting in the queue. */
  #started(leaf: ExporterLeaf, event: CeleryEvent, task: TaskState): void {
    if (task.sent === null) return;
    const due = task.eta ? Math.max(task.sent, etaSeconds(task.eta)) : task.sent;
    leaf.wait ??= this.#acquireHistogram(this.#families.wait, leaf);
    leaf.wait.observe(Math.max(0, event.timestamp - due));
  }

  #failed(leaf: ExporterLeaf, event: CeleryEvent): Sample {
    const found = exceptionType(event.fields['exception'], event.fields['traceback']);
    const type = found === null || found === UNKNOWN_EXCEPTION ? 'UnknownException' : labelText(found);
    const known = leaf.failed.get(type);
    if (known !== undefined) return known;
    const label = this.#exceptionLabel(leaf.name, type);
    const counter =
      leaf.failed.get(label) ?? this.#families.failed.acquire(leaf.name, leaf.hostname, label, leaf.queue);
    leaf.failed.set(label, counter);
    return counter;
  }

  #exceptionLabel(name: string, type: string): string {
    let types = this.#exceptionsOfName.get(name);
    if (types === undefined) {
      if (this.#exceptionsOfName.size >= MAX_NAMES) this.#exceptionsOfName.clear();
      types = new Set();
      this.#exceptionsOfName.set(name, types);
    }
    if (types.has(type)) return type;
    if (types.size >= this.#options.maxExceptionsPerTask) return 'other';
    types.add(type);
    return type;
  }

  #joinSent(sender: Sender): ExporterGroup {
    const group = this.#groupOf(this.#options.genericHostnameSent ? 'generic' : sender.host);
    sender.sent = this.#join(sender, group, sender.worked);
    return group;
  }

  #joinWorked(sender: Sender): ExporterGroup {
    const group = this.#groupOf(this.#options.genericHostnameWorker ? 'generic' : sender.host);
    sender.worked = this.#join(sender, group, sender.sent);
    return group;
  }

  #join(sender: Sender, group: ExporterGroup, joined: ExporterGroup | undefined): ExporterGroup {
    if (group === joined) return group;
    group.senders += 1;
    if (sender.lastHeartbeatMs > 0) group.workers += 1;
    return group;
  }

  #groupOf(hostname: string): ExporterGroup {
    let group = this.#groups.get(hostname);
    if (group === undefined) {
      group = { hostname, leaves: new Map(), senders: 0, workers: 0 };
      this.#groups.set(hostname, group);
    }
    return group;
  }

  #acquireSent(leaf: ExporterLeaf): Sample {
    return this.#families.sent.acquire(leaf.name, leaf.hostname, leaf.queue);
  }

  /** Without the host, which says nothing here: the tasks were too late before any worker had them. */
  #acquireExpired(leaf: ExporterLeaf): Sample {
    return this.#families.expired.acquire(leaf.name, leaf.queue);
  }

  #acquireHistogram(family: HistogramFamily, leaf: ExporterLeaf): HistogramSeries {
    return this.#options.histogramWorkerLabel
      ? family.acquire(leaf.name, leaf.hostname, leaf.queue)
      : family.acquire(leaf.name, leaf.queue);
  }

  /** Creates the counters at 0, as the exporter does: without them a rate of failures has no right-hand side. */
  #newLeaf(group: ExporterGroup, name: string, queue: string): ExporterLeaf {
    const { maxLabelSetsPerFamily } = this.#options;
    if (maxLabelSetsPerFamily > 0 && this.#leafCount >= maxLabelSetsPerFamily) {
      for (const family of this.#families.counters) if (family !== undefined) family.dropped += 1;
      this.#fillOverflow();
      return this.#overflow;
    }
    this.#leafCount += 1;
    const leaf = emptyLeaf(name, group.hostname, queue, this.#zeroCounters(name, group.hostname, queue));
    leaf.failed.set('', this.#families.failed.acquire(name, group.hostname, '', queue));
    let byQueue = group.leaves.get(name);
    if (byQueue === undefined) {
      byQueue = new Map();
      group.leaves.set(name, byQueue);
    }
    byQueue.set(queue, leaf);
    return leaf;
  }

  #zeroCounters(name: string, hostname: string, queue: string): (Sample | undefined)[] {
    return this.#families.counters.map((family) => family?.acquire(name, hostname, queue));
  }

  #fillOverflow(): void {
    const leaf = this.#overflow;
    if (leaf.counters !== NO_COUNTERS) return;
    leaf.counters = this.#zeroCounters(leaf.name, leaf.hostname, leaf.queue);
    leaf.failed.set('', this.#families.failed.acquire(leaf.name, leaf.hostname, '', leaf.queue));
  }

  #release(leaf: ExporterLeaf): void {
    this.#leafCount -= 1;
    for (const [type, counter] of leaf.counters.entries()) {
      if (counter !== undefined) this.#families.counters[type]?.release(counter);
    }
    for (const counter of leaf.failed.values()) this.#families.failed.release(counter);
    if (leaf.sent !== undefined) this.#families.sent.release(leaf.sent);
    if (leaf.expired !== undefined) this.#families.expired.release(leaf.expired);
    if (leaf.runtime !== undefined) this.#families.runtime.release(leaf.runtime);
    if (leaf.wait !== undefined) this.#families.wait.release(leaf.wait);
  }
}

function emptyLeaf(
  name: string,
  hostname: string,
  queue: string,
  counters: readonly (Sample | undefined)[],
): ExporterLeaf {
  return {
    name,
    hostname,
    queue,
    lastMs: 0,
    counters,
    sent: undefined,
    expired: undefined,
    failed: new Map(),
    runtime: undefined,
    wait: undefined,
  };
}
