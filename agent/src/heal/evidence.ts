import type { ControlService, QueueDepth } from '../core/control/service.ts';
import type { Healed } from '../core/heal/finding.ts';
import type { BrokerSight, Held } from '../core/heal/judge.ts';
import type { StoredOpenTask } from '../core/heal/store.ts';
import type { Masker } from '../core/mask/mask.ts';
import type { Logger } from '../lib/logger.ts';
import { BackendUnavailable, type ResultBackend } from '../results/port.ts';
import type { BrokerTransport } from '../transport/port.ts';
import { isRecord } from '../core/wire/envelope.ts';
import { healedBy } from './results.ts';

export interface EvidenceDeps {
  readonly control: Pick<ControlService, 'call' | 'queues'> & {
    readonly inspector: Pick<ControlService['inspector'], 'known'>;
  };
  readonly tasks: Pick<BrokerTransport['tasks'], 'locate' | 'eachMessage'>;
  /** Absent: results are not looked up. */
  readonly backend: ResultBackend | undefined;
  readonly masker: Masker;
  readonly logger: Logger;
}

/** What the workers answered. */
export interface WorkerAnswers {
  readonly held: ReadonlyMap<string, Held>;
  readonly answered: ReadonlySet<string>;
}

export interface BrokerAnswer {
  of(taskId: string): BrokerSight;
  readonly redeliveryMs: number;
}

/** `query_task` of everybody: a task may run elsewhere than where it was last heard of. @throws BrokerUnavailable */
export async function askWorkers(ids: readonly string[], { control }: EvidenceDeps): Promise<WorkerAnswers> {
  const { answers } = await control.call({ method: 'query_task', arguments: { ids }, target: { kind: 'all' } });
  const held = new Map<string, Held>();
  const answered = new Set<string>();
  for (const answer of answers) {
    if (!answer.ok) continue;
    answered.add(answer.worker);
    if (!isRecord(answer.reply)) continue;
    for (const [id, entry] of Object.entries(answer.reply)) {
      const one = readHeld(answer.worker, entry);
      // It may be waiting at one worker (redelivered) and run at another.
      if (one !== undefined && (one.isActive || !held.has(id))) held.set(id, one);
    }
  }
  return { held, answered };
}

/** `["active" | "reserved" | "ready", request]` (celery/worker/control.py `query_task`). */
function readHeld(worker: string, entry: unknown): Held | undefined {
  if (!Array.isArray(entry)) return undefined;
  const [state, request] = entry as unknown[];
  const startedAt = isRecord(request) && typeof request['time_start'] === 'number' ? request['time_start'] : null;
  return { worker, isActive: state === 'active', startedAt };
}

/** Final states by task id; undefined where the backend cannot be asked. */
export async function askBackend(
  ids: readonly string[],
  { backend, masker, logger }: EvidenceDeps,
): Promise<ReadonlyMap<string, Healed> | undefined> {
  if (backend === undefined || ids.length === 0) return new Map();
  try {
    const found = new Map<string, Healed>();
    for (const [id, stored] of await backend.getMany(ids)) {
      const healed = healedBy(stored, masker);
      if (healed !== undefined) found.set(id, healed);
    }
    return found;
  } catch (error) {
    if (!(error instanceof BackendUnavailable)) throw error;
    logger.warn({ reason: error.message }, 'results cannot be looked up: nothing is healed by them now');
    return undefined;
  }
}

/** Looks for the messages of these tasks in their queues, or in all that are known. @throws BrokerUnavailable */
export async function askBroker(tasks: readonly StoredOpenTask[], deps: EvidenceDeps): Promise<BrokerAnswer> {
  const homes = new Map(tasks.map((task) => [task.taskId, homesOf(task, deps)]));
  const queues = new Set([...homes.values()].flat());
  for (const { name } of await deps.control.queues()) queues.add(name);
  const { found, isWhole, depths, redeliveryMs } = await deps.tasks.locate(new Set(homes.keys()), [...queues]);
  const byName = new Map(depths?.map((depth) => [depth.name, depth]));
  const sightOf = (taskId: string): BrokerSight =>
    isWhole ? 'absent' : guessSight((homes.get(taskId) ?? []).map((name) => byName.get(name)));
  return { of: (taskId) => found.get(taskId) ?? sightOf(taskId), redeliveryMs };
}

/** Queues in one of which the task's message was: its own, or those of its worker. Empty: nobody knows. */
function homesOf({ queue, worker }: StoredOpenTask, { control }: EvidenceDeps): readonly string[] {
  if (queue !== null) return [queue];
  const consumed = control.inspector.known().get(worker ?? '')?.active_queues ?? [];
  return consumed.flatMap(({ name }) => (typeof name === 'string' ? [name] : []));
}

/** Where the message may be when nobody can look into the queues it may have gone back to. */
function guessSight(homes: readonly (QueueDepth | undefined)[]): BrokerSight {
  const isEmpty = (home: QueueDepth | undefined): boolean => home?.messages === 0;
  if (homes.length > 0 && homes.every(isEmpty)) return 'absent';
  // Nobody takes what is there: whoever begins to will.
  return homes.some((home) => (home?.messages ?? 0) > 0 && home?.consumers === 0) ? 'waiting' : 'unknown';
}

/** When the worker's process began, by what it last told of itself, epoch ms; 0 where it did not. */
export function startOf(hostname: string, { control }: EvidenceDeps): number {
  const inspection = control.inspector.known().get(hostname);
  const uptime = inspection?.stats?.['uptime'];
  if (inspection === undefined || typeof uptime !== 'number') return 0;
  return inspection.timestampMs - uptime * 1000;
}
