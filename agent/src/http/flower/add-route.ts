import type { FastifyInstance, FastifyReply } from 'fastify';
import type { RouteContext } from '../context.ts';
import { Type } from 'typebox';
import { textOf } from '../contract/answers.ts';
import { argumentsOf, type AnyRequest, type FlowerRequest } from './requests.ts';
import { FlowerError } from './flower-error.ts';
import type { Access } from '../access/routes.ts';

export interface AboutRoute {
  readonly access: Access;
  /** Its name in the audit; only of what acts. */
  readonly action?: string;
  readonly summary: string;
  readonly description: string;
}

export type Handler = (request: FlowerRequest, reply: FastifyReply) => Promise<FastifyReply>;
export type AddRoute = (method: 'GET' | 'POST', url: string, about: AboutRoute, handler: Handler) => void;
/** Registers a group of Flower's routes. */
export type RouteGroup = (add: AddRoute, context: RouteContext) => void;

/** The one route that Flower writes as `(.*)`: all others need a name or an id (flower/urls.py). */
const EMPTY_ALLOWED = '/api/task/info/*';

/** @param hidden not in the OpenAPI document: the same routes stand there at another place */
export function routeAdder(app: FastifyInstance, hidden: boolean): AddRoute {
  return (method, url, about, handler) => {
    const { access, action, summary, description } = about;
    const answersJson = url.startsWith('/api/');
    app.route<{ Params: { '*': string } }>({
      method,
      url,
      config: { access, ...(action === undefined ? {} : { action }) },
      schema: hidden ? { hide: true } : schemaOf(summary, description, answersJson),
      handler: (request: AnyRequest, reply) => {
        if (request.params['*'] === '' && url !== EMPTY_ALLOWED) throw new FlowerError(404, '');
        return handler(Object.assign(request, { args: argumentsOf(request) }), reply);
      },
    });
  };
}

const OK = 'As Flower 2.2 answers';

function schemaOf(summary: string, description: string, answersJson: boolean) {
  return {
    tags: ['Flower'],
    summary,
    ...(description === '' ? {} : { description }),
    response: {
      200: answersJson
        ? Type.Unsafe({ type: 'object', additionalProperties: true, description: OK })
        : textOf(OK, 'text/plain'),
      default: textOf('A text that says what is wrong', 'text/plain'),
    },
  };
}
