import type { QueueDepth } from '../../core/control/service.ts';
import { needHistory, type Routes } from '../context.ts';
import { given } from '../contract/filter.ts';
import { toProblem } from '../errors.ts';
import type { HttpDeps } from '../ports.ts';
import { answers, READS } from '../contract/answers.ts';
import { parameters } from '../contract/parameters.ts';
import { NamesSchema, QueuesSchema, ref, StatesSchema } from '../contract/schemas.ts';

const tags = ['Lists'];
const querystring = parameters({});

const namesSchema = {
  tags,
  summary: 'Task names seen',
  querystring,
  response: answers(ref(NamesSchema), 'Sorted', READS),
};

const queuesSchema = {
  tags,
  summary: 'Queues: of workers, of the broker, and seen on tasks',
  querystring,
  response: answers(ref(QueuesSchema), 'Sorted by name', READS),
};

const statesSchema = {
  tags,
  summary: 'States of a task',
  description: 'Celery’s own. A custom event `task-my-progress` gives the state `MY-PROGRESS` besides.',
  querystring,
  response: answers(ref(StatesSchema), 'In the order of a task’s life', [400]),
};

/** celery/states.py and celery/events/state.py, in the order of a task's life. */
const STATES = [
  { name: 'PENDING', final: false, description: 'Published; no worker has reported it' },
  { name: 'RECEIVED', final: false, description: 'A worker holds it' },
  { name: 'STARTED', final: false, description: 'It runs' },
  { name: 'RETRY', final: false, description: 'It failed and will run again' },
  { name: 'REJECTED', final: true, description: 'A worker refused it' },
  { name: 'REVOKED', final: true, description: 'Cancelled or expired' },
  { name: 'SUCCESS', final: true, description: 'It returned' },
  { name: 'FAILURE', final: true, description: 'It raised' },
];

/** `/names`, `/queues`, `/states`: what to choose from. */
export const listRoutes: Routes = async (app, { deps }) => {
  app.get('/names', { schema: namesSchema }, async () => ({ names: await needHistory(deps).taskNames() }));

  app.get('/queues', { schema: queuesSchema }, async () => {
    const [depths, names] = await Promise.all([depthsOf(deps), seenQueues(deps)]);
    const byName = new Map<string, QueueDepth>(names.map((name) => [name, { name }]));
    for (const depth of depths.queues) byName.set(depth.name, depth);
    const sorted = [...byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    return { queues: sorted.map(toApiQueue), ...given({ problem: depths.problem }) };
  });

  app.get('/states', { schema: statesSchema }, () => ({ states: STATES }));
  await Promise.resolve();
};

interface Depths {
  readonly queues: readonly QueueDepth[];
  readonly problem?: string;
}

/** The names alone are worth something: a broker that is away is no error here. */
async function depthsOf({ control }: HttpDeps): Promise<Depths> {
  if (control === undefined) return { queues: [] };
  try {
    return { queues: await control.queues() };
  } catch (error) {
    const problem = toProblem(error);
    if (problem.status === 500) throw error;
    return { queues: [], problem: problem.message };
  }
}

/** Without a history they are optional, unless nobody else knows queues. */
async function seenQueues(deps: HttpDeps): Promise<readonly string[]> {
  if (deps.history === undefined && deps.control !== undefined) return [];
  return needHistory(deps).queueNames();
}

function toApiQueue({ name, messages, unacked, consumers, oldestMs, publishRate, deliverRate }: QueueDepth) {
  return { name, ...given({ messages, unacked, consumers, oldestMs, publishRate, deliverRate }) };
}
