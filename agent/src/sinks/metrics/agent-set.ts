import type { CeleryEvent, RejectReason } from '../../core/events/event.ts';
import type { EventType } from './event-types.ts';
import type { UmbelFamily } from './families.ts';
import type { FamilyRegistry } from './registry.ts';
import type { Sender } from './senders.ts';
import type { HistogramSeries, Sample } from './series.ts';

/** What the parts of the agent hold in memory, asked for at each scrape; a part that is off is absent, and so are its families. */
export interface GaugeSnapshot {
  readonly broker?: { readonly connected: boolean; readonly reconnects: number };
  readonly intakeQueueBytes?: number;
  readonly tasksHeld?: number;
  readonly history?: {
    readonly up: boolean;
    readonly queueEvents: number;
    readonly spilledBytes: number;
    readonly lagSeconds: number;
    /** Undefined until the database was asked. */
    readonly size?: { readonly bytes: number; readonly oldestMs?: number; readonly retentionMs: number } | undefined;
  };
  readonly resultBackendUp?: boolean;
  readonly replica?: ReplicaSnapshot;
  readonly live?: { readonly subscribers: number; readonly dropped: number };
  readonly otlp?: OtlpSnapshot;
  readonly bounds?: readonly BoundSnapshot[];
  readonly shed?: readonly { readonly work: string; readonly isShed: boolean; readonly count: number }[];
}

export interface BoundSnapshot {
  readonly bound: string;
  readonly used?: number;
  readonly limit: number;
  readonly exceeded: number;
}

/** Where the agent stands among several. */
export interface ReplicaSnapshot {
  readonly leads: boolean;
  readonly isStandingBy: boolean;
  readonly slice: string;
  readonly showsSlice: boolean;
  readonly missingSlices: number;
  readonly misfitSlices: number;
  readonly foreignEvents: number;
}

export interface OtlpSnapshot {
  readonly sampledOut: number;
  /** By signal: `traces`, `logs`. */
  readonly signals: Readonly<
    Record<
      string,
      {
        readonly sent: number;
        /** By reason. */
        readonly dropped: Readonly<Record<string, number>>;
        readonly errors: number;
        readonly waiting: number;
        readonly waitingBytes: number;
        readonly problem: string | undefined;
      }
    >
  >;
}

/** One successful write to the history. */
export interface HistoryWrite {
  readonly ms: number;
  /** Events in the batch. */
  readonly events: number;
  /** Of them new ones, and ones the history had. */
  readonly inserted: number;
  readonly doubled: number;
  /** Rows of `celery_tasks` written. */
  readonly tasks: number;
  /** Events Postgres refused. */
  readonly poisoned: number;
}

const REASONS: Readonly<Record<RejectReason, true>> = {
  envelope: true,
  compression: true,
  'content-type': true,
  pickle: true,
  body: true,
  fields: true,
  ignored: true,
};

const UNLABELLED_COUNTERS = [
  'umbel_event_gaps_total',
  'umbel_gap_seconds_total',
  'umbel_history_errors_total',
  'umbel_history_doubled_events_total',
  'umbel_history_poisoned_events_total',
] as const;

/** The agent's own families. */
export class AgentSet {
  readonly #registry: FamilyRegistry;
  /** By `EventType.index`. */
  readonly #received: (Sample | undefined)[] = [];
  readonly #keyed = new Map<string, Sample>();
  readonly #skew = new Map<Sender, { readonly skew: Sample; readonly heartbeat: Sample; readonly starts: Sample }>();
  readonly #lag: Sample;
  readonly #unknownNames: Sample;
  readonly #writeSeconds: HistogramSeries;
  readonly #batchEvents: HistogramSeries;

  constructor(registry: FamilyRegistry, version: string) {
    this.#registry = registry;
    this.#lag = this.#one('umbel_event_lag_seconds');
    this.#unknownNames = this.#one('umbel_tasks_unknown_name_total');
    this.#writeSeconds = registry.histogram('umbel_history_write_seconds').acquire();
    this.#batchEvents = registry.histogram('umbel_history_batch_events').acquire();
    this.#one('umbel_build_info', version).value = 1;
    // Counters exist from the start: the first increase is seen as one.
    for (const reason of Object.keys(REASONS)) this.#one('umbel_events_rejected_total', reason);
    for (const queue of ['intake', 'history']) this.#one('umbel_messages_dropped_total', queue);
    for (const kind of ['events', 'tasks']) this.#one('umbel_history_rows_total', kind);
    for (const source of ['result-backend', 'inspect', 'queue']) this.#one('umbel_tasks_healed_total', source);
    for (const outcome of ['done', 'failed']) this.#one('umbel_heal_runs_total', outcome);
    for (const name of UNLABELLED_COUNTERS) this.#one(name);
  }

