import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ApiProblem } from './errors.ts';
import { membersOf } from './flower/json-body.ts';
import { utf8Text } from './utf8.ts';

const texts = new WeakMap<FastifyRequest, string>();

/** Reads JSON bodies as Fastify does, and keeps their text: arguments of tasks are sent on as they were written. */
export function keepRawBodies(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser<Buffer>('application/json', { parseAs: 'buffer' }, (request, bytes, done) => {
    const body = utf8Text(bytes);
    if (body === undefined) {
      done(new ApiProblem(400, 'bad-request', 'The body is not UTF-8.'));
      return;
    }
    // A body that is not there is none, whatever it is labelled as.
    if (body === '') {
      done(null, undefined);
      return;
    }
    texts.set(request, body);
    void parse(request, body, (error, value) => {
      if (error === null) done(null, value);
      else done(new ApiProblem(400, 'bad-request', 'The body must be JSON, with no member called `__proto__`.'));
    });
  });
}

/** The JSON text of a member of the request's body; undefined where it has none. */
export function rawMember(request: FastifyRequest, name: string): string | undefined {
  const text = texts.get(request);
  return text === undefined ? undefined : membersOf(text)?.get(name);
}
