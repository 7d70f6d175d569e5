import cors from '@fastify/cors';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import websocket from '@fastify/websocket';
import Fastify, { type FastifyHttpOptions, type FastifyInstance, type FastifyPluginAsync } from 'fastify';
import { lstatSync, unlinkSync } from 'node:fs';
import type { Server } from 'node:http';
import type { Clock } from '../lib/clock.ts';
import type { Closable } from '../lib/closer-stack.ts';
import { allowedHosts } from './access/host.ts';
import { isFlowerPath } from './access/flower-path.ts';
import { noteRouteAccess } from './access/routes.ts';
import { accessHook } from './access.ts';
import { actionsOf, auditWrites } from './audit.ts';
import type { RouteContext } from './context.ts';
import { TOLD } from './contract/answers.ts';
import { CONTROL_SCHEMAS } from './contract/control-schemas.ts';
import { spreadLists } from './contract/parameters.ts';
import { SCHEMAS } from './contract/schemas.ts';
import { answerBrokenRequest } from './broken-request.ts';
import { CLIENT_LIMITS } from './connections.ts';
import { sendProblem } from './errors.ts';
import { sendFlowerError } from './flower/answer.ts';
import { badPath, readableUrl } from './flower/bad-path.ts';
import { flowerRoutes } from './flower/routes.ts';
import { LiveSeats } from './live/seats.ts';
import { answerUnknown } from './not-found.ts';
import { swaggerOptions } from './openapi.ts';
import { type HttpOptions, toSettings, type TlsOptions } from './options.ts';
import type { HttpDeps } from './ports.ts';
import { keepRawBodies } from './raw-body.ts';
import { analysisRoutes } from './routes/analysis.ts';
import { auditRoutes } from './routes/audit.ts';
import { bulkRoutes } from './routes/bulk.ts';
import { commandRoutes } from './routes/commands.ts';
import { eventRoutes } from './routes/events.ts';
import { exportRoutes } from './routes/export.ts';
import { indexPage } from './routes/index-page.ts';
import { listRoutes } from './routes/lists.ts';
import { liveRoutes } from './routes/live.ts';
import { healthRoutes, statusRoutes } from './routes/status.ts';
import { taskRoutes } from './routes/tasks.ts';
import { retryPlanRoutes, taskActionRoutes } from './routes/task-actions.ts';
import { workerRoutes } from './routes/workers.ts';
import { validators } from './validator.ts';

const SERVER: FastifyHttpOptions<Server> = {
  logger: false,
  exposeHeadRoutes: false,
  bodyLimit: CLIENT_LIMITS.bodyBytes,
  requestTimeout: CLIENT_LIMITS.requestMs,
  http: { headersTimeout: CLIENT_LIMITS.headersMs, maxHeaderSize: CLIENT_LIMITS.headerBytes },
  keepAliveTimeout: CLIENT_LIMITS.idleMs,
  connectionTimeout: CLIENT_LIMITS.silentMs,
  forceCloseConnections: 'idle',
  routerOptions: { maxParamLength: 1024 },
  ajv: {
    customOptions: {
      removeAdditional: false,
      coerceTypes: true,
      useDefaults: true,
      allErrors: false,
      keywords: [TOLD],
    },
  },
  clientErrorHandler: answerBrokenRequest,
};

