import type { Role } from '../identity/principal.ts';
import { ControlRefused } from './command.ts';
import { checkParameter, type Parameter } from './parameter.ts';

/** One remote-control command of Celery (celery/worker/control.py): all that a form, a route and its check need. */
export interface ControlCommand {
  /** Celery's name, as it goes over the wire. */
  readonly method: string;
  /** `inspect` only reads; `task` acts on tasks, `worker` on the worker itself. */
  readonly kind: 'inspect' | 'task' | 'worker';
  /** Least role that may send it. */
  readonly role: Role;
  /** Work may be lost, or stops being done: ask before sending. */
  readonly destructive: boolean;
  /** The worker answers; false: it is sent and nothing comes back. */
  readonly replies: boolean;
  /** A few words for a menu. */
  readonly title: string;
  readonly parameters: readonly Parameter[];
  /** What will happen, one sentence; `whom` is e.g. `w1@host` or `all workers`, `args` are checked ones. */
  readonly says: (whom: string, args: Readonly<Record<string, unknown>>) => string;
  /** A rule over several parameters. @throws ControlRefused */
  readonly together?: (args: Readonly<Record<string, unknown>>) => void;
}

/** Ids in one revoke: a message of about 40 kB. */
export const MAX_TASK_IDS = 1000;

/** Names that `billiard`'s and Python's `signal` know on Linux; with others the worker answers an AttributeError. */
export const SIGNALS = [
  'SIGTERM',
  'SIGKILL',
  'SIGINT',
  'SIGQUIT',
  'SIGHUP',
  'SIGUSR1',
  'SIGUSR2',
  'SIGABRT',
  'SIGALRM',
] as const;

const taskIds: Parameter = {
  name: 'task_id',
  kind: 'texts',
  required: true,
  maxLength: 1024,
  maxItems: MAX_TASK_IDS,
  doc: 'Ids of the tasks',
};
const terminate: Parameter = {
  name: 'terminate',
  kind: 'flag',
  default: false,
  doc: 'Also end tasks that run already: the signal goes to the pool process, which is replaced',
};
const signal: Parameter = {
  name: 'signal',
  kind: 'choice',
  values: SIGNALS,
  default: 'SIGTERM',
  doc: 'Signal for tasks that run already',
};
const taskName: Parameter = {
  name: 'task_name',
  kind: 'text',
  required: true,
  maxLength: 1024,
  doc: 'Name under which the task is registered',
};
const queue: Parameter = { name: 'queue', kind: 'text', required: true, maxLength: 255, doc: 'Name of the queue' };
const poolChange: Parameter = {
  name: 'n',
  kind: 'whole',
  min: 1,
  max: 1000,
  default: 1,
  doc: 'Number of processes or threads',
};

const inspect = (
  method: string,
  title: string,
  says: (whom: string) => string,
  parameters: readonly Parameter[] = [],
): ControlCommand => ({
  method,
  kind: 'inspect',
  role: 'viewer',
  destructive: false,
  replies: true,
  title,
  parameters,
  says,
});

const act = (
  kind: 'task' | 'worker',
  command: Pick<ControlCommand, 'method' | 'title' | 'says'> & Partial<ControlCommand>,
): ControlCommand => ({
  kind,
  role: kind === 'task' ? 'editor' : 'admin',
  destructive: false,
  replies: true,
  parameters: [],
  ...command,
});

