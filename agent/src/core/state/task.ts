import type { CeleryEvent } from '../events/event.ts';
import { precedence, RECEIVED, RETRY, STATE_OF_SUBJECT, stateOfSubject } from './states.ts';

/** What the agent found out about a task without an event of it. */
export interface TaskMark {
  /**
   * `healed`: its state was read elsewhere, because its event was not heard; `orphaned`: nobody works on it any more,
   * and nobody will tell its end; `replaced`: it was orphaned, and another was sent in its place.
   */
  readonly kind: 'healed' | 'orphaned' | 'replaced';
  /** Where the state was read; why it is orphaned; the id of the other task. */
  readonly detail: string;
  /** When, epoch seconds. */
  readonly at: number;
}

/**
 * A task as `celery.events.state.Task` (celery/events/state.py) holds it, member for member, under the wire's
 * names. Values stay what the event carried, whatever their type: Celery checks none of them.
 */
export class TaskState {
  readonly uuid: string;
  name: unknown = null;
  state = 'PENDING';
  sent: number | null = null;
  received: number | null = null;
  started: number | null = null;
  succeeded: number | null = null;
  failed: number | null = null;
  retried: number | null = null;
  revoked: number | null = null;
  rejected: number | null = null;
  args: unknown = null;
  kwargs: unknown = null;
  eta: unknown = null;
  expires: unknown = null;
  retries: unknown = null;
  /** Node name of the last worker that sent an event about it; null while only its publisher did. */
  worker: string | null = null;
  result: unknown = null;
  exception: unknown = null;
  timestamp: number | null = null;
  runtime: unknown = null;
  traceback: unknown = null;
  exchange: unknown = null;
  routing_key: unknown = null;
  /** Celery's Task has no `queue`; the history and the metrics need it. */
  queue: unknown = null;
  clock: number = 0;
  /** Node name of the publisher: host of task-sent. */
  client: string | null = null;
  root_id: unknown = null;
  parent_id: unknown = null;
  /** Sender's process of the last merged event. */
  pid: unknown = null;
  /**
   * What Celery would hold in a member that has a fixed type here, where a (custom) event's body brought another type
   * under its name: `{ started: 'soon' }`. The member then keeps its last fitting value. Null almost always.
   */
  odd: Partial<Record<TypedMember, unknown>> | null = null;
  /** Null almost always; an event that is heard later takes it away. */
  mark: TaskMark | null = null;

  constructor(uuid: string) {
    this.uuid = uuid;
  }
}

type Mark = 'sent' | 'received' | 'started' | 'succeeded' | 'failed' | 'retried' | 'revoked' | 'rejected';
type TypedMember = Mark | 'state' | 'worker' | 'client' | 'clock';

/**
 * Merges one event into the task by the rules of `State._event` and `Task.event` (celery/events/state.py), with two
 * additions: `queue` is kept from task-sent, and `pid` from every event that is merged whole. Takes the mark away, but
 * from a healed task to which it only adds.
 *
 * Celery writes every key of the body into the task, so a body's own `state`, `started` or `worker` wins as it does there.
 */
export function mergeTaskEvent(task: TaskState, event: CeleryEvent): void {
  const { fields, subject } = event;
  if (subject === 'sent') setName(task, 'client', event.hostname);
  else setName(task, 'worker', event.hostname);
  if (STATE_OF_SUBJECT.has(subject)) setMark(task, subject as Mark, event.timestamp);

  const state = stateOfSubject(subject);
  if (task.mark !== null && task.mark.kind !== 'healed') task.mark = null;
  if (isBehind(task, state)) {
    // It only fills in.
    mergeReceived(task, fields);
    if (state === RECEIVED) return;
    mergeOthers(task, event);
    if (fields['state'] !== undefined) setState(task, fields['state']);
  } else {
    task.mark = null;
    mergeReceived(task, fields);
    mergeOthers(task, event);
    setState(task, state);
  }
}

/** By Celery's rules the state comes logically before the task's own. */
function isBehind(task: TaskState, state: string): boolean {
  const current = currentState(task);
  return state !== RETRY && current !== RETRY && precedence(state) > precedence(current);
}

/**
 * Whether the event may have been sent before one that is merged already, so that another order of the two would have
 * given another task. False for what goes on as tasks do: later, and to a state as strong or stronger.
 */
