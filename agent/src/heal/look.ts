import { isDue, isInGap, type LookContext, silentMs } from '../core/heal/due.ts';
import type { Finding, Healed } from '../core/heal/finding.ts';
import { judge, type Evidence, type Judgement, type WorkerStanding } from '../core/heal/judge.ts';
import type { StoredOpenTask } from '../core/heal/store.ts';
import {
  askBackend,
  askBroker,
  askWorkers,
  startOf,
  type BrokerAnswer,
  type EvidenceDeps,
  type WorkerAnswers,
} from './evidence.ts';

/** What one look at some tasks needs besides those who can be asked. */
export interface LookDeps extends EvidenceDeps {
  readonly context: LookContext;
  /** Tasks that nobody had when they were last looked for. */
  readonly missed: ReadonlySet<string>;
}

export interface Look {
  readonly task: StoredOpenTask;
  readonly judgement: Judgement;
}

export interface LookResult {
  readonly looks: readonly Look[];
  /** Nobody could be asked for results: what was left open may have ended. */
  readonly isIncomplete: boolean;
}

/**
 * Asks what has become of tasks of which there is reason to ask. Workers come first: what none of them has any more is
 * over, and its result was stored before that.
 */
export async function lookAt(tasks: readonly StoredOpenTask[], deps: LookDeps): Promise<LookResult> {
  const due = tasks.filter((task) => isDue(task, deps.context));
  if (due.length === 0) return { looks: [], isIncomplete: false };
  const answers = await askWorkers(idsOf(due), deps);
  const isOpen = ({ taskId }: StoredOpenTask): boolean => !answers.held.has(taskId);
  const results = await askBackend(idsOf(due.filter(isOpen)), deps);
  const first = due.map((task) => ({ task, judgement: judge(task, evidenceOf(task, deps, answers, results)) }));
  const settled = first.filter(({ judgement }) => !needsBroker(judgement));
  const rest = first.filter(({ judgement }) => needsBroker(judgement)).map(({ task }) => task);
  const late = rest.length === 0 ? [] : await lookIntoBroker(rest, deps, answers);
  return { looks: [...settled, ...late], isIncomplete: results === undefined };
}

/** The finding that a look comes to; undefined where the task stays as it is, or is known to be so already. */
export function findingOf({ task, judgement }: Look, nowMs: number): Finding | undefined {
  if (judgement.kind === 'leave') return undefined;
  if (judgement.kind === 'orphaned' && task.mark === 'orphaned') return undefined;
  const { taskId, state, timestamp, mark } = task;
  return { taskId, basis: { state, timestamp, mark }, verdict: judgement, foundAt: nowMs / 1000 };
}

/** What nobody seems to have is looked for in the broker, and once more in the backend: it may just have ended. */
async function lookIntoBroker(
  tasks: readonly StoredOpenTask[],
  deps: LookDeps,
  answers: WorkerAnswers,
): Promise<readonly Look[]> {
  const broker = await askBroker(tasks, deps);
  const results = await askBackend(idsOf(tasks), deps);
  return tasks.map((task) => ({ task, judgement: judge(task, evidenceOf(task, deps, answers, results, broker)) }));
}

function needsBroker(judgement: Judgement): boolean {
  return judgement.kind === 'leave' && judgement.why === 'broker';
}

function idsOf(tasks: readonly StoredOpenTask[]): string[] {
  return tasks.map(({ taskId }) => taskId);
}

function evidenceOf(
  task: StoredOpenTask,
  deps: LookDeps,
  { held, answered }: WorkerAnswers,
  results: ReadonlyMap<string, Healed> | undefined,
  broker?: BrokerAnswer,
): Evidence {
  const { taskId, worker } = task;
  return {
    held: held.get(taskId),
    standing: worker === null ? undefined : standingOf(worker, deps, answered),
    result: results === undefined ? 'unread' : (results.get(taskId) ?? (deps.backend === undefined ? 'off' : 'none')),
    broker: broker?.of(taskId),
    redeliveryMs: broker?.redeliveryMs ?? 0,
    isInGap: isInGap(task, deps.context),
    wasMissed: deps.missed.has(taskId),
  };
}

function standingOf(hostname: string, deps: LookDeps, answered: ReadonlySet<string>): WorkerStanding {
  const { context } = deps;
  const worker = context.worker(hostname);
  const forMs = silentMs(worker, context);
  if (!answered.has(hostname) && forMs >= context.orphanAfterMs) return { kind: 'gone', forMs };
  const startedMs = Math.max(worker?.startedMs ?? 0, startOf(hostname, deps));
  return { kind: 'there', startedMs, answered: answered.has(hostname) };
}
