import type { QueueDepth } from '../../core/control/service.ts';
import type { WorkerReading } from '../../core/control/worker-reading.ts';
import type { WorkerState } from '../../core/state/worker.ts';
import type { ExporterFamily, UmbelFamily } from './families.ts';
import { GaugeTable, type Row } from './gauge-table.ts';
import type { OpenTasks } from './open-tasks.ts';
import type { MetricsOptions } from './options.ts';
import { QueueBook } from './queue-book.ts';
import type { QueueNames } from './queue-names.ts';
import type { FamilyRegistry } from './registry.ts';

/** What is asked of the cluster on a timer; label `probe`. */
export type Probe = 'queues' | 'workers';

/** A worker as its events tell of it: anything it may send. */
export type HeardWorker = Readonly<
  Pick<WorkerState, 'hostname' | 'online' | 'processed' | 'loadavg' | 'sw_ident' | 'sw_ver' | 'sw_sys'>
>;

interface Told<T> {
  readonly what: T;
  readonly atMs: number;
}

interface ProbeMark {
  /** When it last succeeded; before the first time, when probing began. */
  freshMs: number;
  errors: number;
  seconds: number | undefined;
}

/**
 * The families that need the broker's or the workers' answers. They are told on a timer, each time anew, and printed
 * from memory; what was told longer ago than `probeStaleMs` is not shown any more.
 */
export class ClusterSet {
  readonly #options: MetricsOptions;
  readonly #registry: FamilyRegistry;
  readonly #names: QueueNames;
  readonly #book: QueueBook;
  readonly #tables = new Map<string, GaugeTable>();
  readonly #marks = new Map<Probe, ProbeMark>();
  #depths: Told<ReadonlyMap<string, QueueDepth>> | undefined;
  #workers: Told<readonly WorkerReading[]> | undefined;
  #heard: () => Iterable<HeardWorker> = () => [];
  #open: ReadonlyMap<string, OpenTasks> = new Map();
  /** When each pair of state and queue last had a task: for the purge time it is shown as 0. */
  readonly #openSeenMs = new Map<string, { readonly state: string; readonly queue: string; atMs: number }>();

  constructor(registry: FamilyRegistry, options: MetricsOptions, names: QueueNames) {
    this.#registry = registry;
    this.#options = options;
    this.#names = names;
    this.#book = new QueueBook(options.queues, options.purgeOfflineMs);
  }

  /** The probe runs from now on: its age and its errors are shown. */
  begin(probe: Probe, nowMs: number): void {
    this.#marks.set(probe, { freshMs: nowMs, errors: this.#marks.get(probe)?.errors ?? 0, seconds: undefined });
  }

  /** The broker or the workers could not be asked. */
  failed(probe: Probe, nowMs: number): void {
    this.#mark(probe, nowMs).errors += 1;
  }

  /** Every queue that is known of now, and what the broker tells about it. `tookMs`: duration of the probe. */
  queues(depths: readonly QueueDepth[], nowMs: number, tookMs: number): void {
    this.#succeeded('queues', nowMs, tookMs);
    this.#depths = { what: new Map(depths.map((depth) => [depth.name, depth])), atMs: nowMs };
    const filled = depths.filter(({ messages, unacked }) => (messages ?? 0) > 0 || (unacked ?? 0) > 0);
    const names = filled.map(({ name }) => name);
    this.#book.want(names, nowMs);
  }

  /** Every worker that is there now. */
  workers(readings: readonly WorkerReading[], nowMs: number, tookMs: number): void {
    this.#succeeded('workers', nowMs, tookMs);
    this.#workers = { what: readings, atMs: nowMs };
    for (const { queues } of readings) this.#book.want(queues, nowMs);
    this.#names.consumed(readings.map(({ worker, queues }) => [worker, queues] as const));
  }

  /** Queues that are shown, whether anybody consumes them or not. */
  shownQueues(nowMs: number): ReadonlySet<string> {
    return this.#book.shown(nowMs);
  }

