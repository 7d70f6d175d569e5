import { type Static, Type } from 'typebox';
import { type CommandResult, ControlRefused, type Target } from '../../core/control/command.ts';
import { checkArguments, type ControlCommand, COMMANDS } from '../../core/control/commands.ts';
import { hintFor } from '../../core/control/hints.ts';
import { describeTarget, readTarget } from '../../core/control/target.ts';
import { noteWrite } from '../audit.ts';
import { needControl, type RouteContext, type Routes } from '../context.ts';
import { ACTS, answers, told } from '../contract/answers.ts';
import { propertiesOf, rulesOf, schemaOfParameter } from '../contract/command-schema.ts';
import { type CommandOutcome, CommandOutcomeSchema, CommandsSchema } from '../contract/control-schemas.ts';
import { parameters } from '../contract/parameters.ts';
import { ref } from '../contract/schemas.ts';
import { TargetBody } from '../contract/targets.ts';
import { badParameter } from '../errors.ts';
import type { FastifyInstance, FastifyRequest } from 'fastify';

const tags = ['Control'];
const Hostname = Type.Object({ hostname: Type.String({ minLength: 1, description: 'Node name, e.g. `celery@host`' }) });
const querystring = parameters({});
/** Less than the 30 s after which Grafana's proxy, and many another, gives up. */
const LONGEST_TIMEOUT_MS = 20_000;
const timeoutMs = Type.Optional(
  Type.Integer({
    minimum: 1,
    maximum: LONGEST_TIMEOUT_MS,
    description: `Longest wait for answers, up to ${LONGEST_TIMEOUT_MS}; default \`--inspect-timeout\``,
  }),
);
const dryRun = Type.Boolean({ default: false, description: 'Only say what would happen, and to whom' });

const listSchema = {
  tags,
  summary: 'Commands that workers take',
  description: 'With the role that each asks for, their arguments, and what they do; `/me` tells your role.',
  querystring,
  response: answers(ref(CommandsSchema), 'The commands', [400]),
};

/** `/commands`, `/workers/…/actions/<command>`, `/workers/…/inspect/<what>`: one route for each command of the table. */
export const commandRoutes: Routes = async (app, context) => {
  app.get('/commands', { schema: listSchema, config: { access: 'viewer' } }, () => ({
    commands: COMMANDS.map((command) => ({
      ...{ method: command.method, kind: command.kind, title: command.title, role: command.role },
      destructive: command.destructive,
      replies: command.replies,
      says: command.says('the worker', placesFor(command)),
      parameters: command.parameters.map((parameter) => ({
        name: parameter.name,
        required: parameter.required === true,
        doc: parameter.doc,
        schema: schemaOfParameter(parameter),
      })),
    })),
  }));
  for (const command of COMMANDS) {
    if (command.kind === 'inspect') addInspection(app, context, command);
    else addAction(app, context, command);
  }
  await Promise.resolve();
};

function addAction(app: FastifyInstance, { deps }: RouteContext, command: ControlCommand): void {
  const config = { access: command.role, action: `${command.kind}.${command.method}` };
  const schema = {
    tags,
    description: `${command.says('the worker', placesFor(command))}${command.replies ? '' : ' Workers do not answer it.'}`,
    querystring,
    response: answers(ref(CommandOutcomeSchema), 'Which worker answered what, and which stayed silent', ACTS),
  };
  const rules = rulesOf(command);
  const args = Type.Object(propertiesOf(command, 'body'), { additionalProperties: true });
  const body = { arguments: Type.Optional(told(args, rules)), timeoutMs, dryRun };
  const needed = rules.required === undefined ? [] : ['arguments'];
  const OneBody = Type.Optional(told(Type.Object(body, { additionalProperties: false }), { required: needed }));
  const ManyBody = told(Type.Object({ target: TargetBody, ...body }, { additionalProperties: false }), {
    required: ['target', ...needed],
  });

  app.post<{ Params: Static<typeof Hostname>; Body: ActionBody | null }>(
    `/workers/:hostname/actions/${command.method}`,
    { config, schema: { ...schema, summary: `${command.title}, one worker`, params: Hostname, body: OneBody } },
    (request) => act(request, request.body ?? {}, { kind: 'workers', workers: [request.params.hostname] }),
  );
  app.post<{ Body: ActionBody & { readonly target: TargetBody } }>(
    `/workers/actions/${command.method}`,
    { config, schema: { ...schema, summary: `${command.title}, several workers`, body: ManyBody } },
    (request) => act(request, request.body, toTarget(request.body.target)),
  );

  function act(request: FastifyRequest, body: ActionBody, target: Target): Promise<CommandOutcome> {
    return send(needControl(deps), request, command, body, target);
  }
}

interface ActionBody {
  readonly arguments?: Readonly<Record<string, unknown>>;
  readonly timeoutMs?: number;
  readonly dryRun?: boolean;
}

