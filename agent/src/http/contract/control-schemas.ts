import { type Static, type TSchema, Type } from 'typebox';
import { ref } from './schemas.ts';

/** Response and body schemas of what acts on the cluster. Instants end in `Ms` (epoch milliseconds). */

const role = () => Type.Enum(['viewer', 'editor', 'admin']);
const anything = (description: string) => Type.Unsafe<unknown>({ description });
const record = (description: string) =>
  Type.Unsafe<Readonly<Record<string, unknown>>>({ type: 'object', additionalProperties: true, description });

export const CommandOutcomeSchema = Type.Object(
  {
    command: Type.String({ description: 'Celery’s name' }),
    says: Type.String({ description: 'What it does, one sentence' }),
    sent: Type.Boolean({ description: 'false: `dryRun` was asked' }),
    workers: Type.Array(Type.String(), { description: 'Node names of those it reaches, as far as known' }),
    answers: Type.Array(
      Type.Object({
        worker: Type.String(),
        ok: Type.Boolean(),
        reply: Type.Optional(anything('What the worker answered')),
        error: Type.Optional(Type.String({ description: 'The worker’s own text' })),
        hint: Type.Optional(Type.String({ description: 'What to do about the error, where that is known' })),
      }),
      { description: 'In the order of arrival' },
    ),
    silent: Type.Array(Type.String(), { description: 'Workers that did not answer in time' }),
    receivers: Type.Optional(Type.Integer({ description: 'Listeners the broker handed it to, where it tells' })),
  },
  { $id: 'CommandOutcome' },
);

export const CommandsSchema = Type.Object(
  {
    commands: Type.Array(
      Type.Object({
        method: Type.String({ description: 'Celery’s name; the last part of the path' }),
        kind: Type.Enum(['inspect', 'task', 'worker']),
        title: Type.String(),
        role: role(),
        destructive: Type.Boolean({ description: 'Ask before sending' }),
        replies: Type.Boolean({ description: 'false: workers do not answer it' }),
        says: Type.String({ description: 'What it does, with places for the arguments' }),
        parameters: Type.Array(
          Type.Object({
            name: Type.String(),
            required: Type.Boolean(),
            doc: Type.String(),
            schema: record('JSON schema of the value'),
          }),
        ),
      }),
    ),
  },
  { $id: 'Commands' },
);

export const SentTaskSchema = Type.Object({ taskId: Type.String() }, { $id: 'SentTask' });

export const TaskResultSchema = Type.Object(
  {
    taskId: Type.String(),
    state: Type.String({ description: '`PENDING` where the backend knows nothing of it' }),
    ready: Type.Boolean({ description: 'It has ended' }),
    result: Type.Optional(anything('The value, where it is JSON')),
    resultJson: Type.Optional(Type.String({ description: 'The same as stored, digit by digit' })),
    resultRepr: Type.Optional(Type.String({ description: 'The exception, or a value that is no JSON, as text' })),
    traceback: Type.Optional(Type.String()),
  },
  { $id: 'TaskResult' },
);

const planMembers = {
  taskId: Type.String(),
  name: Type.String(),
  queue: Type.Unsafe<string | null>({ type: ['string', 'null'] }),
  argsJson: Type.String({ description: 'JSON text of the positional arguments' }),
  kwargsJson: Type.String({ description: 'JSON text of the keyword arguments' }),
  source: Type.Enum(['message', 'inspect', 'result-backend', 'events', 'edited'], {
    description: 'Where the arguments come from',
  }),
};

export const RetryPlanSchema = Type.Object(planMembers, { $id: 'RetryPlan' });
export const RetriedSchema = Type.Object(
  { taskId: Type.String(), newTaskId: Type.String(), plan: ref(RetryPlanSchema) },
  { $id: 'Retried' },
);

export const AbortedSchema = Type.Object({ taskId: Type.String(), state: Type.Literal('ABORTED') }, { $id: 'Aborted' });

export const BulkSchema = Type.Object(
  {
    id: Type.String(),
    action: Type.Enum(['revoke', 'retry']),
    state: Type.Enum(['running', 'done', 'failed', 'cancelled']),
    dryRun: Type.Boolean(),
    matched: Type.Integer(),
    done: Type.Integer(),
    failed: Type.Integer(),
    tasks: Type.Array(
      Type.Object({
        taskId: Type.String(),
        name: Type.Unsafe<string | null>({ type: ['string', 'null'] }),
        state: Type.String(),
        outcome: Type.Optional(Type.String()),
      }),
      { description: 'What would be hit, or was: at most 1,000' },
    ),
    problem: Type.Optional(Type.String()),
    startedMs: Type.Number(),
    endedMs: Type.Optional(Type.Number()),
  },
  { $id: 'Bulk' },
);

export const BulksSchema = Type.Object({ bulks: Type.Array(ref(BulkSchema)) }, { $id: 'Bulks' });

const principalMembers = {
  name: Type.String({ description: 'User, token, or `anonymous`' }),
  role: role(),
  via: Type.Enum(['anonymous', 'basic', 'token', 'jwt', 'grafana']),
  verified: Type.Boolean({ description: 'The name was proven, not merely told by a proxy' }),
  grafanaUser: Type.Optional(Type.Object({ login: Type.String(), verified: Type.Boolean() })),
};

export const AuditSchema = Type.Object(
  {
    entries: Type.Array(
      Type.Object({
        id: Type.Integer(),
        atMs: Type.Number(),
        principal: Type.Object(principalMembers),
        address: Type.String(),
        action: Type.String({ description: 'e.g. `task.revoke`, `worker.pool_grow`, `login`' }),
        target: Type.String(),
        arguments: record('Secrets masked'),
        outcome: Type.Enum(['ok', 'failed', 'refused']),
        detail: Type.Unsafe<string | null>({ type: ['string', 'null'], description: 'The answer, or the reason' }),
      }),
      { description: 'Newest first' },
    ),
    nextCursor: Type.Unsafe<string | null>({ type: ['string', 'null'], description: 'null on the last page' }),
  },
  { $id: 'Audit' },
);

export const MeSchema = Type.Object(
  {
    ...principalMembers,
    ownRole: Type.Enum(['viewer', 'editor', 'admin'], {
      description: 'What the token or user has; `role` may be lowered by a proxy',
    }),
    readOnly: Type.Boolean({ description: 'Nobody may act: the agent runs with --read-only' }),
    actions: Type.Array(
      Type.Object({
        action: Type.String({ description: 'As in the audit' }),
        role: role(),
        allowed: Type.Boolean(),
      }),
      { description: 'All there are, and which of them you may do' },
    ),
  },
  { $id: 'Me' },
);

export const CONTROL_SCHEMAS: readonly TSchema[] = [
  CommandOutcomeSchema,
  CommandsSchema,
  SentTaskSchema,
  TaskResultSchema,
  RetryPlanSchema,
  RetriedSchema,
  AbortedSchema,
  BulkSchema,
  BulksSchema,
  AuditSchema,
  MeSchema,
];

export type CommandOutcome = Static<typeof CommandOutcomeSchema>;
export type TaskResultBody = Static<typeof TaskResultSchema>;
export type BulkBody = Static<typeof BulkSchema>;