  /** All unfinished tasks in memory. */
  openTasks(open: readonly OpenTasks[], nowMs: number): void {
    this.#open = new Map(open.map((tasks) => [keyOf(tasks), tasks]));
    for (const { state, queue } of open) this.#openSeenMs.set(keyOf({ state, queue }), { state, queue, atMs: nowMs });
    const { purgeOfflineMs } = this.#options;
    for (const [key, { atMs }] of this.#openSeenMs) {
      if (purgeOfflineMs > 0 && nowMs - atMs > purgeOfflineMs) this.#openSeenMs.delete(key);
    }
  }

  /** Where each scrape takes the workers from that were heard of; must only read memory. */
  hear(workers: () => Iterable<HeardWorker>): void {
    this.#heard = workers;
  }

  /** Writes into the families what was told; call before they are printed. `lastSeenMs`: by task name. */
  pull(nowMs: number, lastSeenMs: ReadonlyMap<string, number>): void {
    const depths = this.#fresh(this.#depths, nowMs);
    const workers = this.#fresh(this.#workers, nowMs);
    this.#pullQueues(depths, workers, nowMs);
    this.#pullWorkers(workers ?? [], nowMs);
    this.#pullHeard();
    this.#pullLastSeen(lastSeenMs);
    this.#pullOpenTasks(nowMs);
    const marks = [...this.#marks];
    this.#table('umbel_probe_age_seconds', marks, ([probe, mark]) => [seconds(nowMs - mark.freshMs), probe]);
    this.#table('umbel_probe_duration_seconds', marks, ([probe, mark]) => [mark.seconds, probe]);
    this.#table('umbel_probe_errors_total', marks, ([probe, mark]) => [mark.errors, probe]);
  }

  #succeeded(probe: Probe, nowMs: number, tookMs: number): void {
    const mark = this.#mark(probe, nowMs);
    mark.freshMs = nowMs;
    mark.seconds = seconds(tookMs);
  }

