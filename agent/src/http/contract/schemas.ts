import { type Static, type TSchema, Type } from 'typebox';

/** Response schemas of `/api/v1`. Instants end in `Ms` (epoch milliseconds), durations too (milliseconds). */

function nullable<T extends 'string' | 'number' | 'integer'>(type: T, description?: string) {
  type Value = T extends 'string' ? string : number;
  return Type.Unsafe<Value | null>({ type: [type, 'null'], ...(description === undefined ? {} : { description }) });
}

const instant = (description: string) => Type.Number({ description: `${description}, epoch ms` });
const maybeInstant = (description: string) => nullable('number', `${description}, epoch ms`);
const record = (description: string) =>
  Type.Unsafe<Readonly<Record<string, unknown>>>({ type: 'object', additionalProperties: true, description });
const maybeRecord = (description: string) =>
  Type.Unsafe<Readonly<Record<string, unknown>> | null>({
    type: ['object', 'null'],
    additionalProperties: true,
    description,
  });

/** A reference to a named schema of this file, typed as what it names. */
export function ref<T extends TSchema>(schema: T) {
  const { $id } = schema as { $id?: string };
  if ($id === undefined) throw new Error('only a schema with an $id can be referred to');
  return Type.Unsafe<Static<T>>({ $ref: `${$id}#` });
}

export const ApiErrorSchema = Type.Object(
  {
    error: Type.Object({
      code: Type.String({ description: 'Stable word for programs, e.g. `bad-parameter`' }),
      message: Type.String({ description: 'For people: what is wrong and what to do' }),
      field: Type.Optional(Type.String({ description: 'The parameter at fault' })),
    }),
  },
  { $id: 'ApiError' },
);

const taskMembers = {
  taskId: Type.String(),
  name: nullable('string', 'null while only events without a name were seen'),
  state: Type.String({ description: 'Merged as Celery does: SUCCESS, RETRY …; custom events in capitals' }),
  worker: nullable('string', 'Node name of the worker that sent the last event'),
  client: nullable('string', 'Node name of the publisher'),
  queue: nullable('string'),
  exchange: nullable('string'),
  routingKey: nullable('string'),
  rootId: nullable('string'),
  traceId: Type.String({
    description: 'Of its workflow, 32 hex digits: the root id without dashes, where it is a UUID',
  }),
  parentId: nullable('string'),
  args: nullable('string', 'Python repr as sent, maybe cut'),
  kwargs: nullable('string', 'Python repr as sent, maybe cut'),
  result: nullable('string', 'Python repr as sent, maybe cut'),
  exception: nullable('string'),
  exceptionType: nullable('string'),
  traceback: nullable('string'),
  eta: nullable('string', 'ISO 8601 as sent'),
  expires: nullable('string', 'ISO 8601 as sent'),
  retries: nullable('number'),
  runtimeMs: nullable('number'),
  sentMs: maybeInstant('task-sent'),
  receivedMs: maybeInstant('task-received'),
  startedMs: maybeInstant('task-started'),
  succeededMs: maybeInstant('task-succeeded'),
  failedMs: maybeInstant('task-failed'),
  retriedMs: maybeInstant('task-retried'),
  revokedMs: maybeInstant('task-revoked'),
  rejectedMs: maybeInstant('task-rejected'),
  timestampMs: instant('Event that set the state'),
  clock: nullable('number', 'Lamport clock of that event'),
  pid: nullable('number'),
  oddities: maybeRecord('Values as sent that fit no member, and marks of what was cut'),
  healed: nullable(
    'string',
    'Where the state was read, because its event was not heard: result-backend, inspect, queue',
  ),
  orphaned: nullable('string', 'Why nobody works on it any more: worker-lost, worker-restarted, end-unheard'),
  retriedAs: nullable('string', 'Id of the task that was sent in its place once it was orphaned'),
  markedMs: maybeInstant('When it was healed, orphaned, or sent again'),
};

export const TaskSchema = Type.Object(taskMembers, { $id: 'Task' });

export const TaskDetailSchema = Type.Object(
  { ...taskMembers, children: Type.Array(Type.String(), { description: 'Ids of the tasks it published' }) },
  { $id: 'TaskDetail' },
);

