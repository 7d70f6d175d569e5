import type { Registry } from 'prom-client';
import type { RejectReason } from '../../core/events/event.ts';
import type { Settled } from '../../core/heal/store.ts';
import type { Change, TaskChange, WorkerChange } from '../../core/state/change.ts';
import type { TaskState } from '../../core/state/task.ts';
import type { Clock } from '../../lib/clock.ts';
import type { GaugeSnapshot, HistoryWrite } from './agent-set.ts';
import { AgentSet } from './agent-set.ts';
import { ClusterSet } from './cluster-set.ts';
import { EventTypes, RECEIVED, REJECTED, RETRIED, REVOKED, SENT, STARTED, SUCCEEDED } from './event-types.ts';
import { ExporterSet } from './exporter-set.ts';
import { CONTENT_TYPES, formatFor, printFamilies } from './exposition.ts';
import { FlowerSet } from './flower-set.ts';
import { labelText } from './label-text.ts';
import type { MetricsOptions } from './options.ts';
import { metricsOptions } from './options.ts';
import { processRegistry } from './process-metrics.ts';
import { QueueNames } from './queue-names.ts';
import { FamilyRegistry } from './registry.ts';
import type { Sender } from './senders.ts';
import { Senders } from './senders.ts';
import { ALL_SHOWN, type Shown } from './scope.ts';
import type { SampleFamily } from './series.ts';

/** How often `startSweeping` looks for workers and label sets whose time is over. */
const SWEEP_EVERY_MS = 5000;

/**
 * Prometheus metrics of the cluster and of the agent, all in memory. Flower's and celery-exporter's families are moved
 * by the same events, so their totals agree.
 */
export class Metrics {
  /** What the broker and the workers answer when asked, and the unfinished tasks. */
  readonly cluster: ClusterSet;
  readonly #options: MetricsOptions;
  readonly #clock: Clock;
  readonly #queues: QueueNames;
  readonly #registry: FamilyRegistry;
  readonly #types: EventTypes;
  readonly #senders: Senders;
  readonly #agent: AgentSet;
  readonly #flower: FlowerSet | undefined;
  readonly #exporter: ExporterSet | undefined;
  readonly #process: Registry | undefined;
  #snapshot: () => GaugeSnapshot = () => ({});
  #shown: () => Shown = () => ALL_SHOWN;

