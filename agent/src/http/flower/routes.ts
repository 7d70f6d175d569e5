import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import type { HistoryReader } from '../../core/query/reader.ts';
import type { RouteContext } from '../context.ts';
import { textOf } from '../contract/answers.ts';
import { toProblem } from '../errors.ts';
import type { HttpDeps } from '../ports.ts';
import { streamOf } from '../streaming.ts';
import { argument, boolArgument, type Query } from './arguments.ts';
import { etagOf, matchesEtag } from './etag.ts';
import { FlowerError } from './flower-error.ts';
import { listingText, readListing } from './listing.ts';
import { stringText } from './python-json.ts';
import { taskInfoText } from './task-json.ts';
import { workersText, workerStatusText } from './workers-json.ts';

const JSON_TYPE = 'application/json; charset=UTF-8';
const TEXT_TYPE = 'text/plain; charset=UTF-8';
const HTML_TYPE = 'text/html; charset=UTF-8';

/** Pieces of a listing that are held back: up to here it goes out whole, with its length and Etag. */
const WHOLE_PIECES = 2;

type Get = (
  request: FastifyRequest<{ Querystring: Query; Params: { '*': string } }>,
  reply: FastifyReply,
) => Promise<FastifyReply>;

/**
 * Flower 2.2's read endpoints, byte for byte (flower/api/tasks.py, flower/api/workers.py, flower/views/monitor.py).
 * Where Flower wants FLOWER_UNAUTHENTICATED_API or a login for `/api/*`, reads are open here.
 */
export const flowerRoutes: FastifyPluginAsync<RouteContext> = async (app, { deps, settings }) => {
  app.setErrorHandler((error, _request, reply) => sendFlowerError(deps, error, reply));
  if (settings.unauthenticatedApi) {
    app.addHook('onRequest', async (_request, reply) => {
      reply.header('access-control-allow-origin', '*');
      reply.header(
        'access-control-allow-headers',
        'x-requested-with,access-control-allow-origin,authorization,content-type',
      );
      reply.header('access-control-allow-methods', ' PUT, DELETE, OPTIONS, POST, GET, PATCH');
      await Promise.resolve();
    });
  }
  const get = (url: string, summary: string, description: string, handler: Get): void => {
    const mediaType = url.startsWith('/api/') ? 'application/json' : 'text/plain';
    app.get<{ Querystring: Query; Params: { '*': string } }>(
      url,
      { schema: schemaOf(summary, description, mediaType) },
      handler,
    );
  };

  get('/api/tasks', 'List tasks', LIST_DESCRIPTION, async (request, reply) => {
    const history = historyOf(deps);
    const listing = await readListing(request.query, history);
    return sendPieces(deps, request, reply, listingText(history, listing));
  });
  get('/api/task/info/*', 'One task', '404 with a text when unknown.', async (request, reply) => {
    const history = historyOf(deps);
    const taskId = request.params['*'];
    const [task, children] = await Promise.all([history.findTask(taskId), history.childrenOf([taskId])]);
    if (task === undefined) throw new FlowerError(404, `Unknown task '${taskId}'`);
    return sendWhole(request, reply, JSON_TYPE, taskInfoText(task, children.get(taskId) ?? []));
  });
  get('/api/task/types', 'Task names seen', '', async (request, reply) => {
    const names = await historyOf(deps).taskNames();
    return sendWhole(request, reply, JSON_TYPE, `{"task-types": [${names.map(stringText).join(', ')}]}`);
  });
  get('/api/workers', 'Workers', WORKERS_DESCRIPTION, async (request, reply) =>
    sendWhole(request, reply, JSON_TYPE, await workersBody(historyOf(deps), request.query)),
  );
  get('/healthcheck', 'Always OK', '', async (request, reply) => sendWhole(request, reply, HTML_TYPE, 'OK'));
  get('/metrics', 'Prometheus metrics', 'OpenMetrics when the `Accept` header asks for it.', async (request, reply) => {
    const { contentType, body } = await deps.metrics.text(request.headers.accept);
    return reply.type(contentType).send(body);
  });
  await Promise.resolve();
};

const LIST_DESCRIPTION =
  'Parameters: `limit`, `offset`, `sort_by` (name, state, received, started; `-` before it descends), `workername`, ' +
  '`taskname`, `state`, `received_start`, `received_end` (`YYYY-MM-DD HH:MM`, server time), `search`. Long answers are ' +
  'streamed, without an Etag.';

const WORKERS_DESCRIPTION =
  'Parameters: `status=1` (online or not), `workername`, `refresh`. What only remote control can tell is empty.';

function schemaOf(summary: string, description: string, mediaType: string) {
  return {
    tags: ['Flower'],
    summary,
    ...(description === '' ? {} : { description }),
    response: {
      200: textOf('As Flower 2.2 answers', mediaType),
      default: textOf('A text that says what is wrong', 'text/plain'),
    },
  };
}

function historyOf(deps: HttpDeps): HistoryReader {
  if (deps.history === undefined) throw new FlowerError(503, 'The agent keeps no history');
  return deps.history;
}

/** The order of checks is Flower's (flower/api/workers.py `ListWorkers`). */
async function workersBody(history: HistoryReader, query: Query): Promise<string> {
  boolArgument(query, 'refresh');
  const status = boolArgument(query, 'status');
  const name = argument(query, 'workername');
  const workers = await history.workers();
  if (status) return workerStatusText(workers);
  if (name === undefined || name === '') return workersText(workers);
  const worker = workers.find((one) => one.hostname === name);
  if (worker === undefined) throw new FlowerError(404, `Unknown worker '${name}'`);
  return workersText([worker]);
}

function sendWhole(request: FastifyRequest, reply: FastifyReply, type: string, body: string): FastifyReply {
  const etag = etagOf(body);
  reply.header('etag', etag);
  if (matchesEtag(request.headers['if-none-match'], etag)) return reply.code(304).send();
  return reply.type(type).send(body);
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

function sendFlowerError(deps: HttpDeps, error: unknown, reply: FastifyReply): FastifyReply {
  if (error instanceof FlowerError) {
    const body = error.json ? `{"error": ${stringText(error.message)}}` : error.message;
    return reply
      .code(error.status)
      .type(error.json ? JSON_TYPE : TEXT_TYPE)
      .send(body);
  }
  const problem = toProblem(error);
  if (problem.status === 500) {
    deps.logger.error({ err: error }, 'request failed');
    return reply.code(500).type(HTML_TYPE).send('');
  }
  return reply.code(problem.status).type(TEXT_TYPE).send(problem.message);
}
