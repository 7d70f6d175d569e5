import type { TaskFilter } from '../query/filter.ts';
import type { TaskRecord } from '../query/records.ts';
import type { CallOptions, CommandResult, ControlRequest, Target } from './command.ts';

/** What `inspect` told about one worker; every part is the worker's own JSON, secrets in it masked. */
export interface WorkerInspection {
  readonly stats?: Readonly<Record<string, unknown>>;
  readonly active_queues?: readonly Readonly<Record<string, unknown>>[];
  readonly registered?: readonly string[];
  readonly conf?: Readonly<Record<string, unknown>>;
  readonly active?: readonly unknown[];
  readonly scheduled?: readonly unknown[];
  readonly reserved?: readonly unknown[];
  readonly revoked?: readonly unknown[];
  /** Instant of the last reply, epoch ms. */
  readonly timestampMs: number;
}

/** The last known inspections, kept as Flower's `Inspector` keeps them (flower/inspector.py). */
export interface Inspector {
  /** By node name, as last told; does not ask. */
  known(): ReadonlyMap<string, WorkerInspection>;
  /**
   * Asks now: everybody for stats, active_queues, registered and conf; a named worker for scheduled, active, reserved
   * and revoked too. Resolves when all have answered or the time is over. Calls under way are shared.
   */
  refresh(worker?: string): Promise<void>;
}

/** A queue as the broker tells it; undefined members: the broker does not tell. */
export interface QueueDepth {
  readonly name: string;
  /** Ready messages, summed over all priority lists on Redis; undefined when there is no such queue. */
  readonly messages?: number;
  /** Delivered and not acknowledged. */
  readonly unacked?: number;
  readonly consumers?: number;
  /** Instant since which the oldest waiting message has waited at least, epoch ms, where that can be known. */
  readonly oldestMs?: number;
  /** Ids of the tasks of the messages that are next, where the broker tells no times (Redis). */
  readonly nextIds?: readonly string[];
  /** Per second, where the management API tells. */
  readonly publishRate?: number;
  readonly deliverRate?: number;
  /** RabbitMQ's queue object of the management API, as Flower answers it. */
  readonly management?: Readonly<Record<string, unknown>>;
}

/** Options of a new task, checked; names as in Celery's `apply_async`. */
export interface TaskOptions {
  readonly queue?: string;
  /** 0 to 255; which end is urgent depends on the broker. */
  readonly priority?: number;
  /** Epoch ms. */
  readonly etaMs?: number;
  /** Epoch ms. */
  readonly expiresMs?: number;
  readonly taskId?: string;
  /** `[hard, soft]`, seconds. */
  readonly timeLimit?: readonly [number | null, number | null];
  readonly headers?: Readonly<Record<string, unknown>>;
  /** Python text of the arguments for display; default: made from them. */
  readonly argsrepr?: string;
  readonly kwargsrepr?: string;
  /** AMQP's: 1 may be lost when the broker restarts; default 2, kept. */
  readonly deliveryMode?: 1 | 2;
  /** Of the body, as kombu's `gzip`, which is a zlib stream; default: none. */
  readonly compression?: 'zlib';
}

/** Positional and keyword arguments as JSON texts, so that no digit of them is lost on the way. */
export interface TaskArguments {
  /** A JSON array. */
  readonly argsJson: string;
  /** A JSON object. */
  readonly kwargsJson: string;
}

export interface NewTask extends TaskArguments {
  readonly name: string;
  readonly options: TaskOptions;
}

/** A task's outcome from the result backend. */
export interface TaskResult {
  readonly taskId: string;
  /** `PENDING` where the backend knows nothing of it. */
  readonly state: string;
  /** JSON text of the value; of a failure, undefined. */
  readonly resultJson?: string;
  /** repr of the exception, or of a value that is no JSON. */
  readonly resultRepr?: string;
  readonly traceback?: string;
}

export interface RetryPlan extends TaskArguments {
  readonly taskId: string;
  readonly name: string;
  readonly queue: string | null;
  /** Where the arguments come from. */
  readonly source: 'message' | 'inspect' | 'result-backend' | 'events' | 'edited';
}

export type RetryOutcome =
  | { readonly taskId: string; readonly ok: true; readonly newTaskId: string; readonly plan: RetryPlan }
  | { readonly taskId: string; readonly ok: false; readonly reason: string };

export interface BulkRequest {
  readonly action: 'revoke' | 'retry';
  readonly filter: TaskFilter;
  /** Most tasks that may be hit; more matches than this are refused before anything is done. */
  readonly limit: number;
  readonly dryRun: boolean;
  readonly terminate?: boolean;
  readonly signal?: string;
}

export interface BulkProgress {
  readonly id: string;
  readonly action: 'revoke' | 'retry';
  readonly state: 'running' | 'done' | 'failed' | 'cancelled';
  readonly dryRun: boolean;
  readonly matched: number;
  readonly done: number;
  readonly failed: number;
  /** What would be hit, or was: at most 1,000 rows. */
  readonly tasks: readonly {
    readonly taskId: string;
    readonly name: string | null;
    readonly state: string;
    readonly outcome?: string;
  }[];
  readonly problem?: string;
  readonly startedMs: number;
  readonly endedMs?: number;
}

/** All that the API can make the cluster do. */
export interface ControlService {
  readonly inspector: Inspector;
  /** Sends and gathers. @throws BrokerUnavailable, ControlRefused `unknown-worker` */
  call(request: ControlRequest, options?: CallOptions): Promise<CommandResult>;
  /** Sends without waiting for replies, as Flower's revoke and shutdown do. */
  cast(request: ControlRequest): Promise<{ readonly receivers?: number }>;
  /** Node names of the workers a target reaches, by what is known of the cluster. */
  reached(target: Target): readonly string[];
  /** Known queues: of workers, of the configuration, of the broker's bindings. */
  queues(): Promise<readonly QueueDepth[]>;
  /** A new task. Resolves to its id once the broker has it. @throws ControlRefused, BrokerUnavailable */
  /** `unnamed`: where it goes without `options.queue`; where its name went `last` (default), or the default queue, as Flower does. */
  send(task: NewTask, unnamed?: 'last' | 'default-queue'): Promise<string>;
  /** Some worker has registered this name; undefined while none has been inspected. */
  knowsTask(name: string): boolean | undefined;
  /** @throws ControlRefused `no-backend` */
  result(taskId: string): Promise<TaskResult>;
  /** Waits until the task is ready, or the time is over. @throws ControlRefused `no-backend` */
  waitForResult(taskId: string, timeoutMs: number | undefined, signal?: AbortSignal): Promise<TaskResult>;
  /** By task id; undefined where the result backend cannot tell. */
  groupsOf(taskIds: readonly string[]): Promise<ReadonlyMap<string, string> | undefined>;
  /** Writes ABORTED (celery/contrib/abortable.py). @throws ControlRefused `no-backend` */
  abort(taskId: string): Promise<void>;
  /** The arguments a retry would send, without sending. @throws ControlRefused `not-retryable` with the reason */
  planRetry(task: TaskRecord, edited?: Partial<TaskArguments>): Promise<RetryPlan>;
  retry(task: TaskRecord, edited?: Partial<TaskArguments>, options?: TaskOptions): Promise<RetryOutcome>;
  startBulk(request: BulkRequest): Promise<BulkProgress>;
  bulk(id: string): BulkProgress | undefined;
  bulks(): readonly BulkProgress[];
  cancelBulk(id: string): BulkProgress | undefined;
}
