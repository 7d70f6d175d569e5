/** Celery's task states and their order (celery/states.py). */

export const PENDING = 'PENDING';
export const RECEIVED = 'RECEIVED';
export const STARTED = 'STARTED';
export const SUCCESS = 'SUCCESS';
export const FAILURE = 'FAILURE';
export const RETRY = 'RETRY';
export const REVOKED = 'REVOKED';
export const REJECTED = 'REJECTED';

/** States that end a task: celery.states.READY_STATES. */
export const READY_STATES: ReadonlySet<string> = new Set([SUCCESS, FAILURE, REVOKED]);
/** celery.states.EXCEPTION_STATES. */
export const EXCEPTION_STATES: ReadonlySet<string> = new Set([RETRY, FAILURE, REVOKED]);
/** celery.states.UNREADY_STATES; custom states are in neither set. */
export const UNREADY_STATES: ReadonlySet<string> = new Set([PENDING, RECEIVED, STARTED, REJECTED, RETRY]);

/** Strongest first; the empty text stands for every state that Celery does not know. */
export const PRECEDENCE: readonly string[] = [
  SUCCESS,
  FAILURE,
  '',
  REVOKED,
  STARTED,
  RECEIVED,
  REJECTED,
  RETRY,
  PENDING,
];
const PRECEDENCE_OF: ReadonlyMap<unknown, number> = new Map(PRECEDENCE.map((state, index) => [state, index]));
const CUSTOM_PRECEDENCE = PRECEDENCE.indexOf('');

/** A subject of a task event that Celery knows is also the name of the task's member with its time. */
export const STATE_OF_SUBJECT: ReadonlyMap<string, string> = new Map([
  ['sent', PENDING],
  ['received', RECEIVED],
  ['started', STARTED],
  ['failed', FAILURE],
  ['retried', RETRY],
  ['succeeded', SUCCESS],
  ['revoked', REVOKED],
  ['rejected', REJECTED],
]);

/** Index in `PRECEDENCE`: the lower, the stronger. */
export function precedence(state: unknown): number {
  return PRECEDENCE_OF.get(state) ?? CUSTOM_PRECEDENCE;
}

/** Of an app's own event, not one of Celery's. */
export function isCustom(state: string): boolean {
  return !PRECEDENCE_OF.has(state) || state === '';
}

/** The task has ended, unless it is retried or delivered again. */
export function isReady(state: string): boolean {
  return READY_STATES.has(state);
}

/** State that an event `task-<subject>` stands for; a custom one in capitals. */
export function stateOfSubject(subject: string): string {
  return STATE_OF_SUBJECT.get(subject) ?? subject.toUpperCase();
}
