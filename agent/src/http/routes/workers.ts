import { Type } from 'typebox';
import { needHistory, type Routes } from '../context.ts';
import { answers, READS, READS_ONE } from '../contract/answers.ts';
import { toApiWorker, toApiWorkerEvent } from '../contract/convert.ts';
import { toRange } from '../contract/filter.ts';
import { fromTo, limit, parameters } from '../contract/parameters.ts';
import { ref, WorkerEventsSchema, WorkerSchema, WorkersSchema } from '../contract/schemas.ts';
import { ApiProblem } from '../errors.ts';

const tags = ['Workers'];
const DAY_MS = 86_400_000;
const Hostname = Type.Object({ hostname: Type.String({ minLength: 1, description: 'Node name, e.g. `celery@host`' }) });

const listSchema = {
  tags,
  summary: 'Every worker seen',
  querystring: parameters({}),
  response: answers(ref(WorkersSchema), 'The workers, by name', READS),
};

const oneSchema = {
  tags,
  summary: 'One worker',
  params: Hostname,
  querystring: parameters({}),
  response: answers(ref(WorkerSchema), 'The worker', READS_ONE),
};

const eventsSchema = {
  tags,
  summary: 'Events of a worker: starts, stops, heartbeats',
  params: Hostname,
  querystring: parameters({ ...fromTo, limit: limit(1000, 100) }),
  response: answers(
    ref(WorkerEventsSchema),
    'The events of the last day, or of the range, the newest first',
    READS_ONE,
  ),
};

/** `/workers`, `/workers/:hostname` and its events. */
export const workerRoutes: Routes = async (app, { deps }) => {
  app.get('/workers', { schema: listSchema }, async () => {
    const workers = await needHistory(deps).workers();
    const known = deps.control?.inspector.known();
    return { workers: workers.map((worker) => toApiWorker(worker, known?.get(worker.hostname))) };
  });

  app.get('/workers/:hostname', { schema: oneSchema }, async ({ params: { hostname } }) => {
    const workers = await needHistory(deps).workers();
    const worker = workers.find((one) => one.hostname === hostname);
    if (worker === undefined) throw notFound(hostname);
    return toApiWorker(worker, deps.control?.inspector.known().get(hostname));
  });

  app.get('/workers/:hostname/events', { schema: eventsSchema }, async ({ params: { hostname }, query }) => {
    const history = needHistory(deps);
    const { fromMs, toMs } = toRange(query, deps.clock.now(), DAY_MS);
    const events = await history.workerEvents(hostname, fromMs, toMs, query.limit);
    if (events.length === 0) {
      // A worker that is forgotten may still have left events.
      const workers = await history.workers();
      if (!workers.some((one) => one.hostname === hostname)) throw notFound(hostname);
    }
    return { hostname, events: events.map(toApiWorkerEvent) };
  });
  await Promise.resolve();
};

function notFound(hostname: string): ApiProblem {
  return new ApiProblem(404, 'worker-not-found', `No worker '${hostname}' was seen.`, 'hostname');
}
