import type { FastifyReply, FastifyRequest } from 'fastify';
import { ControlRefused } from '../../core/control/command.ts';
import type { ControlService } from '../../core/control/service.ts';
import type { HistoryReader } from '../../core/query/reader.ts';
import type { WorkerRecord } from '../../core/query/records.ts';
import type { HttpDeps } from '../ports.ts';
import { streamOf } from '../streaming.ts';
import type { RouteGroup } from './add-route.ts';
import { controlOf, HTML_TYPE, JSON_TYPE, objectText, sendWhole } from './answer.ts';
import { argument, boolArgument, escapeHtml, type Query } from './arguments.ts';
import { FlowerError } from './flower-error.ts';
import { listingText, readListing } from './listing.ts';
import { stringText } from './python-json.ts';
import { queueLengthsText } from './queues-json.ts';
import { taskInfoText } from './task-json.ts';
import { inspectionsText, workersText, workerStatusText } from './workers-json.ts';

/** Pieces of a listing that are held back: up to here it goes out whole, with its length and Etag. */
const WHOLE_PIECES = 2;

/** Flower 2.2's read endpoints, byte for byte (flower/api/tasks.py, flower/api/workers.py, flower/views/monitor.py). */
export const flowerReads: RouteGroup = (add, { deps, settings }) => {
  const read = (summary: string, description = '') => ({ access: 'viewer' as const, summary, description });

  add('GET', '/api/tasks', read('List tasks', LIST_DESCRIPTION), async (request, reply) => {
    const history = historyOf(deps);
    const listing = await readListing(request.args, history);
    return sendPieces(deps, request, reply, listingText(history, listing));
  });
  add('GET', '/api/task/info/*', read('One task', '404 with a text when unknown.'), async (request, reply) => {
    const history = historyOf(deps);
    const taskId = request.params['*'];
    const [task, children] = await Promise.all([history.findTask(taskId), history.childrenOf([taskId])]);
    if (task === undefined) throw new FlowerError(404, `Unknown task '${taskId}'`);
    return sendWhole(request, reply, JSON_TYPE, taskInfoText(task, children.get(taskId) ?? []));
  });
  add('GET', '/api/task/types', read('Task names seen'), async (request, reply) => {
    const names = await historyOf(deps).taskNames();
    return sendWhole(request, reply, JSON_TYPE, `{"task-types": [${names.map(stringText).join(', ')}]}`);
  });
  add('GET', '/api/workers', read('Workers', WORKERS_DESCRIPTION), async (request, reply) =>
    sendWhole(request, reply, JSON_TYPE, await workersBody(deps, request.args)),
  );
  add('GET', '/api/queues/length', read('Queue lengths', QUEUES_DESCRIPTION), async (request, reply) =>
    sendWhole(request, reply, JSON_TYPE, await queueLengthsText(controlOf(deps))),
  );
  add('GET', '/healthcheck', { ...read('Always OK'), access: 'public' }, async (request, reply) =>
    sendWhole(request, reply, HTML_TYPE, 'OK'),
  );
  const access = settings.protectMetrics ? 'viewer' : 'public';
  const metrics = read('Prometheus metrics', 'OpenMetrics when the `Accept` header asks for it.');
  add('GET', '/metrics', { ...metrics, access }, async (request, reply) => {
    const { contentType, body } = await deps.metrics.text(request.headers.accept);
    return reply.type(contentType).send(body);
  });
};

const LIST_DESCRIPTION =
  'Parameters: `limit`, `offset`, `sort_by` (name, state, received, started; `-` before it descends), `workername`, ' +
  '`taskname`, `state`, `received_start`, `received_end` (`YYYY-MM-DD HH:MM`, server time), `search`. Long answers are ' +
  'streamed, without an Etag.';
const WORKERS_DESCRIPTION =
  'Parameters: `refresh=1` (ask the workers first), `workername`, `status=1` (only whether they are alive). What ' +
  'workers told when they were asked last; of a named one, asked with `refresh`, its tasks too.';
const QUEUES_DESCRIPTION =
  'Waiting messages of the queues that workers consume. On RabbitMQ, with the management API, its queue objects.';

/** @throws FlowerError 503 */
function historyOf(deps: HttpDeps): HistoryReader {
  if (deps.history === undefined) throw new FlowerError(503, 'The agent keeps no history');
  return deps.history;
}

/** The order of checks is Flower's (flower/api/workers.py `ListWorkers`). */
async function workersBody(deps: HttpDeps, query: Query): Promise<string> {
  const refresh = boolArgument(query, 'refresh');
  const status = boolArgument(query, 'status');
  const name = argument(query, 'workername') ?? '';
  const { control } = deps;
  if (control === undefined) return workersFromEvents(await historyOf(deps).workers(), status, name);
  if (refresh) await refreshed(control, name);
  if (status) return statusText(deps, control);
  const known = control.inspector.known();
  if (name === '') return inspectionsText(known);
  const inspection = known.get(name);
  if (inspection === undefined) throw unknownWorker(name);
  return inspectionsText([[name, inspection]]);
}

function unknownWorker(name: string): FlowerError {
  return new FlowerError(404, `Unknown worker '${escapeHtml(name)}'`);
}

function workersFromEvents(workers: readonly WorkerRecord[], status: boolean, name: string): string {
  if (status) return workerStatusText(workers);
  if (name === '') return workersText(workers);
  const worker = workers.find((one) => one.hostname === name);
  if (worker === undefined) throw unknownWorker(name);
  return workersText([worker]);
}

async function refreshed(control: ControlService, name: string): Promise<void> {
  try {
    await control.inspector.refresh(name === '' ? undefined : name);
  } catch (error) {
    // Flower asks it like any other, and finds afterwards that it has told nothing.
    if (error instanceof ControlRefused && error.code === 'unknown-worker') return;
    throw new FlowerError(503, `Failed to update workers: ${error instanceof Error ? error.message : String(error)}`);
  }
}

async function statusText({ history }: HttpDeps, control: ControlService): Promise<string> {
  if (history !== undefined) return workerStatusText(await history.workers());
  const online = control.reached({ kind: 'all' });
  const gone = [...control.inspector.known().keys()].filter((name) => !online.includes(name));
  return objectText([
    ...online.map((name) => [name, 'true'] as const),
    ...gone.map((name) => [name, 'false'] as const),
  ]);
}

/** Its Etag is the hash of a whole body: a long one goes out while it is read, without. */
async function sendPieces(
  deps: HttpDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  pieces: AsyncGenerator<string, void, undefined>,
): Promise<FastifyReply> {
  const held: string[] = [];
  while (held.length <= WHOLE_PIECES) {
    const next = await pieces.next();
    if (next.done === true) return sendWhole(request, reply, JSON_TYPE, held.join(''));
    held.push(next.value);
  }
  async function* all(): AsyncGenerator<string, void, undefined> {
    yield held.join('');
    yield* pieces;
  }
  return reply.type(JSON_TYPE).send(await streamOf(all(), deps.logger));
}