  /** `nowMs`: when the event is processed. */
  event(type: EventType, event: CeleryEvent, nowMs: number): void {
    const counter = (this.#received[type.index] ??= this.#one('umbel_events_received_total', type.label));
    counter.value += 1;
    const lag = nowMs / 1000 - event.timestamp;
    this.#lag.value = lag > 0 ? lag : 0;
  }

  orphaned(tasks: number): void {
    this.#set('umbel_orphaned_tasks', tasks);
  }

  unknownName(): void {
    this.#unknownNames.value += 1;
  }

  /** `isStart`: the worker said that it is online, or runs as another process than before. */
  heartbeat(sender: Sender, event: CeleryEvent, isStart: boolean): void {
    let gauges = this.#skew.get(sender);
    if (gauges === undefined) {
      gauges = {
        skew: this.#registry.samples('umbel_worker_clock_skew_seconds').acquire(sender.node),
        heartbeat: this.#registry.samples('umbel_worker_last_heartbeat_timestamp_seconds').acquire(sender.node),
        starts: this.#registry.samples('umbel_worker_starts_total').acquire(sender.node),
      };
      this.#skew.set(sender, gauges);
    }
    if (isStart) gauges.starts.value += 1;
    gauges.heartbeat.value = event.receivedMs / 1000;
    gauges.skew.value = event.receivedMs / 1000 - event.timestamp;
  }

  leave(sender: Sender): void {
    const gauges = this.#skew.get(sender);
    if (gauges === undefined) return;
    this.#registry.samples('umbel_worker_clock_skew_seconds').release(gauges.skew);
    this.#registry.samples('umbel_worker_last_heartbeat_timestamp_seconds').release(gauges.heartbeat);
    this.#registry.samples('umbel_worker_starts_total').release(gauges.starts);
    this.#skew.delete(sender);
  }

  add(name: UmbelFamily, amount: number, ...labels: readonly string[]): void {
    this.#one(name, ...labels).value += amount;
  }

  historyWrite({ ms, events, inserted, doubled, tasks, poisoned }: HistoryWrite): void {
    this.#writeSeconds.observe(ms / 1000);
    this.#batchEvents.observe(events);
    this.add('umbel_history_rows_total', inserted, 'events');
    this.add('umbel_history_rows_total', tasks, 'tasks');
    this.add('umbel_history_poisoned_events_total', poisoned);
    this.add('umbel_history_doubled_events_total', doubled);
  }

  /** Copies what the parts of the agent tell right now into the families. */
  pull(snapshot: GaugeSnapshot): void {
    const { broker, history, live } = snapshot;
    this.#set('umbel_broker_connected', broker && Number(broker.connected));
    this.#set('umbel_broker_reconnects_total', broker?.reconnects);
    this.#set('umbel_intake_queue_bytes', snapshot.intakeQueueBytes);
    this.#set('umbel_tasks_held', snapshot.tasksHeld);
    this.#set('umbel_history_up', history && Number(history.up));
    this.#set('umbel_history_queue_events', history?.queueEvents);
    this.#set('umbel_history_spilled_bytes', history?.spilledBytes);
    this.#set('umbel_history_lag_seconds', history?.lagSeconds);
    this.#set('umbel_history_size_bytes', history?.size?.bytes);
    this.#set('umbel_history_oldest_timestamp_seconds', seconds(history?.size?.oldestMs));
    this.#set('umbel_history_retention_seconds', seconds(history?.size?.retentionMs));
    this.#set(
      'umbel_result_backend_up',
      snapshot.resultBackendUp === undefined ? undefined : Number(snapshot.resultBackendUp),
    );
    if (snapshot.replica !== undefined) this.#pullReplica(snapshot.replica);
    this.#set('umbel_live_subscribers', live?.subscribers);
    this.#set('umbel_live_dropped_total', live?.dropped);
    if (snapshot.otlp !== undefined) this.#pullOtlp(snapshot.otlp);
    this.#pullBounds(snapshot);
    for (const family of this.#registry.shown()) {
      if (family.spec.set === 'umbel') continue;
      this.#set('umbel_series', family.size, family.spec.name);
      this.#set('umbel_label_sets_dropped_total', family.dropped, family.spec.name);
    }
  }

  #pullReplica({
    leads,
    isStandingBy,
    slice,
    showsSlice,
    missingSlices,
    misfitSlices,
    foreignEvents,
  }: ReplicaSnapshot): void {
    this.#set('umbel_leader', Number(leads));
    this.#set('umbel_standing_by', Number(isStandingBy));
    this.#set('umbel_slice_active', Number(showsSlice), slice);
    this.#set('umbel_slices_missing', missingSlices);
    this.#set('umbel_slices_misfit', misfitSlices);
    this.#set('umbel_events_of_other_slices_total', foreignEvents);
  }

  #pullBounds({ bounds = [], shed = [] }: GaugeSnapshot): void {
    for (const { bound, used, limit, exceeded } of bounds) {
      this.#set('umbel_bound_used', used, bound);
      this.#set('umbel_bound_limit', limit, bound);
      this.#set('umbel_bound_exceeded_total', exceeded, bound);
    }
    for (const { work, isShed, count } of shed) {
      this.#set('umbel_shedding', Number(isShed), work);
      this.#set('umbel_shed_total', count, work);
    }
  }

  #pullOtlp({ sampledOut, signals }: OtlpSnapshot): void {
    this.#set('umbel_otlp_sampled_out_total', sampledOut);
    for (const [signal, stats] of Object.entries(signals)) {
      this.#set('umbel_otlp_up', Number(stats.problem === undefined), signal);
      this.#set('umbel_otlp_sent_total', stats.sent, signal);
      this.#set('umbel_otlp_errors_total', stats.errors, signal);
      this.#set('umbel_otlp_waiting', stats.waiting, signal);
      this.#set('umbel_otlp_waiting_bytes', stats.waitingBytes, signal);
      for (const [reason, dropped] of Object.entries(stats.dropped)) {
        this.#set('umbel_otlp_dropped_total', dropped, signal, reason);
      }
    }
  }

  #set(name: UmbelFamily, value: number | undefined, ...labels: readonly string[]): void {
    if (value !== undefined) this.#one(name, ...labels).value = value;
  }

  #one(name: UmbelFamily, ...labels: readonly string[]): Sample {
    const key = [name, ...labels].join('\u0000');
    let sample = this.#keyed.get(key);
    if (sample === undefined) {
      sample = this.#registry.samples(name).acquire(...labels);
      this.#keyed.set(key, sample);
    }
    return sample;
  }
}

function seconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / 1000;
}