  constructor(options: MetricsOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
    const registry = new FamilyRegistry(options, () => clock.now());
    this.#registry = registry;
    this.#types = new EventTypes(options.maxCustomTypes);
    this.#agent = new AgentSet(registry, options.version);
    this.#queues = new QueueNames(options.defaultQueue);
    this.cluster = new ClusterSet(registry, options, this.#queues);
    this.#flower = options.flowerSet ? flowerSet(registry, options) : undefined;
    this.#exporter = options.exporterSet ? exporterSet(registry, options, this.#queues) : undefined;
    this.#process = options.processSet ? processRegistry() : undefined;
    this.#senders = new Senders(options.producerLabel, (sender) => this.#flower?.join(sender));
  }

  /**
   * Moves every family that the event of the change gives; `nowMs` is the time of processing.
   * Measured with both sets on (Node 20, median): 0.3 µs an event with 20 pairs of worker and task, 1.1 µs with 280,
   * 1.6 µs with 10,000 (and as many of publishers: 720,000 series, where the processor's cache no longer helps).
   */
  onChange(change: Change, nowMs: number): void {
    if (change.kind === 'task') this.#task(change, nowMs);
    else this.#worker(change, nowMs);
  }

  /** Messages or events that could not be used. */
  onReject(reason: RejectReason, count = 1): void {
    this.#agent.add('umbel_events_rejected_total', count, reason);
  }

  /** A time in which events could not be heard, now over. */
  onGap(gap: { readonly fromMs: number; readonly toMs: number }): void {
    this.#agent.add('umbel_event_gaps_total', 1);
    this.#agent.add('umbel_gap_seconds_total', Math.max(0, gap.toMs - gap.fromMs) / 1000);
  }

  /** Something found out about a task without an event of it, now in the history. */
  onFinding({ finding: { verdict }, task }: Settled): void {
    if (verdict.kind === 'healed') this.#agent.add('umbel_tasks_healed_total', 1, verdict.source);
    if (verdict.kind !== 'orphaned') return;
    const labels = [labelText(task.worker), labelText(task.name), verdict.reason];
    this.#agent.add('umbel_tasks_orphaned_total', 1, ...labels);
  }

  /** A look at open tasks; `orphans`: how many the history holds, where that was asked. */
  onHealRun(failed: boolean, orphans: number | undefined): void {
    this.#agent.add('umbel_heal_runs_total', 1, failed ? 'failed' : 'done');
    if (orphans !== undefined) this.#agent.orphaned(orphans);
  }

  /** Messages for which a queue had no room, neither in memory nor on disk. */
  onDrop(queue: 'intake' | 'history', messages = 1): void {
    this.#agent.add('umbel_messages_dropped_total', messages, queue);
  }

  /** A write to the history that succeeded. */
  historyWrite(write: HistoryWrite): void {
    this.#agent.historyWrite(write);
  }

  /** A write to the history that failed, and will be tried again. */
  historyError(): void {
    this.#agent.add('umbel_history_errors_total', 1);
  }

  /** Where each scrape takes its gauges from; called once a scrape, must only read memory. */
  gauges(provider: () => GaugeSnapshot): void {
    this.#snapshot = provider;
  }

  /**
   * Which families this one of several agents shows, asked at each scrape and sweep; default: all. A counter that is shown
   * again starts at 0, as after a restart: what it counted meanwhile another agent has shown.
   */
  show(shown: () => Shown): void {
    this.#shown = shown;
  }

  /** Of the fullest family, and how many found no room in any. */
  labelSets(): { readonly used: number; readonly limit: number; readonly exceeded: number } {
    const families = this.#registry.shown();
    return {
      used: families.reduce((most, family) => Math.max(most, family.labelSets), 0),
      limit: this.#options.maxLabelSetsPerFamily,
      exceeded: families.reduce((sum, family) => sum + family.dropped, 0),
    };
  }

  /** Label value of the task's queue, as in celery-exporter's families. */
  queueOf(task: TaskState): string {
    return this.#queues.of(task);
  }

  /** The exposition in the format that suits the `Accept` header: text 0.0.4, or OpenMetrics 1.0 with exemplars. */
  async text(accept?: string): Promise<{ readonly contentType: string; readonly body: string }> {
    const format = formatFor(accept);
    this.#registry.show(this.#shown());
    this.cluster.pull(this.#clock.now(), this.#exporter?.lastSeenMs() ?? new Map());
    this.#agent.pull(this.#snapshot());
    const { staticLabels, createdSeries } = this.#options;
    const body = await printFamilies(this.#registry.shown(), this.#process, { format, staticLabels, createdSeries });
    return { contentType: CONTENT_TYPES[format], body };
  }

  /** Worker timeouts, purge of what is gone, expiry of idle label sets. */
  sweep(nowMs: number): void {
    this.#registry.show(this.#shown());
    const { timedOut, gone } = this.#senders.overdue(nowMs, this.#options);
    for (const sender of timedOut) {
      sender.online = false;
      sender.active = 0;
      this.#flower?.timedOut(sender);
      this.#exporter?.hosts.update(sender, true);
    }
    for (const sender of gone) this.#leave(sender);
    const { idleExpiryMs } = this.#options;
    if (idleExpiryMs <= 0) return;
    this.#flower?.expire(nowMs - idleExpiryMs);
    this.#exporter?.expire(nowMs - idleExpiryMs);
  }

  /** Sweeps every 5 s until closed. */
  startSweeping(): { close(): void } {
    return { close: this.#clock.every(SWEEP_EVERY_MS, () => this.sweep(this.#clock.now())) };
  }

  #task({ event, task }: TaskChange, nowMs: number): void {
    const type = this.#types.of(event.type);
    this.#agent.event(type, event, nowMs);
    const sender = this.#senders.of(event.hostname, type.index === SENT);
    sender.lastSeenMs = nowMs;
    if (type.index === SENT) this.#queues.learn(task);
    // As flower/events.py: the event's own name, else the task's, else none.
    const name = labelText(event.fields['name']) || labelText(task.name);
    if (name === '') this.#agent.unknownName();
    this.#flower?.task(sender, type, { event, task, name, nowMs });
    this.#exporter?.task(sender, type, event, task, nowMs);
  }

  #worker({ event, worker, restarted }: WorkerChange, nowMs: number): void {
    if (event === undefined) return;
    this.#agent.event(this.#types.of(event.type), event, nowMs);
    const sender = this.#senders.of(event.hostname, false);
    sender.lastSeenMs = nowMs;
    if (event.subject === 'offline') {
      this.#offline(sender, nowMs);
    } else if (event.subject === 'online' || event.subject === 'heartbeat') {
      this.#firstSign(sender, nowMs);
      if (restarted) this.#flower?.restarted(sender);
      const told = event.subject === 'heartbeat' ? number(event.fields['active']) : undefined;
      sender.online = true;
      sender.active = told ?? number(worker.active) ?? 0;
      this.#agent.heartbeat(sender, event, restarted || event.subject === 'online');
      this.#flower?.alive(sender, told);
      this.#exporter?.hosts.update(sender, event.subject === 'heartbeat');
    }
  }

  #offline(sender: Sender, nowMs: number): void {
    this.#firstSign(sender, nowMs);
    sender.online = false;
    sender.active = 0;
    this.#flower?.offline(sender);
    this.#exporter?.hosts.update(sender, true);
  }

  #firstSign(sender: Sender, nowMs: number): void {
    if (sender.lastHeartbeatMs === 0) this.#exporter?.becameWorker(sender);
    sender.lastHeartbeatMs = nowMs;
  }