export const TaskPageSchema = Type.Object(
  {
    tasks: Type.Array(ref(TaskSchema)),
    nextCursor: nullable('string', 'Hand it in as `cursor` for the next page; null on the last'),
    total: Type.Optional(Type.Integer({ description: 'Matches; only with `count=true`' })),
    totalExact: Type.Optional(Type.Boolean({ description: 'false: there are more than `total`' })),
  },
  { $id: 'TaskPage' },
);

export const TimelineSchema = Type.Object(
  {
    taskId: Type.String(),
    events: Type.Array(
      Type.Object({
        type: Type.String({ description: 'e.g. `task-received`' }),
        worker: Type.String({ description: 'Node name of the sender' }),
        timestampMs: instant("Sender's time"),
        receivedMs: instant('Receipt by the agent'),
        clock: Type.Number(),
        attempt: Type.Number({ description: '1 for the first delivery, +1 for each retry' }),
        fields: record('The event as sent'),
      }),
    ),
  },
  { $id: 'Timeline' },
);

export const WorkflowSchema = Type.Object(
  {
    rootId: Type.String(),
    tasks: Type.Array(ref(TaskSchema), { description: 'Its root first' }),
    truncated: Type.Boolean({ description: 'There are more tasks than `limit`' }),
    groups: Type.Array(Type.Object({ groupId: Type.String(), taskIds: Type.Array(Type.String()) }), {
      description: 'Groups and headers of chords that were sent by themselves; their members are of several roots',
    }),
    groupsKnown: Type.Boolean({
      description:
        'False: the result backend does not tell of groups, or there is none, so tasks of other roots may be missing',
    }),
  },
  { $id: 'Workflow' },
);

export const SeriesSchema = Type.Object(
  {
    fromMs: instant('Start, a whole step'),
    toMs: instant('End, exclusive'),
    stepMs: Type.Integer(),
    columns: Type.Array(Type.String(), { description: 'What the values of a point are, in order' }),
    series: Type.Array(
      Type.Object({
        labels: Type.Unsafe<Readonly<Record<string, string>>>({
          type: 'object',
          additionalProperties: { type: 'string' },
          description: 'By the dimensions asked for; empty for the one total',
        }),
        points: Type.Array(
          Type.Object({
            timeMs: instant('Start of the step'),
            values: Type.Array(nullable('number'), { description: 'count; rate in 1/s; percentiles in ms' }),
          }),
        ),
      }),
    ),
  },
  { $id: 'Series' },
);

export const FailuresSchema = Type.Object(
  {
    groups: Type.Array(
      Type.Object({
        exceptionType: Type.String(),
        message: Type.String({ description: 'Numbers, ids and quoted texts replaced' }),
        fingerprint: Type.String({ description: 'Give it as `fingerprint` to /tasks' }),
        count: Type.Integer(),
        firstMs: instant('First'),
        lastMs: instant('Last'),
        names: Type.Array(Type.String(), { description: 'Task names, most frequent first' }),
        sampleTaskId: Type.String(),
        sampleTraceback: nullable('string'),
        trend: Type.Array(Type.Integer(), {
          description: 'Failures in each step of the range asked for, the first first',
        }),
      }),
    ),
    trendFromMs: instant('Start of the first step of the trends'),
    trendStepMs: Type.Number({ description: 'Length of a step of the trends' }),
  },
  { $id: 'Failures' },
);

export const WorkerSchema = Type.Object(
  {
    hostname: Type.String({ description: 'Node name, e.g. `celery@host`' }),
    online: Type.Boolean(),
    lastHeartbeatMs: maybeInstant('Last heartbeat'),
    firstSeenMs: instant('First event'),
    pid: nullable('number'),
    heartbeatEveryMs: nullable('number', 'Interval the worker announces'),
    active: nullable('number', 'Tasks it runs'),
    processed: nullable('number', 'Tasks since its start'),
    loadavg: Type.Unsafe<readonly number[] | null>({ type: ['array', 'null'], items: { type: 'number' } }),
    software: nullable('string', 'e.g. `py-celery`'),
    softwareVersion: nullable('string'),
    system: nullable('string', 'e.g. `Linux`'),
    clock: nullable('number'),
    queues: Type.Optional(Type.Array(Type.String(), { description: 'It consumes' })),
    pool: Type.Optional(Type.String({ description: 'prefork, threads, solo, gevent, eventlet, or a class path' })),
    concurrency: Type.Optional(
      Type.Integer({ description: 'Processes or threads; of greenlets the most there may be' }),
    ),
    autoscale: Type.Optional(
      Type.Object({ min: Type.Integer(), max: Type.Integer() }, { description: 'Range of --autoscale' }),
    ),
    prefetch: Type.Optional(Type.Integer({ description: 'Most messages it holds unacknowledged; 0: no limit' })),
    maxRssBytes: Type.Optional(Type.Number({ description: 'Most resident memory of the main process so far' })),
    cpuSeconds: Type.Optional(Type.Number({ description: 'User and system time of the main process' })),
    uptimeMs: Type.Optional(Type.Number({ description: 'Since its start, when it last told' })),
    inspectedMs: Type.Optional(instant('When it last told queues, pool, prefetch, memory and CPU')),
  },
  { $id: 'Worker', description: 'Optional members are there once the worker has answered `stats` and `active_queues`' },
);

