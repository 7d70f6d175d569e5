import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ControlService } from '../../core/control/service.ts';
import { BrokerUnavailable, ControlRefused } from '../../core/control/command.ts';
import { BackendUnavailable } from '../../results/port.ts';
import { toProblem } from '../errors.ts';
import type { HttpDeps } from '../ports.ts';
import { etagOf, matchesEtag } from './etag.ts';
import { FlowerError } from './flower-error.ts';
import { stringText } from './python-json.ts';

export const JSON_TYPE = 'application/json; charset=UTF-8';
export const TEXT_TYPE = 'text/plain; charset=UTF-8';
export const HTML_TYPE = 'text/html; charset=UTF-8';

const TYPES = { json: JSON_TYPE, text: TEXT_TYPE, html: HTML_TYPE } as const;

/** An answer to a GET, with tornado's Etag. */
export function sendWhole(request: FastifyRequest, reply: FastifyReply, type: string, body: string): FastifyReply {
  const etag = etagOf(body);
  reply.header('etag', etag);
  if (matchesEtag(request.headers['if-none-match'], etag)) return reply.code(304).send();
  return reply.type(type).send(body);
}

/** Members as a JSON object, in the order given; values are JSON texts. */
export function objectText(members: Iterable<readonly [string, string]>): string {
  return `{${[...members].map(([key, text]) => `${stringText(key)}: ${text}`).join(', ')}}`;
}

/** `{"message": …}`, what Flower's writes answer with. */
export function sendMessage(reply: FastifyReply, message: string): FastifyReply {
  return sendJson(reply, objectText([['message', stringText(message)]]));
}

export function sendJson(reply: FastifyReply, body: string): FastifyReply {
  return reply.type(JSON_TYPE).send(body);
}

/** @throws FlowerError 503 */
export function controlOf(deps: HttpDeps): ControlService {
  if (deps.control === undefined) throw new FlowerError(503, 'The agent does not control a cluster');
  return deps.control;
}

/** Any error in Flower's words (flower/api/__init__.py `write_error`, flower/utils/blocking.py). */
export function sendFlowerError(deps: HttpDeps, error: unknown, reply: FastifyReply): FastifyReply {
  const known = inFlowersWords(error);
  if (known !== undefined) {
    if (known.message === '') return reply.code(known.status).type(HTML_TYPE).send('');
    const body = known.kind === 'json' ? `{"error": ${stringText(known.message)}}` : known.message;
    return reply.code(known.status).type(TYPES[known.kind]).send(body);
  }
  const problem = toProblem(error);
  if (problem.status === 500) {
    deps.logger.error({ err: error }, 'request failed');
    return reply.code(500).type(HTML_TYPE).send('');
  }
  return reply.code(problem.status).type(TEXT_TYPE).send(problem.message);
}

function inFlowersWords(error: unknown): FlowerError | undefined {
  if (error instanceof FlowerError) return error;
  if (error instanceof BrokerUnavailable || error instanceof BackendUnavailable) {
    return new FlowerError(503, 'Broker or result backend unavailable');
  }
  return error instanceof ControlRefused && error.code === 'no-backend' ? new FlowerError(503, '') : undefined;
}
