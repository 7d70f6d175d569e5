import { needHistory, type Routes } from '../context.ts';
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
  summary: 'Queues seen on tasks',
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
    const names = await needHistory(deps).queueNames();
    return { queues: names.map((name) => ({ name })) };
  });

  app.get('/states', { schema: statesSchema }, () => ({ states: STATES }));
  await Promise.resolve();
};
