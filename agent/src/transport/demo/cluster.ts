import { BrokerUnavailable } from '../../core/control/command.ts';
import type { ControlRequest, WorkerAnswer } from '../../core/control/command.ts';
import type { QueueDepth } from '../../core/control/service.ts';
import { isRecord } from '../../core/wire/envelope.ts';
import type { RawMessage } from '../../core/wire/message.ts';
import { buildTaskMessage, taskEnvelope } from '../../core/wire/task-message.ts';
import type { TaskMessage } from '../../core/wire/task-message.ts';
import type { Clock } from '../../lib/clock.ts';
import type { ControlCall, ControlChannel, TaskQueues } from '../port.ts';
import { kindOrUnknown } from './catalogue.ts';
import { queueOf } from './model.ts';
import type { DemoTask } from './model.ts';
import { SILENT, listeners, obey } from './remote.ts';
import type { DemoSimulation } from './simulation.ts';

export interface DemoClusterDeps {
  readonly clock: Clock;
  /** Undefined while nobody listens. */
  readonly simulation: () => DemoSimulation | undefined;
}

/** A worker's reply takes a moment. */
const REPLY_MS = 15;

function running({ simulation }: DemoClusterDeps): DemoSimulation {
  const cluster = simulation();
  if (cluster === undefined) throw new BrokerUnavailable('the demo cluster does not run yet');
  return cluster;
}

/** Remote control of the simulated workers. */
export function demoControl(deps: DemoClusterDeps): ControlChannel {
  const send = (request: ControlRequest): { worker: string; reply: unknown }[] => {
    const simulation = running(deps);
    return listeners(simulation, request.target).map((worker) => ({
      worker: worker.hostname,
      reply: obey(simulation, worker, request, deps.clock.now()),
    }));
  };
  const receivers = (): number => listeners(running(deps), { kind: 'all' }).length;
  return {
    cast: async (request) => {
      const heard = receivers();
      send(request);
      return Promise.resolve({ receivers: heard });
    },
    call: async (request, onAnswer): Promise<ControlCall> => {
      const heard = receivers();
      const replies = send(request).filter(({ reply }) => reply !== SILENT);
      const cancels = replies.map(({ worker, reply }, index) =>
        deps.clock.after(REPLY_MS + index, () => onAnswer(answerOf(worker, reply))),
      );
      const close = async (): Promise<void> => {
        for (const cancel of cancels) cancel();
        return Promise.resolve();
      };
      return Promise.resolve({ receivers: heard, close });
    },
  };
}

function answerOf(worker: string, reply: unknown): WorkerAnswer {
  if (isRecord(reply) && typeof reply['error'] === 'string') return { worker, ok: false, error: reply['error'] };
  return { worker, ok: true, reply };
}

/** The queues of the simulated cluster; what is published runs. */
export function demoTasks(deps: DemoClusterDeps): TaskQueues {
  return {
    publish: async (message, queue) => {
      running(deps).enqueue(taskOf(message, queue), deps.clock.now());
      return Promise.resolve();
    },
    // The simulation has told of it already.
    announce: () => Promise.resolve(),
    depths: async (names) => {
      const simulation = running(deps);
      return Promise.resolve(names.map((name) => depthOf(simulation, name)));
    },
    names: async () => {
      const simulation = running(deps);
      const consumed = simulation.workers.flatMap(({ queues }) => [...queues]);
      return Promise.resolve([...new Set([...consumed, ...simulation.queues.keys()])].sort());
    },
    locate: async (taskIds) => {
      const { queues, workers } = running(deps);
      const found = new Map<string, 'waiting' | 'unacked'>();
      for (const { id } of [...queues.values()].flat()) if (taskIds.has(id)) found.set(id, 'waiting');
      for (const { active, reserved, scheduled } of workers) {
        for (const { id } of [...active, ...reserved, ...scheduled]) if (taskIds.has(id)) found.set(id, 'unacked');
      }
      return Promise.resolve({ found, isWhole: true, redeliveryMs: 0 });
    },
    eachMessage: async (names, onMessage) => {
      const { queues } = running(deps);
      const waiting = names.flatMap((name) => queues.get(name) ?? []);
      waiting.every((task) => onMessage(messageOf(task, deps.clock.now())));
      return Promise.resolve();
    },
    findMessage: async (taskId) => {
      const task = running(deps).tasks.get(taskId);
      return Promise.resolve(task && messageOf(task, deps.clock.now()));
    },
  };
}

function depthOf({ queues, workers }: DemoSimulation, name: string): QueueDepth {
  const waiting = queues.get(name) ?? [];
  const held = workers.flatMap(({ active, reserved, scheduled }) => [...active, ...reserved, ...scheduled]);
  const consumers = workers.filter((worker) => worker.state === 'online' && worker.queues.has(name)).length;
  const oldestMs = waiting[0]?.sentMs;
  return {
    name,
    messages: waiting.length,
    unacked: held.filter((task) => queueOf(task) === name).length,
    consumers,
    ...(oldestMs !== undefined && { oldestMs }),
  };
}

function messageOf(task: DemoTask, nowMs: number): RawMessage {
  const { id, kind, argsJson, kwargsJson } = task;
  const context = { id, origin: 'gen1@web-1', nowMs };
  const message = buildTaskMessage({ name: kind.name, argsJson, kwargsJson, options: {} }, context);
  const envelope = taskEnvelope(message, { queue: queueOf(task), deliveryTag: id });
  return { receivedMs: nowMs, routingKey: queueOf(task), payload: Buffer.from(envelope) };
}

function taskOf({ id, name, body, headers }: TaskMessage, queue: string): DemoTask {
  const [args, kwargs] = JSON.parse(body.toString()) as [unknown, unknown];
  const instant = (header: string): number | undefined => {
    const text = headers[header];
    return typeof text === 'string' ? Date.parse(text) : undefined;
  };
  const [etaMs, expiresMs] = [instant('eta'), instant('expires')];
  return {
    id,
    kind: kindOrUnknown(name),
    args: String(headers['argsrepr']),
    kwargs: String(headers['kwargsrepr']),
    argsJson: JSON.stringify(args),
    kwargsJson: JSON.stringify(kwargs),
    rootId: id,
    parentId: null,
    retries: 0,
    queue,
    ...(etaMs !== undefined && { etaMs }),
    ...(expiresMs !== undefined && { expiresMs }),
  };
}