export const WorkersSchema = Type.Object({ workers: Type.Array(ref(WorkerSchema)) }, { $id: 'Workers' });

export const WorkerEventsSchema = Type.Object(
  {
    hostname: Type.String(),
    events: Type.Array(
      Type.Object({ type: Type.String(), timestampMs: instant("Worker's time"), fields: record('The event as sent') }),
      { description: 'Newest first' },
    ),
  },
  { $id: 'WorkerEvents' },
);

export const EventsSchema = Type.Object(
  {
    events: Type.Array(
      Type.Object({
        id: Type.String({ description: 'Unique and stable' }),
        type: Type.String({ description: 'e.g. `task-failed`, `worker-online`' }),
        worker: Type.String({ description: 'Node name of the sender' }),
        taskId: nullable('string', 'null: an event of a worker'),
        name: nullable('string', 'Of the task'),
        timestampMs: instant("Sender's time"),
        receivedMs: instant('Receipt by the agent'),
        clock: Type.Number(),
        fields: record('The event as sent'),
      }),
      { description: 'Newest first' },
    ),
    nextCursor: nullable('string', 'Hand it in as `cursor` for the next page; null on the last'),
  },
  { $id: 'Events' },
);

export const NamesSchema = Type.Object({ names: Type.Array(Type.String()) }, { $id: 'Names' });

export const QueuesSchema = Type.Object(
  {
    queues: Type.Array(
      Type.Object({
        name: Type.String(),
        messages: Type.Optional(Type.Integer({ description: 'Ready, over all priorities; absent: no such queue' })),
        unacked: Type.Optional(Type.Integer({ description: 'Delivered, not acknowledged' })),
        consumers: Type.Optional(Type.Integer()),
        oldestMs: Type.Optional(
          Type.Number({ description: 'Since when the oldest waiting message has waited at least, epoch ms' }),
        ),
        publishRate: Type.Optional(Type.Number({ description: '1/s' })),
        deliverRate: Type.Optional(Type.Number({ description: '1/s' })),
      }),
      { description: 'By name. What is not there the broker does not tell' },
    ),
    problem: Type.Optional(Type.String({ description: 'Why only names are known' })),
  },
  { $id: 'Queues' },
);

export const StatesSchema = Type.Object(
  {
    states: Type.Array(
      Type.Object({
        name: Type.String(),
        final: Type.Boolean({ description: 'No further event is expected' }),
        description: Type.String(),
      }),
    ),
  },
  { $id: 'States' },
);

export const GapsSchema = Type.Object(
  {
    gaps: Type.Array(
      Type.Object({
        id: Type.Number(),
        fromMs: instant('Start'),
        toMs: maybeInstant('End; null while it lasts'),
        cause: Type.String(),
        agent: Type.String(),
        coveredBy: nullable(
          'string',
          'The agent that listened all the time: nothing was missed. Noted by the next healing run, `--heal-interval`; until then null',
        ),
        healed: maybeRecord(
          'What was put right afterwards, by number of tasks; null until all was looked at. `undecided`: tasks that looked open after the gap, and of which neither a worker, nor the broker, nor a stored result tells what became of them: where no results are stored these are most of those that ended in the gap. They are looked at again, and become orphaned or healed when that can be told',
        ),
      }),
      { description: 'Newest first' },
    ),
  },
  { $id: 'Gaps' },
);

