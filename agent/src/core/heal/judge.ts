import { precedence, isReady, PENDING, RECEIVED, RETRY, STARTED, SUCCESS } from '../state/states.ts';
import type { TaskMark } from '../state/task.ts';
import type { Healed, Orphaned, OrphanReason } from './finding.ts';

/** An open task, as far as a judgement needs it. */
export interface OpenTask {
  readonly taskId: string;
  readonly state: string;
  /** Of the last event, epoch seconds. */
  readonly timestamp: number;
  readonly worker: string | null;
  readonly queue: string | null;
  /** Epoch ms until which it is meant to wait; null where it is not. */
  readonly etaMs: number | null;
  readonly mark: TaskMark['kind'] | null;
}

/** How the worker that was last heard of with a task stands. */
export type WorkerStanding =
  | { readonly kind: 'gone'; readonly forMs: number }
  /** It answered, or is heard of; `startedMs` 0: not known. */
  | { readonly kind: 'there'; readonly startedMs: number; readonly answered: boolean };

/** What a worker that holds the task said of it. */
export interface Held {
  readonly worker: string;
  readonly isActive: boolean;
  /** Epoch seconds; null where not told. */
  readonly startedAt: number | null;
}

/** What the broker holds of a task: a message that waits, one that a worker has and did not acknowledge, none. */
export type BrokerSight = 'waiting' | 'unacked' | 'absent' | 'unknown';

export interface Evidence {
  /** Undefined: no worker that answered holds it. */
  readonly held?: Held | undefined;
  /** Undefined: it was in no worker's hands. */
  readonly standing: WorkerStanding | undefined;
  /** `none`: nothing final is stored. `unread`: nobody could be asked. `off`: no backend is given. */
  readonly result: Healed | 'none' | 'unread' | 'off';
  /** Undefined: not asked. */
  readonly broker?: BrokerSight | undefined;
  /** How long a message of a dead worker can take until the broker delivers it again. */
  readonly redeliveryMs: number;
  /** Its end may lie in a time in which nobody listened. */
  readonly isInGap: boolean;
  /** It was looked for before, and not found either. */
  readonly wasMissed: boolean;
}

/** Why a task is left as it is. `missing`: nobody has it, which must be seen twice; `broker`: only the broker can tell. */
export type Leave = 'running' | 'waiting' | 'redelivery' | 'undecided' | 'missing' | 'broker';

export type Judgement = Healed | Orphaned | { readonly kind: 'leave'; readonly why: Leave };

/** A result this much older than the last event is of an earlier run: clocks of workers differ a little. */
const STALE_SECONDS = 5;

/** What has become of an open task. Pure: the evidence decides, and where it does not suffice, nothing is done. */
export function judge(task: OpenTask, evidence: Evidence): Judgement {
  const { held, result, broker } = evidence;
  if (held !== undefined) return judgeHeld(task, held, evidence.isInGap);
  if (typeof result === 'object') {
    // For Celery a state of the app's own is stronger than REVOKED: the finding would change nothing, time and again.
    if (precedence(result.state) > precedence(task.state)) return leave('undecided');
    const isOfEarlierRun = result.state !== SUCCESS && result.at !== null && result.at < task.timestamp - STALE_SECONDS;
    if (!isOfEarlierRun) return result;
    if (broker === undefined) return leave('broker');
    if (broker === 'waiting' || broker === 'unacked') return judgeInBroker(broker);
    return result;
  }
  return judgeMissing(task, evidence);
}

/** A worker works on it, or will. After a gap its own state may be behind that. */
function judgeHeld(task: OpenTask, { worker, isActive, startedAt }: Held, isInGap: boolean): Judgement {
  const state = isActive ? STARTED : RECEIVED;
  const isAhead = task.state === RETRY ? isActive : task.state !== state && precedence(state) < precedence(task.state);
  if (task.mark !== 'orphaned' && !(isInGap && isAhead)) return leave('running');
  return { kind: 'healed', source: 'inspect', state, at: isActive ? startedAt : null, worker };
}

function judgeMissing(task: OpenTask, evidence: Evidence): Judgement {
  const { standing, result, broker, redeliveryMs } = evidence;
  if (task.state === PENDING || isReady(task.state) || standing === undefined) return leave('undecided');
  if (result === 'unread') return leave('undecided');
  if (standing.kind === 'there' && !standing.answered) return leave('undecided');
  if (broker === undefined) return leave('broker');
  if (broker === 'waiting' || broker === 'unacked') return judgeInBroker(broker);
  if (broker === 'unknown' && !(standing.kind === 'gone' && standing.forMs >= redeliveryMs)) return leave('undecided');
  if (!evidence.wasMissed) return leave('missing');
  return { kind: 'orphaned', reason: reasonOf(task, standing) };
}

function judgeInBroker(broker: 'waiting' | 'unacked'): Judgement {
  return leave(broker === 'waiting' ? 'waiting' : 'redelivery');
}

function reasonOf({ timestamp }: OpenTask, standing: WorkerStanding): OrphanReason {
  if (standing.kind === 'gone') return 'worker-lost';
  return standing.startedMs > timestamp * 1000 ? 'worker-restarted' : 'end-unheard';
}

function leave(why: Leave): Judgement {
  return { kind: 'leave', why };
}
