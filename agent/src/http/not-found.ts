import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ApiProblem, errorBody } from './errors.ts';

/**
 * Answers what no route takes, before a body is read: 404; where the path is a route of another method 405, and 204
 * for OPTIONS, as Flower does. Must be called before the routes are registered.
 *
 * @param isFlower tells Flower's paths, which answer 405 with an empty body
 */
export function answerUnknown(app: FastifyInstance, isFlower: (path: string) => boolean): void {
  const routes: { readonly path: RegExp; readonly method: string }[] = [];
  app.addHook('onRoute', ({ url, method }) => {
    const path = patternOf(url);
    for (const one of [method].flat()) routes.push({ path, method: one });
  });
  app.setNotFoundHandler((request, reply) => sendUnknown(request, reply));
  app.addHook('onRequest', async (request, reply) => {
    // The plugin for CORS takes OPTIONS everywhere, and leaves here what was no preflight.
    if (!request.is404 && request.routeOptions.url !== '*') return;
    const path = request.url.split('?', 1)[0] ?? '';
    const allowed = [...new Set(routes.filter((route) => route.path.test(path)).map((route) => route.method))];
    if (allowed.length === 0) return sendUnknown(request, reply);
    reply.header('allow', [...allowed, 'OPTIONS'].join(', '));
    if (request.method === 'OPTIONS') return reply.code(204).send();
    return sendNotAllowed(request, reply, isFlower(path));
  });
}

function sendUnknown(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const path = request.url.split('?', 1)[0] ?? '';
  const message = `There is no ${request.method} ${path}; the routes are listed at /api/v1/docs.`;
  const problem = new ApiProblem(404, 'unknown-route', message);
  return reply.code(404).type('application/json; charset=utf-8').send(errorBody(problem));
}

function sendNotAllowed(request: FastifyRequest, reply: FastifyReply, isFlower: boolean): FastifyReply {
  if (isFlower) return reply.code(405).type('text/html; charset=UTF-8').send('');
  const problem = new ApiProblem(405, 'method-not-allowed', `This path does not take ${request.method}.`);
  return reply.code(405).type('application/json; charset=utf-8').send(errorBody(problem));
}

/** `/tasks/:taskId/x*` as the expression of the paths it takes. */
function patternOf(url: string): RegExp {
  const source = url
    .replace(/[.+?^${}()|[\]\\]/g, '\\$&')
    .replace(/:[A-Za-z]+/g, '[^/]+')
    .replaceAll('*', '.*');
  return new RegExp(`^${source}$`);
}