export const StatusSchema = Type.Object(
  {
    version: Type.String(),
    startedMs: instant('Start of the agent'),
    uptimeMs: Type.Number(),
    demo: Type.Boolean({ description: 'The events come from the simulated cluster' }),
    role: Type.Enum(['leader', 'standby'], {
      description: 'Of several agents on one database one leads: retention, healing and probing are its part',
    }),
    standingBy: Type.Boolean({ description: 'RabbitMQ gives the events to another agent' }),
    slice: Type.Union(
      [
        Type.Object({
          name: Type.String({ description: 'e.g. `1/3`' }),
          active: Type.Boolean({ description: 'Of the agents of the slice this one shows its counts on `/metrics`' }),
          missing: Type.Array(Type.String(), {
            description: 'Slices without an agent, as the leader knows; empty of the others',
          }),
        }),
        Type.Null(),
      ],
      { description: 'null: the agent takes the whole stream' },
    ),
    broker: Type.Object({
      displayUrl: Type.String({ description: 'Password hidden' }),
      connected: Type.Boolean(),
      sinceMs: instant('Last change of `connected`'),
      reconnects: Type.Number(),
      problem: Type.Optional(Type.String()),
    }),
    history: Type.Object({
      enabled: Type.Boolean(),
      connected: Type.Boolean(),
      lagMs: Type.Number({ description: 'Age of the oldest event not stored yet' }),
      queuedBatches: Type.Number(),
      spilledBytes: Type.Number({ description: 'Waiting in segment files' }),
      problem: Type.Optional(Type.String()),
    }),
    otlp: Type.Array(
      Type.Object({
        signal: Type.String({ description: '`traces` or `logs`' }),
        displayUrl: Type.String({ description: 'The receiver, password hidden' }),
        connected: Type.Boolean({ description: 'It took the last batch' }),
        sent: Type.Integer({ description: 'Spans or log records, since the start' }),
        dropped: Type.Integer(),
        waiting: Type.Integer(),
        problem: Type.Optional(Type.String()),
      }),
      { description: 'What is sent by OTLP; empty when nothing is' },
    ),
    live: Type.Object({ subscribers: Type.Integer(), maxSubscribers: Type.Integer() }),
    shedding: Type.Array(Type.String(), {
      description: 'What the agent leaves out now to keep up with the events; empty when it does everything',
    }),
    limits: Type.Array(
      Type.Object({
        bound: Type.String({ description: 'The label `bound` of `umbel_bound_used`' }),
        used: Type.Optional(Type.Number({ description: 'Absent where the limit is on each thing by itself' })),
        limit: Type.Number(),
        unit: Type.Enum(['bytes', 'characters', 'count', 'seconds']),
        exceeded: Type.Integer({ description: 'How often something found no room, or was over it, since the start' }),
        option: Type.Optional(Type.String({ description: 'That sets the limit; absent where it is fixed' })),
        then: Type.String({ description: 'What happens over it' }),
      }),
      { description: 'What fills up with the load, and what is cut, refused or ended over a limit of its own' },
    ),
    counts: Type.Unsafe<Readonly<Record<string, number>>>({
      type: 'object',
      additionalProperties: { type: 'number' },
      description: 'Totals since the start',
    }),
    warnings: Type.Array(Type.String()),
  },
  { $id: 'Status' },
);

export const LiveHealthSchema = Type.Object({ status: Type.Literal('ok') }, { $id: 'LiveHealth' });

export const ReadyHealthSchema = Type.Object(
  {
    status: Type.Enum(['ready', 'not-ready']),
    broker: Type.Boolean({ description: 'Connected to the broker' }),
    history: Type.Boolean({ description: 'Connected to the history, or none is kept' }),
    problems: Type.Array(Type.String()),
  },
  { $id: 'ReadyHealth' },
);

/** Every named schema, for the OpenAPI document's components. */
export const SCHEMAS: readonly TSchema[] = [
  ApiErrorSchema,
  TaskSchema,
  TaskDetailSchema,
  TaskPageSchema,
  TimelineSchema,
  WorkflowSchema,
  SeriesSchema,
  FailuresSchema,
  WorkerSchema,
  WorkersSchema,
  WorkerEventsSchema,
  EventsSchema,
  NamesSchema,
  QueuesSchema,
  StatesSchema,
  GapsSchema,
  StatusSchema,
  LiveHealthSchema,
  ReadyHealthSchema,
];

export type ApiTask = Static<typeof TaskSchema>;
export type ApiWorker = Static<typeof WorkerSchema>;
