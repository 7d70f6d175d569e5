import type { Masker } from '../core/mask/mask.ts';
import type { HistoryReader } from '../core/query/reader.ts';
import type { TaskRecord } from '../core/query/records.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { ResultBackend } from '../results/port.ts';
import type { BrokerTransport } from '../transport/port.ts';

/** What is known of one worker; `WorkerState` of the live model fits. */
export interface KnownWorker {
  /** Node name, e.g. `celery@host`. */
  readonly hostname: string;
  readonly online: boolean;
  /** Another one under the same name: it was started again. */
  readonly pid: unknown;
}

export interface ControlOptions {
  /** Default of `CallOptions.timeoutMs`; Flower's `inspect_timeout`. Default 1000. */
  readonly inspectTimeoutMs?: number;
  /** Switch task events on every 5 s, Flower's `enable_events`. Default true; never in the demo. */
  readonly enableEvents?: boolean;
  /** Celery's `task_default_queue`. Default `celery`. */
  readonly defaultQueue?: string;
  /** Queues that exist whatever the workers and the broker say. Default none. */
  readonly queues?: readonly string[];
  /** Sender of new tasks, e.g. `umbel@host`. Default `umbel`. */
  readonly origin?: string;
}

export interface ControlDeps {
  readonly transport: Pick<BrokerTransport, 'scheme' | 'control' | 'tasks' | 'health'>;
  /** All workers heard of, also those offline. Asked often: it must be cheap. */
  readonly workers: () => readonly KnownWorker[];
  /** Absent: results are not looked up. */
  readonly backend?: ResultBackend | undefined;
  /** Absent: tasks can only be found by what is handed in; no bulk actions. */
  readonly history?: HistoryReader | undefined;
  /** Hides secrets in the arguments of tasks that workers tell of, in retry plans and in results. Default: none. */
  readonly masker?: Masker | undefined;
  /** An orphaned task was sent again, as a task of this id. Default: nothing. */
  readonly onReplaced?: (orphan: TaskRecord, newTaskId: string) => void;
  /** When a task was published, epoch ms, as far as that was heard. Default: of none. */
  readonly sentMs?: (taskId: string) => number | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly options?: ControlOptions;
}
