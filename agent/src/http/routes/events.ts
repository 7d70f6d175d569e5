import { Type } from 'typebox';
import { needHistory, type Routes } from '../context.ts';
import { answers, READS } from '../contract/answers.ts';
import { given, toRange, upperCase } from '../contract/filter.ts';
import { fromTo, limit, parameters, taskFilterParameters } from '../contract/parameters.ts';
import { EventsSchema, ref } from '../contract/schemas.ts';

const HOUR_MS = 3_600_000;
const { names, workers, notNames, notWorkers } = taskFilterParameters;
const text = (description: string) => Type.Optional(Type.String({ minLength: 1, maxLength: 2048, description }));
const list = (description: string) =>
  Type.Optional(Type.Array(Type.String({ minLength: 1 }), { maxItems: 500, description }));

const eventsSchema = {
  tags: ['Analysis'],
  summary: 'Events of tasks and workers as sent',
  description:
    '`from` defaults to one hour before `to`. Heartbeats of workers are left out unless `types` names them; `names`, ' +
    '`states` and `taskId` leave out all events of workers.',
  querystring: parameters({
    ...fromTo,
    names,
    states: list('That the event leads to, e.g. FAILURE; repeat it or use commas'),
    types: list('On the wire, e.g. `task-failed`; repeat it or use commas'),
    workers,
    notNames,
    notStates: list('No event that leads to such a state; repeat it or use commas'),
    notWorkers,
    taskId: text('One task'),
    text: text('Text anywhere in the event, any case'),
    order: Type.Enum(['asc', 'desc'], { default: 'desc', description: 'By time' }),
    limit: limit(1000, 100),
    cursor: Type.Optional(Type.String({ minLength: 1, description: '`nextCursor` of the page before' })),
  }),
  response: answers(ref(EventsSchema), 'One page', READS),
};

/** `/events`. */
export const eventRoutes: Routes = async (app, { deps }) => {
  app.get('/events', { schema: eventsSchema }, async ({ query }) => {
    const { fromMs, toMs } = toRange(query, deps.clock.now(), HOUR_MS);
    const { names, types, workers, notNames, notWorkers, taskId, text, order } = query;
    const filter = {
      fromMs,
      // Without `to` the end stays open, for workers whose clock is ahead.
      ...given({ toMs: query.to === undefined ? undefined : toMs, names, types, workers, taskId, text }),
      ascending: order === 'asc',
      ...given({ notNames, notWorkers, states: upperCase(query.states), notStates: upperCase(query.notStates) }),
    };
    const page = await needHistory(deps).events(filter, query.limit, query.cursor);
    const events = page.events.map(({ id, type, worker, taskId, name, timestampMs, receivedMs, clock, fields }) => ({
      ...{ id, type, worker, taskId, name, timestampMs, receivedMs, clock, fields },
    }));
    return { events, nextCursor: page.nextCursor ?? null };
  });
  await Promise.resolve();
};