async function send(
  control: ReturnType<typeof needControl>,
  request: FastifyRequest,
  command: ControlCommand,
  { arguments: given = {}, timeoutMs, dryRun = false }: ActionBody,
  target: Target,
): Promise<CommandOutcome> {
  const args = argumentsIn(command, given);
  const says = command.says(describeTarget(target), args);
  const workers = [...control.reached(target)];
  noteWrite(request, { target: targetText(target, workers), arguments: dryRun ? { ...args, dryRun } : args });
  const about = { command: command.method, says, workers };
  if (dryRun) return { ...about, sent: false, answers: [], silent: [] };
  const wire = { method: command.method, arguments: args, target };
  const result: CommandResult = command.replies
    ? await control.call(wire, timeoutMs === undefined ? {} : { timeoutMs })
    : { answers: [], silent: [], ...(await control.cast(wire)) };
  const failed = command.replies && !result.answers.some(({ ok }) => ok);
  noteWrite(request, { detail: summaryOf(result), ...(failed ? { outcome: 'failed' as const } : {}) });
  return { ...about, sent: true, ...toOutcome(command.method, result) };
}

/** @throws ControlRefused whose field is the path in the body, e.g. `arguments.n` */
function argumentsIn(command: ControlCommand, given: Readonly<Record<string, unknown>>): Record<string, unknown> {
  try {
    return checkArguments(command, given);
  } catch (error) {
    if (!(error instanceof ControlRefused) || error.field === undefined) throw error;
    throw new ControlRefused(error.code, error.message, `arguments.${error.field}`);
  }
}

function addInspection(app: FastifyInstance, { deps }: RouteContext, command: ControlCommand): void {
  const schema = {
    tags,
    description: command.says('the worker', placesFor(command)),
    querystring: told(parameters({ ...propertiesOf(command, 'query'), timeoutMs }), rulesOf(command)),
    response: answers(ref(CommandOutcomeSchema), 'Which worker answered what, and which stayed silent', ACTS),
  };
  const config = { access: command.role };
  app.get<{ Params: Static<typeof Hostname>; Querystring: InspectQuery }>(
    `/workers/:hostname/inspect/${command.method}`,
    { config, schema: { ...schema, summary: `${command.title} of a worker`, params: Hostname } },
    ({ params: { hostname }, query }) => ask(query, { kind: 'workers', workers: [hostname] }),
  );
  app.get<{ Querystring: InspectQuery }>(
    `/workers/inspect/${command.method}`,
    { config, schema: { ...schema, summary: `${command.title} of every worker` } },
    ({ query }) => ask(query, { kind: 'all' }),
  );

  async function ask({ timeoutMs, ...given }: InspectQuery, target: Target): Promise<CommandOutcome> {
    const control = needControl(deps);
    const args = checkArguments(command, given);
    const request = { method: command.method, arguments: args, target };
    const result = await control.call(request, timeoutMs === undefined ? {} : { timeoutMs });
    const about = { command: command.method, says: command.says(describeTarget(target), args), sent: true };
    return { ...about, workers: [...control.reached(target)], ...toOutcome(command.method, result) };
  }
}

interface InspectQuery {
  readonly timeoutMs?: number;
  readonly [argument: string]: unknown;
}

/** @throws ApiProblem 400, ControlRefused `bad-argument` */
function toTarget({ all, ...rest }: TargetBody): Target {
  const given = [all, rest.workers, rest.pattern].filter((one) => one !== undefined);
  if (given.length === 1) return readTarget(rest);
  throw badParameter('target', '`target` must be one of {"all": true}, {"workers": [...]} or {"pattern": "..."}.');
}

export function toOutcome(method: string, { answers, silent, receivers }: CommandResult) {
  return {
    answers: answers.map((answer) => {
      const hint = answer.ok ? undefined : hintFor(method, answer.error);
      return { ...answer, ...(hint !== undefined && { hint }) };
    }),
    silent: [...silent],
    ...(receivers === undefined ? {} : { receivers }),
  };
}

/** For the audit: who said what. */
export function summaryOf({ answers, silent }: CommandResult): string {
  const told = answers.map((answer) => {
    return `${answer.worker}: ${answer.ok ? JSON.stringify(answer.reply ?? null) : `error: ${answer.error}`}`;
  });
  if (silent.length > 0) told.push(`silent: ${silent.join(', ')}`);
  return told.length === 0 ? 'sent' : told.join('; ');
}

function targetText(target: Target, workers: readonly string[]): string {
  return target.kind === 'workers' ? target.workers.join(', ') : `${describeTarget(target)}: ${workers.join(', ')}`;
}

function placesFor({ parameters }: ControlCommand): Record<string, unknown> {
  return Object.fromEntries(
    parameters.map(({ name, ...rest }) => [name, 'default' in rest ? rest.default : `<${name}>`]),
  );
}