const INSPECTIONS: readonly ControlCommand[] = [
  inspect('ping', 'Ping', (whom) => `Asks ${whom} for a sign of life.`),
  inspect('clock', 'Logical clock', (whom) => `Asks ${whom} for the logical clock.`),
  inspect('stats', 'Statistics', (whom) => `Asks ${whom} for statistics: pool, broker, tasks done, memory.`),
  inspect('active', 'Running tasks', (whom) => `Asks ${whom} which tasks run now.`, [
    { name: 'safe', kind: 'flag', default: false, doc: 'Arguments as cut texts instead of values' },
  ]),
  inspect('reserved', 'Reserved tasks', (whom) => `Asks ${whom} which tasks were fetched and wait for a free slot.`),
  inspect('scheduled', 'Scheduled tasks', (whom) => `Asks ${whom} which tasks were fetched and wait for their eta.`),
  inspect('query_task', 'Find tasks', (whom) => `Asks ${whom} what is known of these tasks.`, [
    { ...taskIds, name: 'ids' },
  ]),
  inspect('revoked', 'Revoked tasks', (whom) => `Asks ${whom} which task ids are remembered as revoked.`),
  inspect('registered', 'Registered tasks', (whom) => `Asks ${whom} which tasks are registered.`, [
    {
      name: 'taskinfoitems',
      kind: 'texts',
      maxLength: 100,
      maxItems: 50,
      doc: 'Attributes to tell of each task, default exchange, routing_key and rate_limit',
    },
    { name: 'builtins', kind: 'flag', default: false, doc: "Celery's own tasks too" },
  ]),
  inspect('active_queues', 'Queues', (whom) => `Asks ${whom} which queues are consumed.`),
  inspect('conf', 'Configuration', (whom) => `Asks ${whom} for the configuration, secrets masked.`, [
    { name: 'with_defaults', kind: 'flag', default: false, doc: 'Settings left at their default too' },
  ]),
  inspect('report', 'Report', (whom) => `Asks ${whom} for the report that goes with a bug report.`),
  inspect('memsample', 'Memory sample', (whom) => `Asks ${whom} to measure the memory of the main process.`),
  inspect('memdump', 'Memory samples', (whom) => `Asks ${whom} for the memory samples taken so far.`),
];

const TASK_ACTIONS: readonly ControlCommand[] = [
  act('task', {
    method: 'revoke',
    title: 'Revoke',
    destructive: true,
    parameters: [taskIds, terminate, signal],
    says: (whom, { task_id, terminate, signal }) =>
      terminate === true
        ? `${capital(whom)} will not start ${tasks(task_id)}, and will end what runs of it by ${text(signal)}; what was half done stays so.`
        : `${capital(whom)} will not start ${tasks(task_id)}; what runs already goes on.`,
  }),
  act('task', {
    method: 'terminate',
    title: 'Terminate',
    destructive: true,
    parameters: [taskIds, signal],
    says: (whom, { task_id, signal }) =>
      `${capital(whom)} will end ${tasks(task_id)} by ${text(signal)}, even where it runs; what was half done stays so.`,
  }),
  act('task', {
    method: 'revoke_by_stamped_headers',
    title: 'Revoke by stamps',
    destructive: true,
    parameters: [
      {
        name: 'headers',
        kind: 'stamps',
        required: true,
        maxValues: MAX_TASK_IDS,
        doc: 'Stamp names with the values that are revoked',
      },
      terminate,
      signal,
    ],
    says: (whom, { headers, terminate, signal }) =>
      `${capital(whom)} will not start any task stamped with ${JSON.stringify(headers)}` +
      (terminate === true ? `, and will end those that run by ${text(signal)}.` : '; what runs already goes on.'),
  }),
  act('task', {
    method: 'rate_limit',
    title: 'Set the rate limit',
    parameters: [
      taskName,
      {
        name: 'rate_limit',
        kind: 'text',
        required: true,
        maxLength: 32,
        pattern: /^\d+(\.\d+)?(\/[smh])?$/,
        patternDoc: 'like 10/s, 10/m or 10/h, or 0 for no limit',
        doc: 'Tasks per second, minute or hour; 0 for no limit',
      },
    ],
    says: (whom, { task_name, rate_limit }) =>
      isNoRate(rate_limit)
        ? `${capital(whom)} will start ${text(task_name)} without a rate limit, until the next restart.`
        : `${capital(whom)} will start at most ${text(rate_limit)} of ${text(task_name)}, each worker for itself, until the next restart.`,
  }),
  act('task', {
    method: 'time_limit',
    title: 'Set the time limits',
    parameters: [
      taskName,
      { name: 'soft', kind: 'seconds', min: 0, max: 31_536_000, doc: 'Seconds until SoftTimeLimitExceeded is raised' },
      { name: 'hard', kind: 'seconds', min: 0, max: 31_536_000, doc: 'Seconds until the process is killed' },
    ],
    together: ({ soft, hard }) => {
      if (typeof soft !== 'number' || typeof hard !== 'number' || soft <= hard) return;
      throw new ControlRefused('bad-argument', 'soft: must not be above hard, or it would never be reached.', 'soft');
    },
    says: (whom, { task_name, soft, hard }) =>
      `${capital(whom)} will give ${text(task_name)} a soft limit of ${seconds(soft)} and a hard limit of ${seconds(hard)}, until the next restart.`,
  }),
  act('task', {
    method: 'heartbeat',
    title: 'Ask for a heartbeat',
    says: (whom) => `${capital(whom)} will send a heartbeat event at once.`,
  }),
];

