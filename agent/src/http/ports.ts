import type { ControlService } from '../core/control/service.ts';
import type { AuditEntry, AuditTrail } from '../core/identity/audit.ts';
import type { Identity } from '../core/identity/identify.ts';
import type { HistoryReader } from '../core/query/reader.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';

/** All that the HTTP server needs; whoever composes the agent hands it in. */
export interface HttpDeps {
  /** Undefined when the agent keeps no history: those routes answer 503 `history-off`. */
  readonly history: HistoryReader | undefined;
  readonly live: LiveFeed;
  /** Remote control, new tasks, results. */
  readonly control?: ControlService;
  readonly audit?: AuditTrail;
  /** Hides secrets in what the audit keeps of a request; default: hides nothing. */
  readonly maskArguments?: (given: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>;
  /** Default: everybody is anonymous, a viewer, or an admin with the option `unauthenticatedApi`. */
  readonly identity?: Identity;
  /** Called for refused requests, failed logins among them; many of one address are called once in a while. */
  readonly onRefused?: (entry: AuditEntry) => void;
  readonly metrics: MetricsText;
  /** Live streams are left out now, because more important work needs the time; asked for each that is wanted. */
  readonly shedsLive?: () => boolean;
  /** Cheap and synchronous: called for every health probe. */
  readonly status: () => AgentStatus;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface MetricsText {
  /** The exposition in the format that suits the `Accept` header. Does no I/O. */
  text(accept: string | undefined): Promise<{ readonly contentType: string; readonly body: string }>;
}

/** Which messages a subscriber wants; every member given narrows (AND), the values of one list widen (OR). */
export interface LiveFilter {
  readonly kinds?: readonly LiveMessage['kind'][];
  /** Exact task names; a trailing or leading `*` makes it a prefix or suffix, as in `TaskFilter.names`. */
  readonly names?: readonly string[];
  readonly states?: readonly string[];
  /** Node names: of a task's worker, or of the worker itself. */
  readonly workers?: readonly string[];
  readonly queues?: readonly string[];
  readonly taskId?: string;
}

/** A task after one event was merged into it. Instants are epoch ms, durations ms. */
export interface LiveTask {
  readonly kind: 'task';
  /** Event type on the wire, e.g. `task-succeeded`. */
  readonly type: string;
  readonly timestampMs: number;
  readonly taskId: string;
  readonly name: string | null;
  readonly state: string;
  /** State before the event; null when it was the first of the task. */
  readonly previousState: string | null;
  readonly worker: string | null;
  readonly queue: string | null;
  readonly rootId: string | null;
  readonly parentId: string | null;
  /** As the events tell them; `args`, `kwargs` and `result` are cut to the length of a line, `exception` to a thousand characters. */
  readonly args: string | null;
  readonly kwargs: string | null;
  readonly retries: number | null;
  readonly runtimeMs: number | null;
  readonly result: string | null;
  readonly exception: string | null;
}

/** A worker after one event, or after its heartbeat stayed away. */
export interface LiveWorker {
  readonly kind: 'worker';
  /** Event type on the wire, or `worker-lost` when a missing heartbeat took it offline. */
  readonly type: string;
  readonly timestampMs: number;
  /** Node name, e.g. `celery@host`. */
  readonly worker: string;
  readonly online: boolean;
  readonly wasOnline: boolean;
  /** A new process under the same node name. */
  readonly restarted: boolean;
  readonly pid: number | null;
  readonly active: number | null;
  readonly processed: number | null;
  readonly loadavg: readonly number[] | null;
}

export type LiveMessage = LiveTask | LiveWorker;

/** One subscriber's bounded queue: where it is full the oldest message is dropped and counted. */
export interface LiveSubscription extends AsyncIterable<LiveMessage> {
  /** Messages dropped since the last call; 0 when none. */
  takeDropped(): number;
  /** Ends the iteration, also one that waits right now; further calls do nothing. */
  close(): void;
}

export interface LiveFeed {
  /** Messages from now on, in the order they happened. `maxQueue` messages wait at most. */
  subscribe(filter: LiveFilter, options: { readonly maxQueue: number }): LiveSubscription;
  /** To be told of each subscriber that found no seat. */
  refuse(): void;
}

/** How the agent stands, for `/api/v1/status`, the health probes and the index page. */
export interface AgentStatus {
  readonly version: string;
  /** Epoch ms. */
  readonly startedMs: number;
  /** The events come from the simulated cluster. */
  readonly demo: boolean;
  /** Of several agents on one database one leads: retention, healing, probing. An agent without a history leads itself. */
  readonly role: 'leader' | 'standby';
  /** RabbitMQ gives the events to another agent. */
  readonly standingBy: boolean;
  /** Absent: the agent takes the whole stream. */
  readonly slice?: {
    /** e.g. `1/3`. */
    readonly name: string;
    /** Of the agents of the slice this one shows its counts on `/metrics`. */
    readonly active: boolean;
    /** Slices without an agent, as the leader knows; empty of the others. */
    readonly missing: readonly string[];
  };
  readonly broker: BrokerStatus;
  readonly history: HistoryStatus;
  /** What is sent by OTLP; empty when nothing is. */
  readonly otlp: readonly OtlpStatus[];
  /** Totals since the start by name, camelCase, e.g. `{ events: 12, rejects: 0, tasks: 4, workers: 1 }`. */
  readonly counts: Readonly<Record<string, number>>;
  /** What the agent does not do now to keep up with the events, in whole sentences; empty when it does everything. */
  readonly shedding: readonly string[];
  readonly limits: readonly Bound[];
  /** Whole sentences for the operator, each naming the fix. */
  readonly warnings: readonly string[];
}

/** Something that fills up with the load, and may not grow further. */
export interface Bound {
  /** E.g. `event_memory`; the label `bound` of the metrics. */
  readonly bound: string;
  /** Absent where the limit is on each thing by itself, not on what is there at once. */
  readonly used?: number;
  readonly limit: number;
  readonly unit: 'bytes' | 'characters' | 'count' | 'seconds';
  /** How often since the start something found no room, or was over the limit. */
  readonly exceeded: number;
  /** That sets the limit; absent where it is fixed. */
  readonly option?: string;
  /** What happens then. */
  readonly then: string;
}

export interface BrokerStatus {
  /** Password hidden. */
  readonly displayUrl: string;
  readonly connected: boolean;
  /** Epoch ms of the last change of `connected`. */
  readonly sinceMs: number;
  readonly reconnects: number;
  readonly problem?: string;
}

export interface OtlpStatus {
  /** `traces` or `logs`. */
  readonly signal: string;
  readonly displayUrl: string;
  /** The receiver took the last batch. */
  readonly connected: boolean;
  /** Spans or log records since the start, as the next two. */
  readonly sent: number;
  readonly dropped: number;
  readonly waiting: number;
  readonly problem?: string;
}

export interface HistoryStatus {
  readonly enabled: boolean;
  readonly connected: boolean;
  /** Age of the oldest event that is not stored yet, ms; 0 when all are. */
  readonly lagMs: number;
  readonly queuedBatches: number;
  /** Bytes waiting in segment files. */
  readonly spilledBytes: number;
  readonly problem?: string;
}