export function mayBeLate(task: TaskState, { subject, timestamp }: CeleryEvent): boolean {
  if (task.timestamp === null) return false;
  const state = stateOfSubject(subject);
  // Next to a retry every event wins, whichever of the two comes last.
  const mayOverrule = state === RETRY || currentState(task) === RETRY || isBehind(task, state);
  return mayOverrule || timestamp <= task.timestamp;
}

function currentState(task: TaskState): unknown {
  return task.odd !== null && Object.hasOwn(task.odd, 'state') ? task.odd.state : task.state;
}

/** The fields that `Task.merge_rules` takes from a late task-received. */
function mergeReceived(task: TaskState, fields: CeleryEvent['fields']): void {
  const { name, args, kwargs, parent_id, root_id, retries, eta, expires } = fields;
  if (name !== undefined) task.name = name;
  if (args !== undefined) task.args = args;
  if (kwargs !== undefined) task.kwargs = kwargs;
  if (parent_id !== undefined) task.parent_id = parent_id;
  if (root_id !== undefined) task.root_id = root_id;
  if (retries !== undefined) task.retries = retries;
  if (eta !== undefined) task.eta = eta;
  if (expires !== undefined) task.expires = expires;
}

function mergeOthers(task: TaskState, event: CeleryEvent): void {
  const { fields } = event;
  const { result, exception, runtime, traceback, exchange, routing_key, pid } = fields;
  if (result !== undefined) task.result = result;
  if (exception !== undefined) task.exception = exception;
  if (runtime !== undefined) task.runtime = runtime;
  if (traceback !== undefined) task.traceback = traceback;
  if (exchange !== undefined) task.exchange = exchange;
  if (routing_key !== undefined) task.routing_key = routing_key;
  if (pid !== undefined) task.pid = pid;
  // A delayed delivery (quorum queues) names no queue: the one known before is the better answer.
  if (event.subject === 'sent' && fields['queue'] !== undefined && fields['queue'] !== null)
    task.queue = fields['queue'];
  task.timestamp = event.timestamp;
  setClock(task, event);
  if (hasOwnMarks(fields)) mergeOwnMarks(task, fields);
}

/** The body speaks of what Celery itself keeps; only custom events may. */
function hasOwnMarks(fields: CeleryEvent['fields']): boolean {
  const { sent, received, started, succeeded, failed, retried, revoked, rejected, worker, client } = fields;
  return (
    sent !== undefined ||
    received !== undefined ||
    started !== undefined ||
    succeeded !== undefined ||
    failed !== undefined ||
    retried !== undefined ||
    revoked !== undefined ||
    rejected !== undefined ||
    worker !== undefined ||
    client !== undefined
  );
}

function mergeOwnMarks(task: TaskState, fields: CeleryEvent['fields']): void {
  for (const mark of STATE_OF_SUBJECT.keys()) {
    if (fields[mark] !== undefined) setMark(task, mark as Mark, fields[mark]);
  }
  if (fields['worker'] !== undefined) setName(task, 'worker', fields['worker']);
  if (fields['client'] !== undefined) setName(task, 'client', fields['client']);
}

function setMark(task: TaskState, mark: Mark, value: unknown): void {
  if (typeof value === 'number' || value === null) {
    task[mark] = value;
    if (task.odd !== null) forgetOdd(task, mark);
  } else keepOdd(task, mark, value);
}

function setName(task: TaskState, member: 'worker' | 'client', value: unknown): void {
  if (typeof value === 'string' || value === null) {
    task[member] = value;
    if (task.odd !== null) forgetOdd(task, member);
  } else keepOdd(task, member, value);
}

function setState(task: TaskState, value: unknown): void {
  if (typeof value === 'string') {
    task.state = value;
    if (task.odd !== null) forgetOdd(task, 'state');
  } else keepOdd(task, 'state', value);
}

function setClock(task: TaskState, event: CeleryEvent): void {
  task.clock = event.clock;
  const sent = event.fields['clock'];
  if (sent !== undefined && sent !== event.clock) keepOdd(task, 'clock', sent);
  else if (task.odd !== null) forgetOdd(task, 'clock');
}

function keepOdd(task: TaskState, member: TypedMember, value: unknown): void {
  task.odd = { ...task.odd, [member]: value };
}

function forgetOdd(task: TaskState, member: TypedMember): void {
  const rest = { ...task.odd };
  Reflect.deleteProperty(rest, member);
  task.odd = Object.keys(rest).length === 0 ? null : rest;
}
