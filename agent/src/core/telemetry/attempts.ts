import type { CeleryEvent } from '../events/event.ts';
import type { Finding } from '../heal/finding.ts';
import { etaSeconds } from '../state/eta.ts';
import { stateOfSubject } from '../state/states.ts';
import type { TaskState } from '../state/task.ts';
import { linkOf, type SpanLink } from './trace-context.ts';

/**
 * One delivery of a task to a worker. A retry keeps the task's id and is published before the worker tells of it, so
 * the merged task alone cannot tell which attempt a time belongs to. Instants are epoch seconds, as on the wire.
 */
export interface Attempt {
  /** 0 for the first, +1 for each retry: Celery's `retries`. */
  readonly number: number;
  sent: number | undefined;
  /** The earliest instant at which it may run: eta or countdown. */
  due: number | undefined;
  received: number | undefined;
  started: number | undefined;
  ended: number | undefined;
  worker: string | undefined;
  /** Celery's word for how it ended: RETRY for one that another follows. */
  state: string | undefined;
  /** Of the event that ended it. */
  failure: Failure | undefined;
  /** The worker's own trace context. */
  link: SpanLink | undefined;
  /** Its spans have been made. */
  told: boolean;
}

/** As the wire has it: a repr, and a traceback where Celery sent one. */
export interface Failure {
  readonly exception: unknown;
  readonly traceback: unknown;
}

/** More are not told apart: a task that retries for ever must not fill the memory. The last one stands for the rest. */
export const MAX_ATTEMPTS = 100;

/** Subjects of task events that end an attempt. */
const ENDS: ReadonlySet<string> = new Set(['succeeded', 'failed', 'retried', 'revoked', 'rejected']);

/** Whether the event ends an attempt of its task. */
export function endsAttempt({ subject }: CeleryEvent): boolean {
  return ENDS.has(subject);
}

/** The attempt of a task that was under way when this agent heard of it first, as the merged task knows it. */
export function attemptOf(task: TaskState, { subject }: Pick<CeleryEvent, 'subject'>): Attempt {
  // What lies before the last retry belongs to an attempt before.
  const retried = subject === 'retried' ? null : task.retried;
  const mark = (at: number | null): number | undefined =>
    at === null || (retried !== null && at < retried) ? undefined : at;
  return {
    ...newAttempt(countOf(task.retries)),
    sent: mark(task.sent),
    due: etaSeconds(task.eta) || undefined,
    received: mark(task.received),
    started: mark(task.started),
  };
}

/** Enters the event into the attempts of its task, which may be none yet, and returns the attempt it belongs to. */
export function noteEvent(attempts: Attempt[], event: CeleryEvent): Attempt {
  const { subject, timestamp, fields } = event;
  const attempt = find(attempts, event);
  if (subject !== 'sent') attempt.worker = event.hostname;
  if (subject === 'sent') attempt.sent = timestamp;
  else if (subject === 'received') {
    attempt.received = timestamp;
    // Delivered again: what an earlier worker began counts no more.
    if (attempt.ended === undefined) attempt.started = undefined;
  } else if (subject === 'started') attempt.started = timestamp;
  else if (ENDS.has(subject)) {
    attempt.ended = timestamp;
    attempt.state = stateOfSubject(subject);
    const { exception, traceback } = fields;
    if (exception !== undefined || traceback !== undefined) attempt.failure = { exception, traceback };
  }
  if (subject === 'sent' || subject === 'received') {
    const due = etaSeconds(fields['eta']);
    if (due > 0) attempt.due = due;
  }
  const link = linkOf(fields);
  if (link !== undefined) attempt.link = link;
  return attempt;
}

/** The attempts of a task of which no event told the end: the one that was under way ends as it was found out. */
export function endedBy({ verdict, foundAt }: Finding, task: TaskState, held: readonly Attempt[]): readonly Attempt[] {
  const [last = attemptOf(task, { subject: verdict.kind })] = held.slice(-1);
  const open = last.ended === undefined ? last : newAttempt(last.number + 1);
  const before = held.filter((attempt) => attempt !== open);
  if (verdict.kind !== 'healed') return [...before, { ...open, ended: foundAt }];
  const { at, state, exception, traceback } = verdict;
  const failure = exception === undefined && traceback === undefined ? undefined : { exception, traceback };
  return [...before, { ...open, ended: at ?? foundAt, state, failure }];
}

/** Only task-sent and task-received tell the number; the other events belong to what is under way. */
function find(attempts: Attempt[], { subject, fields, hostname }: CeleryEvent): Attempt {
  const last = attempts.at(-1);
  if (subject === 'sent' || subject === 'received') {
    const number = countOf(fields['retries']);
    return attempts.find((one) => one.number === number) ?? add(attempts, number);
  }
  if (last !== undefined && attempts.length === 1) return last;
  const open = attempts.filter(
    ({ received, started, ended }) => ended === undefined && (received ?? started) !== undefined,
  );
  const own = open.filter(({ worker }) => worker === hostname);
  const candidates = own.length > 0 ? own : open;
  const fitting = subject === 'started' ? candidates.find(({ started }) => started === undefined) : candidates[0];
  return fitting ?? last ?? add(attempts, 0);
}

function add(attempts: Attempt[], number: number): Attempt {
  const last = attempts.at(-1);
  if (attempts.length >= MAX_ATTEMPTS && last !== undefined) return last;
  const attempt = newAttempt(number);
  attempts.push(attempt);
  return attempt;
}

/** Celery's `retries` of a task or an event; 0 where it is none. */
export function countOf(retries: unknown): number {
  return typeof retries === 'number' && Number.isInteger(retries) && retries > 0 ? retries : 0;
}

function newAttempt(number: number): Attempt {
  return {
    number,
    sent: undefined,
    due: undefined,
    received: undefined,
    started: undefined,
    ended: undefined,
    worker: undefined,
    state: undefined,
    failure: undefined,
    link: undefined,
    told: false,
  };
}
