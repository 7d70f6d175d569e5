import type { WebSocket } from '@fastify/websocket';
import type { RouteContext, Routes } from '../context.ts';
import { answers, described, textOf } from '../contract/answers.ts';
import { toLiveFilter } from '../contract/filter.ts';
import { LiveQuery } from '../contract/parameters.ts';
import { ApiErrorSchema, ref } from '../contract/schemas.ts';
import { ApiProblem } from '../errors.ts';
import { pump } from '../live/pump.ts';
import { sseSink } from '../live/sse.ts';
import { keepAlive, webSocketSink } from '../live/web-socket.ts';
import type { LiveFilter } from '../ports.ts';

/** Who may listen is asked at the start alone: a client comes back and is asked again. */
const STREAM_LIFE_MS = 15 * 60_000;

const tags = ['Live'];
const MESSAGES =
  'Messages: `task` and `worker` (what happened, and what it made of the task or worker), `dropped` (`{ "count": 3 }`: ' +
  'this client was too slow, so many messages before the next one are missing).';

const streamSchema = {
  tags,
  summary: 'Changes as they happen, as server-sent events',
  description: `${MESSAGES} A comment every 15 s keeps the connection, which ends after 15 min: connect again. There is no replay: read the history after a reconnect.`,
  querystring: LiveQuery,
  response: answers(textOf('', 'text/event-stream'), 'The stream, of 15 min', [400, 503]),
};

const socketSchema = {
  tags,
  summary: 'Changes as they happen, over a WebSocket',
  description: `Every message is JSON, \`{ "event", "data" }\`. ${MESSAGES} The server pings every 15 s.`,
  querystring: LiveQuery,
  response: {
    ...answers(textOf('', 'text/plain'), 'Not used: the connection is upgraded (101)', [400, 503]),
    426: described(ref(ApiErrorSchema), 'The request was no WebSocket handshake'),
  },
};

/** `/stream` and `/ws`: the live feed. */
export const liveRoutes: Routes = async (app, context) => {
  const { deps, seats, settings } = context;

  app.get('/stream', { schema: streamSchema }, (request, reply) => {
    const subscription = seats.take(toLiveFilter(request.query));
    reply.hijack();
    const response = reply.raw;
    for (const [name, value] of Object.entries(reply.getHeaders())) {
      if (value !== undefined) response.setHeader(name, value);
    }
    response.setHeader('x-accel-buffering', 'no');
    // Kept for another request it would hold up the end of the server.
    response.shouldKeepAlive = false;
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
    response.write('retry: 3000\n\n');
    const sink = sseSink(response);
    const stopHeartbeat = deps.clock.every(settings.heartbeatMs, () => sink.heartbeat());
    const stopEnd = deps.clock.after(STREAM_LIFE_MS, () => seats.release(subscription));
    response.on('close', () => seats.release(subscription));
    pump(subscription, sink)
      .catch((error: unknown) => deps.logger.error({ err: error }, 'live stream failed'))
      .finally(() => {
        stopHeartbeat();
        stopEnd();
        seats.release(subscription);
        response.end();
      });
  });

  app.route({
    method: 'GET',
    url: '/ws',
    schema: socketSchema,
    preHandler: (_request, _reply, done) => {
      seats.mustBeFree();
      done();
    },
    handler: () => {
      throw new ApiProblem(426, 'upgrade-required', 'This is a WebSocket; use /stream for server-sent events.');
    },
    wsHandler: (socket, request) => serveSocket(context, socket, toLiveFilter(request.query)),
  });
  await Promise.resolve();
};

function serveSocket({ deps, seats, settings }: RouteContext, socket: WebSocket, filter: LiveFilter): void {
  if (seats.taken >= seats.max) {
    socket.close(1013, 'all live streams are taken');
    return;
  }
  const subscription = seats.take(filter);
  const stopPings = keepAlive(socket, deps.clock, settings.heartbeatMs, () => settings.connections.noteSilent());
  socket.on('error', (error) => deps.logger.debug({ err: error }, 'WebSocket failed'));
  socket.on('close', () => {
    stopPings();
    seats.release(subscription);
  });
  pump(subscription, webSocketSink(socket))
    .catch((error: unknown) => deps.logger.error({ err: error }, 'live stream failed'))
    .finally(() => socket.close(1001));
}
