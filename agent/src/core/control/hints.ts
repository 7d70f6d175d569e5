/** What a worker's own text of refusal contains (celery/worker/control.py), and what helps against it. */
interface Hint {
  readonly refusal: string;
  readonly help: string;
}

/** Pools of one process or of threads have neither `grow` nor `shrink`. */
const FIXED_POOL: Hint = {
  refusal: 'has no attribute',
  help: 'The pool of this worker (solo, threads) keeps its size; start it with another --concurrency or --pool.',
};

/** By command. */
const HINTS: ReadonlyMap<string, Hint> = new Map([
  ['autoscale', { refusal: 'Autoscale not enabled', help: 'Start the worker with --autoscale=MAX,MIN.' }],
  [
    'pool_restart',
    {
      refusal: 'Pool restarts not enabled',
      help: 'Set worker_pool_restarts = True in the Celery app and start the worker again.',
    },
  ],
  ['pool_grow', FIXED_POOL],
  ['pool_shrink', FIXED_POOL],
]);

/**
 * What to do about a worker's refusal; undefined where that is not known.
 *
 * @param method the command, by Celery's name
 * @param error the worker's own text
 */
export function hintFor(method: string, error: string): string | undefined {
  const hint = HINTS.get(method);
  return hint !== undefined && error.includes(hint.refusal) ? hint.help : undefined;
}
