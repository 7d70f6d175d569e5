/**
 * Who a control command is meant for. `worker` names are node names such as `celery@host`. An empty list is never sent:
 * Celery takes it, and a pattern without a matcher, as every worker (celery/worker/pidbox.py, kombu/pidbox.py).
 */
export type Target =
  | { readonly kind: 'all' }
  | { readonly kind: 'workers'; readonly workers: readonly [string, ...string[]] }
  /** `glob` as Python's fnmatch, `pcre` as Python's `re.match`: anchored at the start only. */
  | { readonly kind: 'pattern'; readonly pattern: string; readonly matcher: 'glob' | 'pcre' };

/** One pidbox request before it is wrapped for the broker. */
export interface ControlRequest {
  /** Celery's name, e.g. `pool_grow`. */
  readonly method: string;
  /** Python keyword arguments of the worker's handler. */
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly target: Target;
}

/** What one worker said. */
export type WorkerAnswer =
  | { readonly worker: string; readonly ok: true; readonly reply: unknown }
  /** `error` is the worker's own text, or says why its reply cannot be read (e.g. pickled). */
  | { readonly worker: string; readonly ok: false; readonly error: string };

/** Outcome of a command that was sent and whose replies were gathered. */
export interface CommandResult {
  /** In order of arrival. */
  readonly answers: readonly WorkerAnswer[];
  /** Workers that were expected to answer and did not in time: busy, gone, or of another serializer. Sorted. */
  readonly silent: readonly string[];
  /** Subscribers the broker handed the request to, where it tells (Redis); 0: nobody listens. */
  readonly receivers?: number;
}

export interface CallOptions {
  /** Longest wait for replies, ms; default `--inspect-timeout`. Ends sooner when all expected workers have answered. */
  readonly timeoutMs?: number;
}

/** Thrown when the broker cannot be asked at the moment; the API answers 503. */
export class BrokerUnavailable extends Error {}

/** Thrown when what was asked cannot be done, with a sentence that names the field and the fix; the API answers 4xx. */
export class ControlRefused extends Error {
  readonly code:
    'unknown-worker' | 'unknown-task' | 'unknown-queue' | 'bad-argument' | 'not-retryable' | 'no-backend' | 'too-many';
  readonly field: string | undefined;

  constructor(code: ControlRefused['code'], message: string, field?: string) {
    super(message);
    this.code = code;
    this.field = field;
  }
}
