import type { FastifyReply } from 'fastify';
import { randomUUID } from 'node:crypto';
import { ControlRefused } from '../../core/control/command.ts';
import type { ControlService, NewTask, TaskResult } from '../../core/control/service.ts';
import { parsePythonJson } from '../../core/wire/json.ts';
import { noteWrite } from '../audit.ts';
import { controlOf, objectText, sendJson, sendMessage, sendWhole, JSON_TYPE } from './answer.ts';
import { floatArgument } from './arguments.ts';
import { FlowerError } from './flower-error.ts';
import { reprintedText, stringText } from './python-json.ts';
import { bodyText, type FlowerRequest } from './requests.ts';
import type { RouteGroup } from './add-route.ts';
import { newTask, readTaskBody, timeoutMs, toTaskOptions } from './task-options.ts';
import { knownTask } from './worker-writes.ts';

/** States of an ended task (celery/states.py `READY_STATES`). */
const READY = ['SUCCESS', 'FAILURE', 'REVOKED'];

/** Flower's new tasks and results (flower/api/tasks.py), their checks in its order. */
export const taskWrites: RouteGroup = (add, { deps }) => {
  const control = (): ControlService => controlOf(deps);

  add('POST', '/api/task/apply/*', APPLY, async (request, reply) => {
    const body = readTaskBody(bodyText(request));
    const name = knownTask(control(), request.params['*']);
    const waitMs = timeoutMs(body.options);
    const options = toTaskOptions(body.options, deps.clock.now(), 'converted');
    const taskId = options.taskId ?? randomUUID();
    noteTask(request, newTask(name, body, options));
    await needBackend(control(), taskId);
    const sent = await control().send(newTask(name, body, { ...options, taskId }), 'default-queue');
    noteWrite(request, { detail: sent, outcome: 'ok' }); // whatever the wait brings
    const result = await waitFor(control(), sent, waitMs, reply);
    const state: [string, string] = ['state', stringText(result.state)];
    const told = READY.includes(result.state) ? resultMembers(result) : [];
    return sendJson(reply, objectText([['task-id', stringText(sent)], ...told, state]));
  });

  add('POST', '/api/task/async-apply/*', ASYNC_APPLY, async (request, reply) => {
    const body = readTaskBody(bodyText(request));
    const name = knownTask(control(), request.params['*']);
    const task = newTask(name, body, toTaskOptions(body.options, deps.clock.now(), 'converted'));
    return sendJson(reply, await sendTask(control(), task, request));
  });

  add('POST', '/api/task/send-task/*', SEND, async (request, reply) => {
    const body = readTaskBody(bodyText(request));
    const options = toTaskOptions(body.options, deps.clock.now(), 'plain');
    return sendJson(reply, await sendTask(control(), newTask(request.params['*'], body, options), request));
  });

  add('GET', '/api/task/result/*', RESULT, async (request, reply) => {
    const seconds = floatArgument(request.args, 'timeout') ?? 0;
    const taskId = request.params['*'];
    const result =
      seconds === 0
        ? await control().result(taskId)
        : await waitFor(control(), taskId, Math.max(seconds, 0) * 1000, reply);
    const told = READY.includes(result.state) ? resultMembers(result) : [];
    const members = [['task-id', stringText(taskId)], ['state', stringText(result.state)], ...told] as const;
    return sendWhole(request, reply, JSON_TYPE, objectText(members));
  });

  add('POST', '/api/task/abort/*', ABORT, async (request, reply) => {
    const taskId = request.params['*'];
    await control().abort(taskId);
    return sendMessage(reply, `Aborted '${taskId}'`);
  });
};

const OPTIONS =
  'Body: a JSON object, all optional: `args`, `kwargs`, and the options `queue`, `priority`, `countdown`, `eta`, ' +
  '`expires`, `task_id`, `time_limit`, `soft_time_limit`, `headers`, `shadow`, `ignore_result`, `routing_key` (the ' +
  'queue), `root_id`, `parent_id`, `argsrepr`, `kwargsrepr`, `delivery_mode`, `compression` (`gzip`, `zlib`)';
const APPLY = {
  access: 'editor',
  action: 'task.apply',
  summary: 'Run a task and wait for its result',
  description: `${OPTIONS}, \`timeout\` (seconds to wait, default for ever).`,
} as const;
const ASYNC_APPLY = {
  access: 'editor',
  action: 'task.send',
  summary: 'Send a task that a worker has registered',
  description: `${OPTIONS}.`,
} as const;
const SEND = { ...ASYNC_APPLY, summary: 'Send a task of any name' } as const;
const RESULT = {
  access: 'viewer',
  summary: 'Result of a task from the result backend',
  description: 'Parameters: `timeout` (seconds to wait). 503 where the backend cannot be read.',
} as const;
const ABORT = {
  access: 'editor',
  action: 'task.abort',
  summary: 'Mark an abortable task as aborted',
  description: 'Stores ABORTED in the result backend; only a task that looks there stops.',
} as const;

async function sendTask(control: ControlService, task: NewTask, request: FlowerRequest): Promise<string> {
  noteTask(request, task);
  const taskId = await control.send(task, 'default-queue');
  noteWrite(request, { detail: taskId });
  const state = await stateOf(control, taskId);
  const told: [string, string][] = state === undefined ? [] : [['state', stringText(state)]];
  return objectText([['task-id', stringText(taskId)], ...told]);
}

/** Undefined without a result backend: Flower leaves it out then. */
async function stateOf(control: ControlService, taskId: string): Promise<string | undefined> {
  try {
    return (await control.result(taskId)).state;
  } catch (error) {
    if (error instanceof ControlRefused && error.code === 'no-backend') return undefined;
    throw error;
  }
}

/** Before anything is sent: without a backend the wait could not end. @throws FlowerError 503 */
async function needBackend(control: ControlService, taskId: string): Promise<void> {
  if ((await stateOf(control, taskId)) !== undefined) return;
  throw new FlowerError(503, 'No result backend to wait at is configured; use async-apply');
}

function resultMembers({ state, resultJson, resultRepr, traceback }: TaskResult): [string, string][] {
  const value = resultJson === undefined ? stringOrNull(resultRepr) : reprintedText(resultJson);
  if (state !== 'FAILURE') return [['result', value]];
  return [
    ['result', stringOrNull(resultRepr)],
    ['traceback', stringOrNull(traceback)],
  ];
}

function stringOrNull(text: string | undefined): string {
  return text === undefined ? 'null' : stringText(text);
}

/** Waits as long as who asked is there. */
async function waitFor(
  control: ControlService,
  taskId: string,
  waitMs: number | undefined,
  reply: FastifyReply,
): Promise<TaskResult> {
  const gone = new AbortController();
  reply.raw.once('close', () => gone.abort());
  try {
    return await control.waitForResult(taskId, waitMs, gone.signal);
  } catch (error) {
    throw gone.signal.aborted ? new FlowerError(408, 'Nobody waits for the result any more') : error;
  }
}

function noteTask(request: FlowerRequest, { name, argsJson, kwargsJson, options }: NewTask): void {
  const args = { args: parsePythonJson(argsJson), kwargs: parsePythonJson(kwargsJson), ...options };
  noteWrite(request, { target: name, arguments: args });
}
