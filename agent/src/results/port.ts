/** What a result backend holds of one task (celery/backends/base.py `_get_result_meta`). */
export interface StoredResult {
  readonly taskId: string;
  /** `SUCCESS`, `FAILURE`, `RETRY`, `REVOKED`, `STARTED`, or a custom one. */
  readonly status: string;
  /** JSON text of `result`, digit by digit as stored; of a failure its `{exc_type, exc_message, exc_module}`. */
  readonly resultJson: string | null;
  /** Python-like text of a value that is no JSON (pickled), readable and nothing more. */
  readonly resultRepr: string | null;
  readonly traceback: string | null;
  /** Epoch ms; null where unknown. */
  readonly dateDoneMs: number | null;
  /** Only with `result_extended`. JSON texts, cut out of what is stored so that nothing is lost. */
  readonly extended?: {
    readonly name: string | null;
    readonly argsJson: string | null;
    readonly kwargsJson: string | null;
    readonly worker: string | null;
    readonly retries: number | null;
    readonly queue: string | null;
  };
}

/** Thrown where the backend cannot be asked now. */
export class BackendUnavailable extends Error {}

/** A result backend, as far as the agent uses it. */
export interface ResultBackend {
  /** Password hidden. */
  readonly displayUrl: string;
  /** Undefined: never stored, or expired. @throws BackendUnavailable */
  get(taskId: string): Promise<StoredResult | undefined>;
  /** Several at once; missing ones are left out. @throws BackendUnavailable */
  getMany(taskIds: readonly string[]): Promise<ReadonlyMap<string, StoredResult>>;
  /**
   * Group of each task that ran in a group or in the header of a chord, by its id; small results only. Absent where the
   * backend does not store it. @throws BackendUnavailable
   */
  groupsOf?(taskIds: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /**
   * Ids, in portions, of tasks that may have ended in this time (epoch ms): all that are stored where the backend keeps
   * no order of time (Redis). @throws BackendUnavailable
   */
  endedBetween(fromMs: number, toMs: number): AsyncIterable<readonly string[]>;
  /** Stores a state as Celery's `store_result` does; used for ABORTED (celery/contrib/abortable.py). */
  storeState(taskId: string, status: string): Promise<void>;
  health(): { readonly connected: boolean; readonly problem?: string };
  close(): Promise<void>;
}
