import { BrokerUnavailable } from '../core/control/command.ts';
import { argumentsFromEvents } from '../core/control/event-arguments.ts';
import type { RetryPlan, TaskArguments } from '../core/control/service.ts';
import type { TaskRecord } from '../core/query/records.ts';
import { REJECTED, REVOKED } from '../core/state/states.ts';
import { isRecord } from '../core/wire/envelope.ts';
import { BackendUnavailable, type ResultBackend } from '../results/port.ts';
import type { TaskQueues } from '../transport/port.ts';
import type { Caller } from './calls.ts';
import type { KnownWorker } from './deps.ts';
import { readQueuedTask } from './message-arguments.ts';

export interface SourceDeps {
  readonly tasks: TaskQueues;
  readonly backend: ResultBackend | undefined;
  readonly caller: Caller;
  readonly workers: () => readonly KnownWorker[];
}

/** Real arguments, as far as they could be found. */
export interface FoundArguments extends TaskArguments {
  /** The registered name, where the source tells it: events may tell another (`shadow`). */
  readonly name?: string;
  readonly queue?: string;
  readonly source: RetryPlan['source'];
}

/**
 * Looks for the arguments a task was sent with, the most faithful source first (celery-wire 5.6); where there are none,
 * why not, source by source.
 */
export async function findArguments(
  task: TaskRecord,
  deps: SourceDeps,
): Promise<FoundArguments | { readonly reasons: readonly string[] }> {
  const reasons: string[] = [];
  // A task that came to its end was acknowledged: nothing of it lies in the broker or waits in a worker.
  const sources =
    task.state === REVOKED || task.state === REJECTED ? [fromMessage, fromWorker, fromBackend] : [fromBackend];
  for (const source of sources) {
    const found = await source(task, deps);
    if (typeof found !== 'string') return found;
    if (found !== '') reasons.push(found);
  }
  if (task.oddities?.['args'] !== undefined || task.oddities?.['kwargs'] !== undefined) {
    return { reasons: [...reasons, 'the arguments in the events were too large to be kept'] };
  }
  const told = argumentsFromEvents(task.args, task.kwargs);
  return told.ok ? { ...told.read, source: 'events' } : { reasons: [...reasons, told.reason] };
}

type Source = (task: TaskRecord, deps: SourceDeps) => Promise<FoundArguments | string>;

const fromMessage: Source = async ({ taskId, queue }, { tasks }) => {
  if (queue === null) return '';
  try {
    const raw = await tasks.findMessage(taskId, [queue]);
    if (raw === undefined) return 'its message is not in the broker any more';
    const queued = readQueuedTask(raw);
    return typeof queued === 'string' ? queued : { ...queued, source: 'message' };
  } catch (error) {
    if (error instanceof BrokerUnavailable) return 'the broker cannot be asked now';
    throw error;
  }
};

const fromWorker: Source = async ({ taskId, worker }, { caller, workers }) => {
  if (worker === null || !workers().some(({ hostname, online }) => online && hostname === worker)) return '';
  try {
    const { answers } = await caller.callUnmasked({
      method: 'query_task',
      arguments: { ids: [taskId] },
      target: { kind: 'workers', workers: [worker] },
    });
    for (const answer of answers) {
      const found = answer.ok ? fromReply(answer.reply, taskId) : undefined;
      if (found !== undefined) return found;
    }
    return '';
  } catch (error) {
    if (error instanceof BrokerUnavailable) return 'the worker cannot be asked now';
    throw error;
  }
};

/** From `{id: ["active", request]}`. A parsed number may have been `1` or `1.0`, so only what holds none is used. */
function fromReply(reply: unknown, taskId: string): FoundArguments | undefined {
  const entry = isRecord(reply) ? reply[taskId] : undefined;
  const request: unknown = Array.isArray(entry) ? entry[1] : undefined;
  if (!isRecord(request)) return undefined;
  const { args, kwargs, type, delivery_info: delivery } = request;
  if (!Array.isArray(args) || !isRecord(kwargs) || !isExact(args) || !isExact(kwargs)) return undefined;
  return {
    argsJson: JSON.stringify(args),
    kwargsJson: JSON.stringify(kwargs),
    source: 'inspect',
    ...(typeof type === 'string' && { name: type }),
    ...(isRecord(delivery) && typeof delivery['routing_key'] === 'string' && { queue: delivery['routing_key'] }),
  };
}

function isExact(value: unknown): boolean {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true;
  if (Array.isArray(value)) return value.every(isExact);
  return isRecord(value) && Object.getPrototypeOf(value) === Object.prototype && Object.values(value).every(isExact);
}

const fromBackend: Source = async ({ taskId }, { backend }) => {
  if (backend === undefined) return 'no result backend is given (--result-backend)';
  try {
    const stored = await backend.get(taskId);
    if (stored === undefined) return 'the result backend does not know it (any more)';
    const { name, argsJson, kwargsJson, queue } = stored.extended ?? {};
    if (argsJson === undefined || argsJson === null || kwargsJson === undefined || kwargsJson === null) {
      return 'the result backend holds no arguments (set result_extended = True in the Celery app)';
    }
    return {
      argsJson,
      kwargsJson,
      source: 'result-backend',
      ...(typeof name === 'string' && { name }),
      ...(typeof queue === 'string' && { queue }),
    };
  } catch (error) {
    if (error instanceof BackendUnavailable) return 'the result backend cannot be asked now';
    throw error;
  }
};