/** The whole server without its socket; the same for production and tests. Rejects when the routes do not fit. */
export async function buildServer(deps: HttpDeps, options: HttpOptions = {}): Promise<FastifyInstance> {
  const settings = toSettings(options);
  const seats = new LiveSeats(deps.live, settings, deps.shedsLive);
  const context: RouteContext = { deps, settings, seats };
  const { prefix } = settings;
  const onError = sendProblem(deps.logger);
  const frameworkErrors: FastifyHttpOptions<Server>['frameworkErrors'] = (error, request, reply) => {
    const flowers = error.code === 'FST_ERR_BAD_URL' ? badPath(request.raw.url ?? '', prefix) : undefined;
    if (flowers === undefined) void onError(error, request, reply);
    else void sendFlowerError(deps, flowers, reply);
  };
  const rewriteUrl: FastifyHttpOptions<Server>['rewriteUrl'] = ({ url = '' }) => readableUrl(url, prefix);
  // Only what the nearest proxy says counts: the rest of its headers came from the client.
  const trustProxy = options.trustProxy === true ? (_address: string, hop: number) => hop < 1 : false;
  const schemaController = { compilersFactory: { buildValidator: validators() } };
  const app = createFastify({ ...SERVER, trustProxy, frameworkErrors, rewriteUrl, schemaController }, options.tls);

  settings.connections.watch(app.server);
  app.setErrorHandler(onError);
  // Responses are typed by their schemas; the tests compare them. Serialising by schema would drop what it does not name.
  app.setSerializerCompiler(() => (value) => JSON.stringify(value));
  // First, so that a handshake which a hook refuses is known as one and its socket let go of.
  await app.register(websocket, { options: { maxPayload: 16 * 1024 } });
  await allowOrigins(app, settings.corsOrigins);
  noteRouteAccess(app, settings);
  app.decorateRequest('principal');
  app.addHook('onRequest', accessHook(settings, deps));
  auditWrites(app, deps);
  answerUnknown(app, (path) => isFlowerPath(path.slice(prefix.length)));
  app.addHook('preClose', (done) => {
    seats.releaseAll();
    done();
  });
  for (const schema of [...SCHEMAS, ...CONTROL_SCHEMAS]) app.addSchema(schema);

  await app.register(swagger, swaggerOptions);
  await app.register(indexPage, { ...context, prefix });
  await app.register(healthRoutes, { ...context, prefix });
  await app.register(flowerRoutes, { ...context, prefix });
  // Where those who used Flower with `--url_prefix=flower` ask.
  if (prefix === '') await app.register(flowerRoutes, { ...context, prefix: '/flower', hidden: true });
  await app.register(apiV1, { ...context, prefix: `${prefix}/api/v1` });
  await app.ready();
  return app;
}

/** The types of Fastify tell HTTP and HTTPS apart, which no route needs to. */
function createFastify(options: FastifyHttpOptions<Server>, tls: TlsOptions | undefined) {
  const https = tls && {
    cert: tls.cert,
    key: tls.key,
    minVersion: 'TLSv1.2' as const,
    ...(tls.clientCa === undefined ? {} : { ca: tls.clientCa, requestCert: true, rejectUnauthorized: true }),
  };
  const { http, ...rest } = options;
  const all = https === undefined ? options : { ...rest, https: { ...http, ...https } };
  return Fastify(all as FastifyHttpOptions<Server>).withTypeProvider<TypeBoxTypeProvider>();
}

/** Preflights are answered before anything is asked of them: a browser sends them without any token. */
async function allowOrigins(app: FastifyInstance, origins: readonly string[]): Promise<void> {
  if (origins.length === 0) return;
  await app.register(cors, {
    origin: [...origins],
    methods: ['GET', 'POST', 'PUT', 'DELETE'],
    allowedHeaders: ['authorization', 'content-type', 'x-requested-with'],
    exposedHeaders: ['etag', 'retry-after'],
    strictPreflight: false,
    maxAge: 600,
  });
}

/** Not the plugin's own policy: that turns every link into https, which the agent speaks only with a certificate. */
const DOCS_POLICY = {
  'default-src': ["'self'"],
  'base-uri': ["'self'"],
  'frame-ancestors': ["'self'"],
  'img-src': ["'self'", 'data:'],
  'object-src': ["'none'"],
  'style-src': ["'self'", "'unsafe-inline'"],
};

interface RouteSchema {
  readonly body?: object;
  readonly querystring?: { readonly properties?: object };
}

