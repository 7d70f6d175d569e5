import { constants } from 'node:os';
import type { ControlRequest, Target } from '../../core/control/command.ts';
import { matchesGlob } from '../../core/control/glob.ts';
import { asDisplayText } from '../../core/wire/fields.ts';
import { REGISTERED } from './catalogue.ts';
import type { DemoTask, DemoWorker } from './model.ts';
import {
  REPORT,
  confReply,
  memoryReply,
  queryReply,
  queuesReply,
  requestInfo,
  scheduledReply,
  statsReply,
} from './replies.ts';
import type { DemoSimulation } from './simulation.ts';

type Arguments = ControlRequest['arguments'];

interface Call {
  readonly simulation: DemoSimulation;
  readonly worker: DemoWorker;
  readonly args: Arguments;
  readonly nowMs: number;
}

/** A worker that never answers, as one that shuts down. */
export const SILENT = Symbol('silent');

const ok = (text: string): object => ({ ok: text });
const nok = (text: string): object => ({ error: text });
const texts = (value: unknown): string[] => (Array.isArray(value) ? value : [value]).map(String);
const count = ({ n }: Arguments): number => (typeof n === 'number' ? n : 1);

/** Celery's commands with their replies (celery/worker/control.py); a handler that throws answers with the text. */
const HANDLERS: Readonly<Record<string, (call: Call) => unknown>> = {
  ping: () => ok('pong'),
  clock: ({ worker }) => ({ clock: worker.clock }),
  stats: ({ worker, nowMs }) => statsReply(worker, nowMs),
  active: ({ worker }) => [...worker.active].map((task) => requestInfo(worker, task)),
  reserved: ({ worker }) => worker.reserved.map((task) => requestInfo(worker, task)),
  scheduled: ({ worker }) => scheduledReply(worker),
  revoked: ({ worker }) => [...worker.revoked],
  registered: () => REGISTERED,
  active_queues: ({ worker }) => queuesReply(worker),
  conf: () => confReply(),
  report: () => ok(REPORT),
  memsample: ({ worker }) => memoryReply(worker),
  query_task: ({ worker, args }) => queryReply(worker, texts(args['ids'])),
  heartbeat: ({ simulation, worker, nowMs }) => {
    simulation.heartbeat(worker, nowMs);
    return null;
  },
  revoke,
  terminate: (call) => revoke({ ...call, args: { ...call.args, terminate: true } }),
  revoke_by_stamped_headers: ({ args }) =>
    ok(`headers ${JSON.stringify(args['headers']).replaceAll('"', "'")} flagged as revoked, but not terminated`),
  rate_limit: ({ args }) => rateLimit(args),
  time_limit: ({ args }) => (isTask(args) ? ok('time limits set successfully') : nok('unknown task')),
  enable_events: ({ worker }) => {
    const wasMuted = worker.isMuted === true;
    worker.isMuted = false;
    return ok(wasMuted ? 'task events enabled' : 'task events already enabled');
  },
  disable_events: ({ worker }) => {
    const wasMuted = worker.isMuted === true;
    worker.isMuted = true;
    return ok(wasMuted ? 'task events already disabled' : 'task events disabled');
  },
  pool_grow: (call) => {
    call.worker.concurrency += count(call.args);
    call.simulation.resume(call.worker, call.nowMs);
    return ok('pool will grow');
  },
  pool_shrink: ({ worker, args }) => {
    if (count(args) >= worker.concurrency) return nok('ValueError("Can\'t shrink pool. All processes busy!")');
    worker.concurrency -= count(args);
    return ok('pool will shrink');
  },
  pool_restart: () => nok("ValueError('Pool restarts not enabled')"),
  autoscale: () => nok("ValueError('Autoscale not enabled')"),
  add_consumer: ({ simulation, worker, args, nowMs }) => {
    worker.queues.add(String(args['queue']));
    simulation.resume(worker, nowMs);
    return ok(`add consumer ${String(args['queue'])}`);
  },
  cancel_consumer: ({ worker, args }) => {
    worker.queues.delete(String(args['queue']));
    return ok(`no longer consuming from ${String(args['queue'])}`);
  },
  shutdown: ({ simulation, worker, nowMs }) => {
    simulation.shutdown(worker, nowMs);
    return SILENT;
  },
};

/** Lets one worker obey; the value is what Celery would put into its reply. */
export function obey(simulation: DemoSimulation, worker: DemoWorker, request: ControlRequest, nowMs: number): unknown {
  const { method, arguments: args } = request;
  const handler = Object.hasOwn(HANDLERS, method) ? HANDLERS[method] : undefined;
  if (handler === undefined) return nok(`KeyError('${method}')`);
  return handler({ simulation, worker, args, nowMs });
}

/** Workers that would hear a request: those that run and are meant. */
export function listeners(simulation: DemoSimulation, target: Target): DemoWorker[] {
  return simulation.workers.filter((worker) => worker.state === 'online' && isMeant(target, worker.hostname));
}

function isMeant(target: Target, hostname: string): boolean {
  switch (target.kind) {
    case 'all':
      return true;
    case 'workers':
      return target.workers.includes(hostname);
    case 'pattern':
      return target.matcher === 'glob' ? matchesGlob(target.pattern, hostname) : startsWith(target.pattern, hostname);
  }
}

function startsWith(pattern: string, hostname: string): boolean {
  try {
    return new RegExp(`^(?:${pattern})`).test(hostname);
  } catch {
    return false; // a worker's own error stays in its log
  }
}

function revoke({ simulation, worker, args, nowMs }: Call): unknown {
  const ids = texts(args['task_id']);
  for (const id of ids) worker.revoked.add(id);
  if (args['terminate'] !== true) return ok(`tasks {${ids.map((id) => `'${id}'`).join(', ')}} flagged as revoked`);
  const signum = signalNumber(args['signal']);
  if (signum === undefined)
    return nok(`AttributeError("module 'signal' has no attribute '${String(args['signal'])}'")`);
  const has = (task: DemoTask): boolean => ids.includes(task.id);
  const known = [...worker.active, ...worker.reserved, ...worker.scheduled].filter(has);
  for (const task of known) simulation.terminate(worker, task, signum, nowMs);
  return ok(`terminate: ${known.length === 0 ? 'tasks unknown' : known.map(({ id }) => id).join(', ')}`);
}

function signalNumber(signal: unknown): number | undefined {
  if (signal === undefined || signal === null) return constants.signals.SIGTERM;
  if (typeof signal === 'number') return signal;
  if (typeof signal !== 'string') return undefined;
  const name = signal.toUpperCase();
  const known: Readonly<Record<string, number>> = constants.signals;
  return known[name.startsWith('SIG') ? name : `SIG${name}`];
}

function isTask(args: Arguments): boolean {
  return REGISTERED.includes(String(args['task_name']));
}

function rateLimit(args: Arguments): unknown {
  const limit = args['rate_limit'];
  const text = asDisplayText(limit) ?? '';
  if (!/^(\d+(\.\d+)?(\/[smh])?)?$/.test(text)) {
    return nok(`Invalid rate limit string: ValueError("could not convert string to float: '${text}'")`);
  }
  if (!isTask(args)) return nok('unknown task');
  const isOff = limit === 0 || limit === null || limit === undefined || limit === '';
  return ok(isOff ? 'rate limit disabled successfully' : 'new rate limit set successfully');
}
