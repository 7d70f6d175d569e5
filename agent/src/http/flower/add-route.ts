import type { FastifyInstance, FastifyReply } from 'fastify';
import type { RouteContext } from '../context.ts';
import { textOf } from '../contract/answers.ts';
import { argumentsOf, type AnyRequest, type FlowerRequest } from './requests.ts';
import type { Query } from './arguments.ts';
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

/** @param hidden not in the OpenAPI document: the same routes stand there at another place */
export function routeAdder(app: FastifyInstance, hidden: boolean): AddRoute {
  return (method, url, about, handler) => {
    const { access, action, summary, description } = about;
    const answersJson = url.startsWith('/api/');
    app.route<{ Querystring: Query; Params: { '*': string } }>({
      method,
      url,
      config: { access, ...(action === undefined ? {} : { action }) },
      schema: hidden ? { hide: true } : schemaOf(summary, description, answersJson ? 'application/json' : 'text/plain'),
      handler: (request: AnyRequest, reply) => handler(Object.assign(request, { args: argumentsOf(request) }), reply),
    });
  };
}

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
