import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Query } from './arguments.ts';

export type AnyRequest = FastifyRequest<{ Querystring: Query; Params: { '*': string } }>;
/** What every handler of Flower's routes is given; `args` are those of the query and of a form. */
export type FlowerRequest = AnyRequest & { readonly args: Query };

/** Takes bodies of every type as they are: Flower reads JSON whatever it is labelled as. */
export function takeAnyBody(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
}

/** The body as text; empty when there is none. */
export function bodyText({ body }: FastifyRequest): string {
  return Buffer.isBuffer(body) ? body.toString() : '';
}

/** Arguments of the query and of a form, where both have it the form's last (tornado/httputil.py `HTTPServerRequest`). */
export function argumentsOf(request: AnyRequest): Query {
  const type = request.headers['content-type'] ?? '';
  if (type.startsWith('application/x-www-form-urlencoded')) {
    return { ...request.query, ...lastOf(new URLSearchParams(bodyText(request))) };
  }
  const boundary = /^multipart\/form-data;.*boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(type);
  if (boundary === null) return request.query;
  return { ...request.query, ...lastOf(partsOf(bodyText(request), boundary[1] ?? boundary[2] ?? '')) };
}

function lastOf(pairs: Iterable<readonly [string, string]>): Record<string, string> {
  return Object.fromEntries(pairs);
}

/** Fields of a `multipart/form-data` body; files are no arguments. */
function partsOf(body: string, boundary: string): [string, string][] {
  return body.split(`--${boundary}`).flatMap((part): [string, string][] => {
    const end = part.indexOf('\r\n\r\n');
    const head = part.slice(0, end);
    const name = /content-disposition:[^\r\n]*[; ]name="([^"\r\n]*)"/i.exec(head)?.[1];
    if (end < 0 || name === undefined || /[; ]filename="/i.test(head)) return [];
    return [[name, part.slice(end + 4).replace(/\r\n$/, '')]];
  });
}