const WORKER_ACTIONS: readonly ControlCommand[] = [
  act('worker', {
    method: 'shutdown',
    title: 'Shut down',
    destructive: true,
    replies: false,
    says: (whom) =>
      `${capital(whom)} will finish what runs and then end; only a supervisor (systemd, Kubernetes, …) starts it again.`,
  }),
  act('worker', {
    method: 'pool_grow',
    title: 'Grow the pool',
    parameters: [poolChange],
    says: (whom, { n }) => `${capital(whom)} will add ${text(n)} to the pool, until the next restart.`,
  }),
  act('worker', {
    method: 'pool_shrink',
    title: 'Shrink the pool',
    destructive: true,
    parameters: [poolChange],
    says: (whom, { n }) => `${capital(whom)} will take ${text(n)} from the pool, until the next restart.`,
  }),
  act('worker', {
    method: 'pool_restart',
    title: 'Restart the pool',
    parameters: [
      { name: 'modules', kind: 'texts', maxLength: 255, maxItems: 100, doc: 'Modules to import' },
      { name: 'reload', kind: 'flag', default: false, doc: 'Import modules again that are imported already' },
    ],
    says: (whom) =>
      `${capital(whom)} will replace all pool processes, each after the task that it runs or gets next, where the setting worker_pool_restarts allows it.`,
  }),
  act('worker', {
    method: 'autoscale',
    title: 'Set the autoscale range',
    parameters: [
      { name: 'max', kind: 'whole', required: true, min: 1, max: 10_000, doc: 'Most processes' },
      { name: 'min', kind: 'whole', required: true, min: 0, max: 10_000, doc: 'Fewest processes' },
    ],
    together: ({ min, max }) => {
      if (typeof min !== 'number' || typeof max !== 'number' || min <= max) return;
      throw new ControlRefused('bad-argument', 'min: must not be above max.', 'min');
    },
    says: (whom, { min, max }) =>
      `${capital(whom)} will keep between ${text(min)} and ${text(max)} processes, where started with --autoscale.`,
  }),
  act('worker', {
    method: 'add_consumer',
    title: 'Consume a queue',
    parameters: [
      queue,
      { name: 'exchange', kind: 'text', maxLength: 255, doc: 'Exchange, default named like the queue' },
      {
        name: 'exchange_type',
        kind: 'choice',
        values: ['direct', 'topic', 'fanout', 'headers'],
        doc: 'Kind of the exchange, default direct',
      },
      { name: 'routing_key', kind: 'text', maxLength: 255, doc: 'Routing key, default named like the queue' },
    ],
    says: (whom, { queue }) =>
      `${capital(whom)} will consume ${text(queue)}, which is made if it does not exist, until the next restart.`,
  }),
  act('worker', {
    method: 'cancel_consumer',
    title: 'Stop consuming a queue',
    destructive: true,
    parameters: [queue],
    says: (whom, { queue }) =>
      `${capital(whom)} will fetch nothing more from ${text(queue)}, until told otherwise or restarted.`,
  }),
  act('worker', {
    method: 'enable_events',
    title: 'Switch task events on',
    says: (whom) => `${capital(whom)} will send task events.`,
  }),
  act('worker', {
    method: 'disable_events',
    title: 'Switch task events off',
    destructive: true,
    says: (whom) =>
      `${capital(whom)} will send no task events, so nothing of their tasks is recorded; workers started with -E go on sending.`,
  }),
];

