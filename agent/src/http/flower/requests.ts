import type { FastifyInstance, FastifyRequest } from 'fastify';
import { utf8Text } from '../utf8.ts';
import { percentDecoded, type Query } from './arguments.ts';
import { FlowerError } from './flower-error.ts';

export type AnyRequest = FastifyRequest<{ Params: { '*': string } }>;
/** What every handler of Flower's routes is given; `args` are those of the query and of a form. */
export type FlowerRequest = AnyRequest & { readonly args: Query };

/** Takes bodies of every type as they are: Flower reads JSON whatever it is labelled as. */
export function takeAnyBody(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.addHook('onRequest', ({ headers }, _reply, done) => {
    // `json` alone is no media type, and refused before any parser is asked.
    if (headers['content-type']?.includes('/') === false) headers['content-type'] = 'application/octet-stream';
    done();
  });
}

/** The body as text; empty when there is none. @throws FlowerError 400 */
export function bodyText(request: FastifyRequest): string {
  const text = utf8Text(bodyOf(request));
  if (text === undefined) throw new FlowerError(400, 'The body is not UTF-8');
  return text;
}

function bodyOf({ body }: FastifyRequest): Buffer {
  return Buffer.isBuffer(body) ? body : Buffer.alloc(0);
}

/**
 * Arguments of the query and of a form, those of the form after those of the query (tornado/httputil.py
 * `HTTPServerRequest`).
 *
 * @throws FlowerError 400 for a form that cannot be read
 */
export function argumentsOf(request: AnyRequest): Query {
  const all = new Map<string, string[]>();
  const pairs = [...pairsOf(request.raw.url?.split('?').slice(1).join('?') ?? ''), ...formOf(request)];
  for (const [name, value] of pairs) {
    const values = all.get(name);
    if (values === undefined) all.set(name, [value]);
    else values.push(value);
  }
  return all;
}

function formOf(request: AnyRequest): [string, string][] {
  const type = request.headers['content-type'] ?? '';
  const body = bodyOf(request).toString('latin1');
  if (type.startsWith('application/x-www-form-urlencoded')) return pairsOf(body);
  return type.startsWith('multipart/form-data') ? partsOf(body, type) : [];
}

/** As Python's `parse_qsl` with blank values. */
function pairsOf(text: string): [string, string][] {
  return text
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const [name = '', ...value] = pair.replaceAll('+', ' ').split('=');
      return [percentDecoded(name), percentDecoded(value.join('='))];
    });
}

/** Fields of a `multipart/form-data` body; files are no arguments. */
function partsOf(body: string, type: string): [string, string][] {
  const [, quoted, plain] = /;\s*boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(type) ?? [];
  const boundary = quoted ?? plain;
  if (boundary === undefined) throw badForm('multipart boundary not found');
  if (!body.includes(`--${boundary}--`)) throw badForm('Invalid multipart/form-data: no final boundary found');
  return body.split(`--${boundary}`).flatMap((part): [string, string][] => {
    const end = part.indexOf('\r\n\r\n');
    const head = part.slice(0, end);
    const name = /content-disposition:[^\r\n]*[; ]name="([^"\r\n]*)"/i.exec(head)?.[1];
    if (end < 0 || name === undefined || /[; ]filename="/i.test(head)) return [];
    return [[name, part.slice(end + 4).replace(/\r\n$/, '')]];
  });
}

function badForm(reason: string): FlowerError {
  return new FlowerError(400, `Invalid body: Invalid multipart/form-data: ${reason}`);
}