  #mark(probe: Probe, nowMs: number): ProbeMark {
    let mark = this.#marks.get(probe);
    if (mark === undefined) {
      mark = { freshMs: nowMs, errors: 0, seconds: undefined };
      this.#marks.set(probe, mark);
    }
    return mark;
  }

  #fresh<T>(told: Told<T> | undefined, nowMs: number): T | undefined {
    return told === undefined || nowMs - told.atMs > this.#options.probeStaleMs ? undefined : told.what;
  }

  #pullQueues(
    depths: ReadonlyMap<string, QueueDepth> | undefined,
    workers: readonly WorkerReading[] | undefined,
    nowMs: number,
  ): void {
    const isSilent = depths === undefined && workers === undefined;
    const shown = isSilent ? [] : [...this.#book.shown(nowMs)];
    const consuming = workers === undefined ? undefined : byQueue(workers);
    const queues = shown.map((queue) => ({
      queue,
      depth: depths?.get(queue),
      staff: consuming === undefined ? undefined : (consuming.get(queue) ?? { workers: 0, processes: 0 }),
    }));
    // The exporter shows 0 for a queue that the broker does not have (yet).
    this.#table('celery_queue_length', queues, ({ queue, depth }) => [depth && (depth.messages ?? 0), queue]);
    this.#table('celery_active_consumer_count', queues, ({ queue, depth }) => [depth?.consumers, queue]);
    this.#table('celery_active_worker_count', queues, ({ queue, staff }) => [staff?.workers, queue]);
    this.#table('celery_active_process_count', queues, ({ queue, staff }) => [staff?.processes, queue]);
    this.#table('umbel_queue_messages', queues, ({ queue, depth }) => [depth?.messages, queue]);
    this.#table('umbel_queue_unacked', queues, ({ queue, depth }) => [depth?.unacked, queue]);
    this.#table('umbel_queue_consumers', queues, ({ queue, depth, staff }) => [
      depth?.consumers ?? staff?.workers,
      queue,
    ]);
    this.#table('umbel_queue_oldest_message_age_seconds', queues, ({ queue, depth }) => [
      depth?.oldestMs === undefined ? undefined : seconds(nowMs - depth.oldestMs),
      queue,
    ]);
    this.#table('umbel_queue_publish_rate', queues, ({ queue, depth }) => [depth?.publishRate, queue]);
    this.#table('umbel_queue_deliver_rate', queues, ({ queue, depth }) => [depth?.deliverRate, queue]);
  }

  #pullWorkers(workers: readonly WorkerReading[], nowMs: number): void {
    this.#table('umbel_worker_pool_size', workers, ({ worker, poolSize }) => [poolSize, worker]);
    this.#table('umbel_worker_prefetch_count', workers, ({ worker, prefetchCount }) => [prefetchCount, worker]);
    this.#table('umbel_worker_rss_bytes', workers, ({ worker, rssBytes }) => [rssBytes, worker]);
    this.#table('umbel_worker_cpu_seconds_total', workers, ({ worker, cpuSeconds }) => [cpuSeconds, worker]);
    this.#table('umbel_worker_reply_age_seconds', workers, ({ worker, repliedMs }) => [
      repliedMs === undefined ? undefined : seconds(nowMs - repliedMs),
      worker,
    ]);
    const pairs = workers.flatMap(({ worker, queues }) => queues.map((queue) => [worker, queue] as const));
    this.#table('umbel_worker_queue', pairs, ([worker, queue]) => [1, worker, queue]);
  }

  #pullHeard(): void {
    const online = [...this.#heard()].filter((worker) => worker.online);
    this.#table('umbel_worker_info', online, ({ hostname, sw_ident, sw_ver, sw_sys }) => [
      1,
      hostname,
      text(sw_ident),
      text(sw_ver),
      text(sw_sys),
    ]);
    this.#table('umbel_worker_processed_total', online, ({ hostname, processed }) => [number(processed), hostname]);
    this.#table('umbel_worker_load', online, ({ hostname, loadavg }) => [
      Array.isArray(loadavg) ? number(loadavg[0]) : undefined,
      hostname,
    ]);
  }

  #pullLastSeen(lastSeenMs: ReadonlyMap<string, number>): void {
    this.#table('umbel_task_last_seen_timestamp_seconds', [...lastSeenMs], ([name, ms]) => [ms / 1000, name]);
  }

  #pullOpenTasks(nowMs: number): void {
    const pairs = [...this.#openSeenMs].map(([key, { state, queue }]) => ({
      tasks: this.#open.get(key),
      state,
      queue,
    }));
    this.#table('umbel_tasks_in_state', pairs, ({ tasks, state, queue }) => [tasks?.count ?? 0, state, queue]);
    this.#table('umbel_oldest_task_age_seconds', pairs, ({ tasks, state, queue }) => [
      tasks === undefined ? 0 : seconds(nowMs - tasks.oldestMs),
      state,
      queue,
    ]);
    const running = [...this.#open.values()].flatMap(({ queue, oldestMsByName = [] }) =>
      [...oldestMsByName].map(([name, oldestMs]) => ({ name, queue, oldestMs })),
    );
    this.#table('umbel_running_task_age_seconds', running, ({ name, queue, oldestMs }) => [
      seconds(nowMs - oldestMs),
      name,
      queue,
    ]);
  }

  #table<T>(
    family: UmbelFamily | ExporterFamily,
    items: readonly T[],
    row: (item: T) => readonly [value: number | undefined, ...labels: readonly string[]],
  ): void {
    let table = this.#tables.get(family);
    if (table === undefined) {
      table = new GaugeTable(this.#registry.samples(family), this.#options.maxLabelSetsPerFamily);
      this.#tables.set(family, table);
    }
    const rows: Row[] = [];
    for (const item of items) {
      const [value, ...labels] = row(item);
      if (value !== undefined) rows.push([value, ...labels]);
    }
    table.replace(rows);
  }
}

function keyOf({ state, queue }: { readonly state: string; readonly queue: string }): string {
  return `${state}\u0000${queue}`;
}

function seconds(ms: number): number {
  return Math.max(0, ms) / 1000;
}

function number(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

interface Staff {
  workers: number;
  processes: number;
}

function byQueue(workers: readonly WorkerReading[]): ReadonlyMap<string, Staff> {
  const consuming = new Map<string, Staff>();
  for (const { queues, poolSize } of workers) {
    for (const queue of queues) {
      const staff = consuming.get(queue) ?? { workers: 0, processes: 0 };
      staff.workers += 1;
      staff.processes += poolSize ?? 0;
      consuming.set(queue, staff);
    }
  }
  return consuming;
}
