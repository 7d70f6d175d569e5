/**
 * What the history answers: plain rows, no behaviour. Instants ending in `Ms` are epoch milliseconds (float:
 * the wire's microseconds are kept); members named as on Celery's wire (`sent`, `timestamp`, `runtime`) are
 * seconds exactly as sent, because Flower's API prints them back digit by digit.
 */
export interface TaskRecord {
  readonly taskId: string;
  readonly name: string | null;
  /** Celery's merged state, e.g. `SUCCESS`, `RETRY`, or a custom one in capitals. */
  readonly state: string;
  /** Node name of the worker that sent the last worker-side event; null while none did. */
  readonly worker: string | null;
  /** Node name of the publisher (`task-sent`). */
  readonly client: string | null;
  readonly queue: string | null;
  readonly exchange: string | null;
  readonly routingKey: string | null;
  readonly rootId: string | null;
  readonly parentId: string | null;
  /** Python repr texts as the worker sent them, maybe cut. */
  readonly args: string | null;
  readonly kwargs: string | null;
  readonly result: string | null;
  readonly exception: string | null;
  readonly traceback: string | null;
  /** ISO 8601 texts as sent. */
  readonly eta: string | null;
  readonly expires: string | null;
  readonly retries: number | null;
  /** Seconds. */
  readonly runtime: number | null;
  readonly sent: number | null;
  readonly received: number | null;
  readonly started: number | null;
  readonly succeeded: number | null;
  readonly failed: number | null;
  readonly retried: number | null;
  readonly revoked: number | null;
  readonly rejected: number | null;
  /** Wire timestamp of the event that set the state, epoch seconds. */
  readonly timestamp: number;
  readonly clock: number | null;
  readonly pid: number | null;
  /** Exception class, e.g. `ValueError`; null unless a task-failed or task-retried was seen. */
  readonly exceptionType: string | null;
  /** Values as sent, for fields whose type is not the column's (`retries: "two"`), or that were cut (`{"args": {"cut": 20971520}}`). */
  readonly oddities: Readonly<Record<string, unknown>> | null;
  /** Where the state was read, because its event was not heard: `result-backend`, `inspect`, `queue`; null otherwise. */
  readonly healed: string | null;
  /** Why nobody works on it any more: `worker-lost`, `worker-restarted`, `end-unheard`; null otherwise. */
  readonly orphaned: string | null;
  /** Id of the task that was sent in its place once it was orphaned; null otherwise. */
  readonly retriedAs: string | null;
  /** When the one or the other came about; null where none did. */
  readonly markedMs: number | null;
}

export interface TaskEventRecord {
  readonly taskId: string;
  readonly type: string;
  /** Sender. */
  readonly worker: string;
  readonly timestampMs: number;
  readonly receivedMs: number;
  readonly clock: number;
  /** 1 for the first delivery, +1 for each attempt after it (celery-wire 3.7). */
  readonly attempt: number;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface WorkerRecord {
  readonly hostname: string;
  /** By heartbeats: `offlineAfterMs`. */
  readonly online: boolean;
  /** It said that it goes, or an agent told that it fell silent. Neither this nor `online`: nobody has told yet. */
  readonly isGone: boolean;
  readonly lastHeartbeatMs: number | null;
  readonly firstSeenMs: number;
  readonly pid: number | null;
  readonly freq: number | null;
  readonly active: number | null;
  readonly processed: number | null;
  readonly loadavg: readonly number[] | null;
  readonly swIdent: string | null;
  readonly swVer: string | null;
  readonly swSys: string | null;
  readonly clock: number | null;
}

export interface WorkerEventRecord {
  readonly hostname: string;
  readonly type: string;
  readonly timestampMs: number;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface SeriesPoint {
  /** Start of the step. */
  readonly timeMs: number;
  /** In the order of `TimeSeries.columns`; null where there is no value (a percentile of nothing). */
  readonly values: readonly (number | null)[];
}

export interface TimeSeries {
  /** The values of the `by` dimensions, e.g. `{ name: 'app.add' }`; empty for one total. */
  readonly labels: Readonly<Record<string, string>>;
  readonly points: readonly SeriesPoint[];
}

export interface FailureGroup {
  readonly exceptionType: string;
  /** Message with numbers, ids, quoted texts and addresses replaced by placeholders. */
  readonly message: string;
  /** Stable key of (exceptionType, message), for links. */
  readonly fingerprint: string;
  readonly count: number;
  readonly firstMs: number;
  readonly lastMs: number;
  /** Task names, most frequent first, at most 10. */
  readonly names: readonly string[];
  readonly sampleTaskId: string;
  readonly sampleTraceback: string | null;
  /** Failures in each step of the `FailureTrend` that was asked for; empty without one. */
  readonly trend: readonly number[];
}

/** Equal steps of a range of time. */
export interface FailureTrend {
  readonly fromMs: number;
  readonly toMs: number;
  /** Whole, at least 1. */
  readonly steps: number;
}

export interface GapRecord {
  readonly id: number;
  readonly fromMs: number;
  /** null while it lasts. */
  readonly toMs: number | null;
  readonly cause: string;
  readonly agent: string;
  /** The agent that listened all the time: nothing was missed. Null: nobody is known to have. */
  readonly coveredBy: string | null;
  /** What was put right afterwards, by number of tasks; null until that was tried. */
  readonly healed: Readonly<Record<string, unknown>> | null;
}
