import type { FastifyReply } from 'fastify';
import type { CommandResult, ControlRequest, Target } from '../../core/control/command.ts';
import type { ControlService } from '../../core/control/service.ts';
import { noteWrite } from '../audit.ts';
import { controlOf, JSON_TYPE, sendMessage, sendWhole } from './answer.ts';
import {
  argument,
  boolArgument,
  escapeHtml,
  floatArgument,
  intArgument,
  type Query,
  requiredArgument,
  requiredInt,
} from './arguments.ts';
import { FlowerError } from './flower-error.ts';
import type { FlowerRequest } from './requests.ts';
import { valueText } from './python-json.ts';
import type { RouteGroup } from './add-route.ts';

/** Flower's actions on workers (flower/api/control.py), their checks in its order. */
export const workerWrites: RouteGroup = (add, { deps }) => {
  const control = (): ControlService => controlOf(deps);
  const act = (url: string, action: string, summary: string, fields: string, change: Change): void =>
    add(
      'POST',
      `/api/worker/${url}/*`,
      { access: 'admin', action, summary, description: fields },
      async (request, reply) => {
        const worker = knownWorker(control(), request.params['*']);
        return changeWorker(control(), worker, change(worker, request.args), request, reply);
      },
    );

  add('POST', '/api/worker/shutdown/*', SHUTDOWN, async (request, reply) => {
    const worker = knownWorker(control(), request.params['*']);
    const target: Target = { kind: 'workers', workers: [worker] };
    await control().cast({ method: 'shutdown', arguments: {}, target });
    return sendMessage(reply, 'Shutting down!');
  });
  act('pool/restart', 'worker.pool_restart', "Restart a worker's pool", '', (worker) => ({
    request: { method: 'pool_restart', arguments: { reload: false } },
    done: () => `Restarting '${worker}' worker's pool`,
    failed: `Failed to restart the '${escapeHtml(worker)}' pool: `,
  }));
  act('pool/grow', 'worker.pool_grow', "Grow a worker's pool", 'Parameters: `n` (default 1).', (worker, args) => {
    const n = intArgument(args, 'n') ?? 1;
    return {
      request: { method: 'pool_grow', arguments: { n } },
      done: () => `Growing '${worker}' worker's pool by ${n}`,
      failed: `Failed to grow '${escapeHtml(worker)}' worker's pool: `,
    };
  });
  act('pool/shrink', 'worker.pool_shrink', "Shrink a worker's pool", 'Parameters: `n` (default 1).', (worker, args) => {
    const n = intArgument(args, 'n') ?? 1;
    return {
      request: { method: 'pool_shrink', arguments: { n } },
      done: () => `Shrinking '${worker}' worker's pool by ${n}`,
      failed: `Failed to shrink '${escapeHtml(worker)}' worker's pool: `,
    };
  });
  act('pool/autoscale', 'worker.autoscale', 'Set the autoscale range', 'Parameters: `min`, `max`.', (worker, args) => {
    const min = requiredInt(args, 'min');
    const max = requiredInt(args, 'max');
    return {
      request: { method: 'autoscale', arguments: { min, max } },
      done: () => `Autoscaling '${worker}' worker (min=${min}, max=${max})`,
      failed: `Failed to autoscale '${escapeHtml(worker)}' worker: `,
    };
  });
  act('queue/add-consumer', 'worker.add_consumer', 'Consume a queue', 'Parameters: `queue`.', (worker, args) => {
    const queue = requiredArgument(args, 'queue');
    return {
      request: { method: 'add_consumer', arguments: { queue } },
      done: (ok) => ok,
      failed: `Failed to add '${escapeHtml(queue)}' consumer to '${escapeHtml(worker)}' worker: `,
    };
  });
  const CANCEL = ['queue/cancel-consumer', 'worker.cancel_consumer', 'Stop consuming a queue'] as const;
  act(...CANCEL, 'Parameters: `queue`.', (worker, args) => {
    const queue = requiredArgument(args, 'queue');
    return {
      request: { method: 'cancel_consumer', arguments: { queue } },
      done: (ok) => ok,
      failed: `Failed to cancel '${escapeHtml(queue)}' consumer from '${escapeHtml(worker)}' worker: `,
    };
  });
  // Not in Flower: what others ask for below /flower.
  add('GET', '/api/worker/stats/*', STATS, async (request, reply) => {
    const worker = knownWorker(control(), request.params['*']);
    await control().inspector.refresh(worker);
    const stats = control().inspector.known().get(worker)?.stats;
    if (stats === undefined) throw new FlowerError(404, `Unable to get stats for '${worker}' worker`);
    return sendWhole(request, reply, JSON_TYPE, valueText(stats));
  });
};

const SHUTDOWN = {
  access: 'admin',
  action: 'worker.shutdown',
  summary: 'Shut a worker down',
  description: 'Sent without waiting for an answer: there is none.',
} as const;
const STATS = {
  access: 'viewer',
  summary: 'Statistics of a worker, as `inspect stats` gives them',
  description: '',
} as const;

