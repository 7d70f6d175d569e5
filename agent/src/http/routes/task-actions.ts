import { type Static, type TObject, Type } from 'typebox';
import type { FastifyRequest } from 'fastify';
import { checkArguments, commandOf, SIGNALS } from '../../core/control/commands.ts';
import type { TaskArguments, TaskOptions } from '../../core/control/service.ts';
import { TASK_TEXT_LENGTHS, TASK_TEXT_PATTERN } from '../../core/control/task-text.ts';
import type { TaskRecord } from '../../core/query/records.ts';
import { parsePythonJson } from '../../core/wire/json.ts';
import { noteWrite } from '../audit.ts';
import { needControl, needHistory, type RouteContext, type Routes } from '../context.ts';
import { ACTS, ACTS_ONE, answers, told } from '../contract/answers.ts';
import { AbortedSchema, CommandOutcomeSchema, RetriedSchema, RetryPlanSchema } from '../contract/control-schemas.ts';
import { SentTaskSchema, type TaskResultBody, TaskResultSchema } from '../contract/control-schemas.ts';
import { durationText, instantText, parameters } from '../contract/parameters.ts';
import { ref } from '../contract/schemas.ts';
import { parseDuration, parseInstant, withinBounds } from '../contract/time.ts';
import { ApiProblem, badParameter } from '../errors.ts';
import type { HttpDeps } from '../ports.ts';
import { rawMember } from '../raw-body.ts';
import { summaryOf, toOutcome } from './commands.ts';

const tags = ['Control'];
const TaskId = Type.Object({ taskId: Type.String({ minLength: 1 }) });
const querystring = parameters({});
const signal = told(Type.String({ default: 'SIGTERM', description: 'Signal for what runs already' }), {
  enum: SIGNALS,
});
const taskText = (field: keyof typeof TASK_TEXT_LENGTHS, description: string) =>
  told(Type.String({ minLength: 1, description }), {
    maxLength: TASK_TEXT_LENGTHS[field],
    pattern: TASK_TEXT_PATTERN,
  });
const seconds = (description: string) => Type.Optional(Type.Number({ minimum: 0, description }));

const argumentMembers = {
  args: Type.Optional(
    Type.Array(Type.Unsafe<unknown>({}), { description: 'Positional arguments, kept digit by digit' }),
  ),
  kwargs: Type.Optional(
    Type.Unsafe<Readonly<Record<string, unknown>>>({
      ...{ type: 'object', additionalProperties: true, description: 'Keyword arguments, kept digit by digit' },
    }),
  ),
};
const optionMembers = {
  queue: Type.Optional(
    taskText(
      'queue',
      'Default: of a new task, where that name went last, else the default queue; of a retry, where the task went',
    ),
  ),
  priority: Type.Optional(Type.Integer({ minimum: 0, maximum: 255 })),
  eta: instantText('Not before: epoch ms, RFC 3339, or `now+1h`'),
  countdown: durationText('Not before so long from now, e.g. `90s`; instead of `eta`'),
  expires: instantText('Not after: as `eta`'),
  timeLimit: seconds('Seconds until the process is killed'),
  softTimeLimit: seconds('Seconds until SoftTimeLimitExceeded'),
};
type Options = Static<TObject<typeof optionMembers>>;

const ONE_START = { not: { required: ['eta', 'countdown'] } };
const SendBody = told(
  Type.Object(
    {
      name: taskText('name', 'Under which the task is registered'),
      ...argumentMembers,
      ...optionMembers,
      taskId: Type.Optional(taskText('taskId', 'Default: a new one')),
      headers: Type.Optional(Type.Unsafe<Record<string, unknown>>({ type: 'object', additionalProperties: true })),
      allowUnknown: Type.Boolean({ default: false, description: 'Send it though no worker has registered the name' }),
    },
    { additionalProperties: false },
  ),
  ONE_START,
);
const RetryBody = Type.Optional(
  told(Type.Object({ ...argumentMembers, ...optionMembers }, { additionalProperties: false }), ONE_START),
);
const RevokeBody = Type.Optional(
  Type.Object({ terminate: Type.Boolean({ default: false }), signal }, { additionalProperties: false }),
);
const TerminateBody = Type.Optional(Type.Object({ signal }, { additionalProperties: false }));