const apiV1: FastifyPluginAsync<RouteContext> = async (app, { deps, settings, seats }) => {
  const context: RouteContext = { deps, settings, seats };
  const actions = actionsOf(app);
  keepRawBodies(app);
  app.addHook('preValidation', async (request) => {
    const { body, querystring } = (request.routeOptions.schema ?? {}) as RouteSchema;
    // A body whose members are all optional may be left out; one that is null is another.
    if (body !== undefined && request.body === undefined) request.body = {};
    const properties = { ...querystring?.properties };
    spreadLists(request.query as Record<string, unknown>, properties);
    await Promise.resolve();
  });
  app.addHook('onRequest', async (_request, reply) => {
    reply.header('cache-control', 'no-store');
    await Promise.resolve();
  });
  await app.register(taskRoutes, context);
  await app.register(exportRoutes, context);
  await app.register(analysisRoutes, context);
  await app.register(eventRoutes, context);
  await app.register(workerRoutes, context);
  await app.register(listRoutes, context);
  await app.register(statusRoutes, context);
  await app.register(liveRoutes, context);
  await app.register(commandRoutes, context);
  await app.register(taskActionRoutes, context);
  await app.register(retryPlanRoutes, context);
  await app.register(bulkRoutes, context);
  await app.register(auditRoutes(actions), context);
  app.get('/openapi.json', { schema: { hide: true } }, () => app.swagger());
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    indexPrefix: app.prefix, // else `/docs` without a slash at its end asks for its scripts beside the API
    staticCSP: DOCS_POLICY,
    uiConfig: { docExpansion: 'none' },
  });
};

export interface ListenOptions extends HttpOptions {
  /** Default 127.0.0.1. */
  readonly address?: string;
  /** Default 5555; 0 takes a free one. */
  readonly port?: number;
  /** Listens on this Unix socket instead; a socket that is there already is replaced. */
  readonly unixSocket?: string;
}

export interface RunningServer extends Closable {
  /** Where it listens, with the prefix and a slash at the end, e.g. `http://127.0.0.1:5555/`, `unix:/run/umbel.sock`. */
  readonly url: string;
  /** 0 for a Unix socket. */
  readonly port: number;
  /** Takes no new request, ends the live streams, and waits for answers under way, at most 5 s. */
  close(): Promise<void>;
}

/** A client that takes no more, or does not say goodbye, must not hold up the agent's end. */
const CLOSE_DEADLINE_MS = 2000;

/** The usual reasons with what to do about them; Flower listens on the same port. */
function listenProblem(error: unknown, address: string, port = 5555): unknown {
  const advice: Readonly<Record<string, string>> = {
    EADDRINUSE: `port ${port} of ${address} is in use, by a Flower or another agent? Give another by --port`,
    EADDRNOTAVAIL: `${address} is no address of this machine; give another by --address`,
    ENOTFOUND: `${address} is no address of this machine; give another by --address`,
    EACCES: `port ${port} is only for root; give one from 1024 on by --port`,
  };
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
  return advice[code] === undefined ? error : new Error(advice[code], { cause: error });
}

/** Listens. Rejects when the port is taken, or the address is not of this machine. */
export async function startServer(deps: HttpDeps, options: ListenOptions = {}): Promise<RunningServer> {
  const { address = '127.0.0.1', port: wanted = 5555, unixSocket, allowedHosts: given, ...others } = options;
  const hosts = allowedHosts({ address, unixSocket, allowedHosts: given });
  const app = await buildServer(deps, hosts === undefined ? others : { ...others, allowedHosts: hosts });
  try {
    if (unixSocket !== undefined) removeSocket(unixSocket);
    await app.listen(unixSocket === undefined ? { host: address, port: wanted } : { path: unixSocket });
  } catch (error) {
    await app.close();
    throw listenProblem(error, address, wanted);
  }
  const bound = app.server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
  const host = address.includes(':') ? `[${address}]` : address;
  const scheme = options.tls === undefined ? 'http' : 'https';
  const url = `${scheme}://${host}:${port}${toSettings(options).prefix}/`;
  return { url: unixSocket === undefined ? url : `unix:${unixSocket}`, port, close: () => closeSoon(app, deps.clock) };
}

/** What an agent that was killed left behind (tornado/netutil.py `bind_unix_socket`); never a file of another kind. */
function removeSocket(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSocket() === true) unlinkSync(path);
}

async function closeSoon(app: FastifyInstance, clock: Clock): Promise<void> {
  const cancel = clock.after(CLOSE_DEADLINE_MS, () => {
    app.server.closeAllConnections();
    for (const client of app.websocketServer.clients) client.terminate();
  });
  try {
    await app.close();
  } finally {
    cancel();
  }
}