/** Flower's actions on tasks that go to workers (flower/api/control.py). */
export const taskControlWrites: RouteGroup = (add, { deps }) => {
  const control = (): ControlService => controlOf(deps);

  add('POST', '/api/task/revoke/*', REVOKE, async (request, reply) => {
    const taskId = request.params['*'];
    const terminate = boolArgument(request.args, 'terminate');
    const signal = argument(request.args, 'signal') ?? 'SIGTERM';
    noteWrite(request, { arguments: { terminate, signal } });
    const args = { task_id: taskId, terminate, signal };
    await control().cast({ method: 'revoke', arguments: args, target: { kind: 'all' } });
    return sendMessage(reply, `Revoked '${taskId}'`);
  });

  add('POST', '/api/task/rate-limit/*', RATE_LIMIT, async (request, reply) => {
    const name = requiredArgument(request.args, 'workername');
    const limit = requiredArgument(request.args, 'ratelimit');
    const task = knownTask(control(), request.params['*']);
    const change = {
      request: { method: 'rate_limit', arguments: { task_name: task, rate_limit: limit } },
      done: (ok: string) => ok,
      failed: "Failed to set rate limit: '",
      end: "'",
    };
    return changeWorker(control(), knownWorker(control(), name, escapeHtml(name)), change, request, reply);
  });

  add('POST', '/api/task/timeout/*', TIMEOUT, async (request, reply) => {
    const name = requiredArgument(request.args, 'workername');
    const hard = floatArgument(request.args, 'hard') ?? null;
    const soft = floatArgument(request.args, 'soft') ?? null;
    const task = knownTask(control(), request.params['*']);
    const change = {
      request: { method: 'time_limit', arguments: { task_name: task, hard, soft } },
      done: (ok: string) => ok,
      failed: "Failed to set timeouts: '",
      end: "'",
    };
    return changeWorker(control(), knownWorker(control(), name, escapeHtml(name)), change, request, reply);
  });
};

const REVOKE = {
  access: 'editor',
  action: 'task.revoke',
  summary: 'Revoke a task',
  description: 'Parameters: `terminate`, `signal`. Sent without waiting for answers; 200 for unknown ids too.',
} as const;
const RATE_LIMIT = {
  access: 'editor',
  action: 'task.rate_limit',
  summary: 'Set the rate limit of a task',
  description: 'Parameters: `workername`, `ratelimit`. 403 with the reason of the worker.',
} as const;
const TIMEOUT = {
  access: 'editor',
  action: 'task.time_limit',
  summary: 'Set the time limits of a task',
  description: 'Parameters: `workername`, `soft`, `hard`. A prefork worker of Celery 5.7 says yes and does not follow.',
} as const;

/** A command to one worker, and what Flower says of it. */
interface WorkerChange {
  readonly request: Omit<ControlRequest, 'target'>;
  readonly done: (ok: string) => string;
  /** Before the reason, and after it. */
  readonly failed: string;
  readonly end?: string;
}

type Change = (worker: string, args: Query) => WorkerChange;

async function changeWorker(
  control: ControlService,
  worker: string,
  { request: { method, arguments: args }, done, failed, end = '' }: WorkerChange,
  request: FlowerRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  noteWrite(request, { arguments: { ...args, worker } });
  const result = await control.call({ method, arguments: args, target: { kind: 'workers', workers: [worker] } });
  const answer = judge(result, worker);
  noteWrite(request, { detail: `${worker}: ${answer.text}` });
  if (answer.ok) return sendMessage(reply, done(answer.text));
  throw new FlowerError(403, `${failed}${escapeMarkup(answer.text)}${end}`, 'html');
}

/** What the worker said; `Unknown reason` where it did not, as in Flower's `error_reason`. */
function judge({ answers }: CommandResult, worker: string): { readonly ok: boolean; readonly text: string } {
  const answer = answers.find((one) => one.worker === worker);
  if (answer === undefined) return { ok: false, text: 'Unknown reason' };
  if (!answer.ok) return { ok: false, text: answer.error };
  const { reply } = answer;
  const ok = typeof reply === 'object' && reply !== null && 'ok' in reply ? reply.ok : reply;
  return { ok: true, text: typeof ok === 'string' ? ok : JSON.stringify(ok) };
}

/** A worker repeats what it was given, in a text that a browser takes for a page; its quotes are its own. */
function escapeMarkup(text: string): string {
  return text.replace(/[&<>]/g, escapeHtml);
}

/** @param shown the name in the error: Flower escapes those of arguments, not of paths. @throws FlowerError 404 */
function knownWorker(control: ControlService, name: string, shown = name): string {
  const isKnown =
    control.inspector.known().has(name) || (name !== '' && control.reached({ kind: 'all' }).includes(name));
  if (!isKnown) throw new FlowerError(404, `Unknown worker '${shown}'`);
  return name;
}

/** @throws FlowerError 404 */
export function knownTask(control: ControlService, name: string): string {
  if (control.knowsTask(name) === false) throw new FlowerError(404, `Unknown task '${name}'`);
  return name;
}