const outcome = answers(ref(CommandOutcomeSchema), 'Which worker answered what, and which stayed silent', ACTS);
const revokeSchema = {
  ...{ tags, summary: 'Revoke a task', params: TaskId, querystring, body: RevokeBody, response: outcome },
  description: 'Told to every worker, since it may be at any of them. What runs already goes on unless `terminate`.',
};
const terminateSchema = {
  ...{ tags, summary: 'Revoke a task and end it where it runs', params: TaskId, querystring, body: TerminateBody },
  response: outcome,
};
const planSchema = {
  ...{ tags, summary: 'What a retry would send', params: TaskId, querystring },
  description:
    'The arguments with secrets masked (what is sent is not), and where they come from; 409 `not-retryable` with the reason.',
  response: answers(ref(RetryPlanSchema), 'The plan', ACTS_ONE),
};
const planAliasSchema = {
  ...planSchema,
  summary: 'The same as GET /tasks/{taskId}/retry',
  description:
    'For proxies that grant roles by the start of a path, where reading tasks needs less than planning a retry.',
};
const retrySchema = {
  ...{ tags, summary: 'Send a task again', params: TaskId, querystring, body: RetryBody },
  description:
    'As a new task, with its real arguments or those given here; the answer shows them with secrets masked. 409 `not-retryable` with the reason.',
  response: answers(ref(RetriedSchema), 'The new task', ACTS_ONE),
};
const abortSchema = {
  ...{ tags, summary: 'Mark an abortable task as aborted', params: TaskId, querystring },
  description: 'Stores ABORTED in the result backend; only a task that looks there stops.',
  response: answers(ref(AbortedSchema), 'Stored', ACTS),
};
const resultSchema = {
  ...{ tags, summary: 'Result of a task from the result backend', params: TaskId },
  querystring: parameters({ wait: durationText('Wait for its end at most so long, e.g. `10s`; default not at all') }),
  response: answers(ref(TaskResultSchema), 'The result', ACTS),
};
const sendSchema = {
  ...{ tags, summary: 'Send a new task', querystring, body: SendBody },
  response: answers(ref(SentTaskSchema), 'The broker has it', ACTS),
};

/** States of an ended task (celery/states.py `READY_STATES`). */
const READY = ['SUCCESS', 'FAILURE', 'REVOKED'];
const LONGEST_WAIT_MS = 60_000;

const planConfig = { access: 'editor' as const };

/** What a retry would do: of an editor alone, who alone may do it. */
export const retryPlanRoutes: Routes = async (app, { deps }: RouteContext) => {
  const planOf = async (taskId: string) => needControl(deps).planRetry(await findTask(deps, taskId));
  app.get('/tasks/:taskId/retry', { schema: planSchema, config: planConfig }, ({ params }) => planOf(params.taskId));
  app.get('/plans/retry/:taskId', { schema: planAliasSchema, config: planConfig }, ({ params }) =>
    planOf(params.taskId),
  );
  await Promise.resolve();
};