/** Every command that is offered. */
export const COMMANDS: readonly ControlCommand[] = [...INSPECTIONS, ...TASK_ACTIONS, ...WORKER_ACTIONS];

const BY_METHOD: ReadonlyMap<string, ControlCommand> = new Map(COMMANDS.map((command) => [command.method, command]));

/** Commands that Celery has and that are never sent, with the reason. */
export const NEVER_SENT: ReadonlyMap<string, string> = new Map([
  ['election', 'it crashes a worker that runs alone'],
  ['hello', 'it changes what the worker knows of revoked tasks'],
  ['objgraph', 'it stops the worker for up to a minute and leaves a file on its disk'],
]);

/** @throws ControlRefused `bad-argument` when there is none of that name */
export function commandOf(method: string): ControlCommand {
  const command = BY_METHOD.get(method);
  if (command !== undefined) return command;
  const reason = NEVER_SENT.get(method);
  throw new ControlRefused(
    'bad-argument',
    reason === undefined
      ? `method: there is no command ${JSON.stringify(method)}; use one of ${[...BY_METHOD.keys()].join(', ')}.`
      : `method: ${method} is not offered, because ${reason}.`,
    'method',
  );
}

/**
 * The arguments as the worker's handler takes them: checked, defaults filled in, what was not given left out.
 *
 * @throws ControlRefused `bad-argument` naming the parameter and the rule it breaks
 */
export function checkArguments(
  command: ControlCommand,
  given: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const known = command.parameters.map(({ name }) => name);
  const foreign = Object.keys(given).find((name) => !known.includes(name));
  if (foreign !== undefined) {
    const takes = known.length === 0 ? 'takes no arguments' : `takes ${known.join(', ')}`;
    throw new ControlRefused('bad-argument', `${foreign}: is no argument; ${command.method} ${takes}.`, foreign);
  }
  const args: Record<string, unknown> = {};
  for (const parameter of command.parameters) {
    const { name } = parameter;
    const value = given[name] ?? ('default' in parameter ? parameter.default : undefined);
    if (value !== undefined) args[name] = checkParameter(parameter, value);
    else if (given[name] === null && parameter.kind === 'seconds') args[name] = null;
    else if (parameter.required === true)
      throw new ControlRefused('bad-argument', `${name}: is missing; ${parameter.doc}.`, name);
  }
  command.together?.(args);
  // The worker takes the number 0, and no text, for no limit (celery/worker/control.py `rate_limit`).
  if (command.method === 'rate_limit' && isNoRate(args['rate_limit'])) args['rate_limit'] = 0;
  return args;
}

function isNoRate(rate: unknown): boolean {
  return Number.parseFloat(String(rate)) === 0;
}

function capital(whom: string): string {
  // Node names are case-sensitive.
  return whom.includes('@') ? whom : whom.charAt(0).toUpperCase() + whom.slice(1);
}

function text(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : JSON.stringify(value);
}

function tasks(ids: unknown): string {
  if (!Array.isArray(ids)) return `task ${text(ids)}`;
  return ids.length === 1 ? `task ${text(ids[0])}` : `these ${ids.length} tasks`;
}

function seconds(value: unknown): string {
  return typeof value === 'number' ? `${value} s` : 'none';
}