  #leave(sender: Sender): void {
    this.#senders.forget(sender);
    this.#agent.leave(sender);
    this.#flower?.leave(sender);
    this.#exporter?.leave(sender);
  }
}

/** `options` over the defaults. Throws a `RangeError` that names the option when a value cannot be served. */
export function createMetrics(options: Partial<MetricsOptions>, clock: Clock): Metrics {
  return new Metrics(metricsOptions(options), clock);
}

function number(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

function flowerSet(registry: FamilyRegistry, options: MetricsOptions): FlowerSet {
  const families = {
    events: registry.samples('flower_events_total'),
    runtime: registry.histogram('flower_task_runtime_seconds'),
    prefetchTime: registry.samples('flower_task_prefetch_time_seconds'),
    prefetched: registry.samples('flower_worker_prefetched_tasks'),
    online: registry.samples('flower_worker_online'),
    executing: registry.samples('flower_worker_number_of_currently_executing_tasks'),
  };
  return new FlowerSet(families, options);
}

function exporterSet(registry: FamilyRegistry, options: MetricsOptions, queues: QueueNames): ExporterSet {
  const counters: (SampleFamily | undefined)[] = [];
  counters[RECEIVED] = registry.samples('celery_task_received_total');
  counters[STARTED] = registry.samples('celery_task_started_total');
  counters[SUCCEEDED] = registry.samples('celery_task_succeeded_total');
  counters[REJECTED] = registry.samples('celery_task_rejected_total');
  counters[REVOKED] = registry.samples('celery_task_revoked_total');
  counters[RETRIED] = registry.samples('celery_task_retried_total');
  const families = {
    sent: registry.samples('celery_task_sent_total'),
    counters,
    failed: registry.samples('celery_task_failed_total'),
    expired: registry.samples('umbel_tasks_expired_total'),
    runtime: registry.histogram('celery_task_runtime'),
    wait: registry.histogram('celery_task_queue_wait_time'),
    up: registry.samples('celery_worker_up'),
    active: registry.samples('celery_worker_tasks_active'),
  };
  return new ExporterSet(families, options, queues);
}