/** What acts on one task. */
export const taskActionRoutes: Routes = async (app, { deps }: RouteContext) => {
  const act = (action: string) => ({ access: 'editor' as const, action });

  app.post('/tasks', { schema: sendSchema, config: act('task.send') }, async (request) => {
    const { body } = request;
    const control = needControl(deps);
    const given = argumentsOf(request);
    const { name, taskId, headers } = body;
    noteWrite(request, { target: name, arguments: noted(given, body) });
    if (!body.allowUnknown && control.knowsTask(name) === false) {
      throw new ApiProblem(404, 'unknown-task', `No worker has registered '${name}'; give \`allowUnknown\`.`, 'name');
    }
    const options: TaskOptions = { ...toOptions(body, deps.clock.now()), ...some({ taskId, headers }) };
    const sent = await control.send({ name, argsJson: '[]', kwargsJson: '{}', ...given, options });
    noteWrite(request, { detail: sent });
    return { taskId: sent };
  });

  app.post('/tasks/:taskId/revoke', { schema: revokeSchema, config: act('task.revoke') }, (request) =>
    revoke(request, request.params.taskId, request.body),
  );
  app.post('/tasks/:taskId/terminate', { schema: terminateSchema, config: act('task.terminate') }, (request) =>
    revoke(request, request.params.taskId, { ...request.body, terminate: true }),
  );

  async function revoke(request: FastifyRequest, taskId: string, given: { terminate?: boolean; signal?: string }) {
    const control = needControl(deps);
    const command = commandOf('revoke');
    const args = checkArguments(command, { task_id: [taskId], ...given });
    noteWrite(request, { target: taskId, arguments: args });
    const target = { kind: 'all' } as const;
    const result = await control.call({ method: 'revoke', arguments: args, target });
    noteWrite(request, { detail: summaryOf(result) });
    const about = { command: 'revoke', says: command.says('all workers', args), sent: true };
    return { ...about, workers: [...control.reached(target)], ...toOutcome('revoke', result) };
  }

  app.post('/tasks/:taskId/retry', { schema: retrySchema, config: act('task.retry') }, async (request) => {
    const control = needControl(deps);
    const edited = argumentsOf(request);
    const body = request.body;
    noteWrite(request, { arguments: noted(edited, body) });
    const task = await findTask(deps, request.params.taskId);
    const isEdited = edited.argsJson !== undefined || edited.kwargsJson !== undefined;
    const done = await control.retry(task, isEdited ? edited : undefined, toOptions(body, deps.clock.now()));
    if (!done.ok) throw new ApiProblem(409, 'not-retryable', done.reason);
    noteWrite(request, { detail: `${done.newTaskId}, arguments from ${done.plan.source}` });
    return { taskId: done.taskId, newTaskId: done.newTaskId, plan: done.plan };
  });

  app.post('/tasks/:taskId/abort', { schema: abortSchema, config: act('task.abort') }, async ({ params }) => {
    await needControl(deps).abort(params.taskId);
    return { taskId: params.taskId, state: 'ABORTED' as const };
  });

  app.get('/tasks/:taskId/result', { schema: resultSchema, config: { access: 'viewer' } }, async (request, reply) => {
    const { taskId } = request.params;
    const waitMs = request.query.wait === undefined ? 0 : parseDuration('wait', request.query.wait);
    if (waitMs > LONGEST_WAIT_MS) throw badParameter('wait', '`wait` must not be longer than 60s.');
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort());
    const control = needControl(deps);
    const found = await (waitMs === 0 ? control.result(taskId) : control.waitForResult(taskId, waitMs, gone.signal));
    const { state, resultJson, resultRepr, traceback } = found;
    const result = resultJson === undefined ? undefined : parsePythonJson(resultJson);
    const value = some({ result, resultJson, resultRepr, traceback });
    return { taskId, state, ready: READY.includes(state), ...value } satisfies TaskResultBody;
  });
  await Promise.resolve();
};

async function findTask(deps: HttpDeps, taskId: string): Promise<TaskRecord> {
  const task = await needHistory(deps).findTask(taskId);
  if (task !== undefined) return task;
  throw new ApiProblem(404, 'task-not-found', `No task '${taskId}' is in the history.`, 'taskId');
}

/** As they were written: a number that was read would lose digits. */
function argumentsOf(request: FastifyRequest): Partial<TaskArguments> {
  return some({ argsJson: rawMember(request, 'args'), kwargsJson: rawMember(request, 'kwargs') });
}

function noted({ argsJson, kwargsJson }: Partial<TaskArguments>, body: object): Record<string, unknown> {
  const values = {
    args: argsJson === undefined ? undefined : parsePythonJson(argsJson),
    kwargs: kwargsJson === undefined ? undefined : parsePythonJson(kwargsJson),
  };
  return { ...body, ...some(values) };
}

/** @throws ApiProblem 400 that names the field */
function toOptions(body: Options, nowMs: number): TaskOptions {
  const { queue, priority, eta, countdown, expires, timeLimit: hard, softTimeLimit: soft } = body;
  if (eta !== undefined && countdown !== undefined)
    throw badParameter('countdown', 'Give `eta` or `countdown`, not both.');
  const delayed = countdown === undefined ? undefined : withinBounds(nowMs + parseDuration('countdown', countdown));
  const timeLimit = hard === undefined && soft === undefined ? undefined : ([hard ?? null, soft ?? null] as const);
  return some({
    ...{ queue, priority, timeLimit },
    etaMs: eta === undefined ? delayed : parseInstant('eta', eta, nowMs),
    expiresMs: expires === undefined ? undefined : parseInstant('expires', expires, nowMs),
  });
}

function some<T extends object>(members: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
