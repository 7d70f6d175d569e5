import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { BrokerUnavailable, ControlRefused } from '../core/control/command.ts';
import { HistoryBusy, HistoryUnavailable, QueryError } from '../core/query/reader.ts';
import { SearchError } from '../core/query/search-parser.ts';
import type { Logger } from '../lib/logger.ts';
import { BackendUnavailable } from '../results/port.ts';

/** What every error of `/api/v1` looks like; `field` is the parameter at fault. */
export interface ErrorBody {
  readonly error: { readonly code: string; readonly message: string; readonly field?: string };
}

/** An answer other than 2xx, thrown by a route. The message says what to do about it. */
export class ApiProblem extends Error {
  readonly status: number;
  readonly code: string;
  readonly field: string | undefined;

  constructor(status: number, code: string, message: string, field?: string) {
    super(message);
    this.status = status;
    this.code = code;
    this.field = field;
  }
}

/** 400 that names the parameter. */
export function badParameter(field: string, message: string): ApiProblem {
  return new ApiProblem(400, 'bad-parameter', message, field);
}

/** 503 of every route that reads the history while there is none. */
export function historyOff(): ApiProblem {
  return new ApiProblem(503, 'history-off', 'The agent keeps no history. Start it with a database to use this route.');
}

/** 503 of every route that needs the broker's control channel while there is none. */
export function controlOff(): ApiProblem {
  return new ApiProblem(503, 'control-off', 'The agent does not control a cluster; start it with a broker.');
}

const REFUSAL_STATUS: Readonly<Record<ControlRefused['code'], number>> = {
  'unknown-worker': 404,
  'unknown-task': 404,
  'unknown-queue': 404,
  'bad-argument': 400,
  'not-retryable': 409,
  'no-backend': 409,
  'too-many': 422,
};

/** Any thrown value as an answer; a fault of ours becomes 500 `internal`, without a stack. */
export function toProblem(error: unknown): ApiProblem {
  if (error instanceof ApiProblem) return error;
  if (error instanceof QueryError) return queryProblem(error);
  if (error instanceof SearchError) return new ApiProblem(400, 'bad-search', error.message, 'search');
  if (error instanceof HistoryBusy) return new ApiProblem(503, 'history-busy', error.message);
  if (error instanceof HistoryUnavailable) {
    return new ApiProblem(503, 'history-unavailable', 'The history database does not answer at the moment; try again.');
  }
  if (error instanceof ControlRefused) {
    return new ApiProblem(REFUSAL_STATUS[error.code], error.code, error.message, error.field);
  }
  if (error instanceof BrokerUnavailable) {
    return new ApiProblem(503, 'broker-unavailable', 'The broker does not answer at the moment; try again.');
  }
  if (error instanceof BackendUnavailable) {
    return new ApiProblem(503, 'backend-unavailable', 'The result backend does not answer at the moment; try again.');
  }
  if (isFastifyError(error)) return fastifyProblem(error);
  return new ApiProblem(500, 'internal', 'The agent could not answer; its log says why.');
}

/** Fastify's error handler for everything but Flower's routes. */
export function sendProblem(logger: Logger) {
  return (error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const problem = toProblem(error);
    if (problem.status === 500)
      logger.error({ err: error, method: request.method, url: request.url }, 'request failed');
    if (problem.status === 503) reply.header('retry-after', '5');
    return reply.code(problem.status).type('application/json; charset=utf-8').send(errorBody(problem));
  };
}

export function errorBody({ code, message, field }: ApiProblem): ErrorBody {
  return { error: { code, message, ...(field === undefined ? {} : { field }) } };
}

function queryProblem(error: QueryError): ApiProblem {
  if (error.code === 'timeout') {
    return new ApiProblem(
      504,
      'timeout',
      'The query took too long; narrow the time range or the filters.',
      error.field,
    );
  }
  const advice = 'Leave `cursor` away to begin with the first page; keep filters and order while paging.';
  return new ApiProblem(400, 'bad-cursor', `${error.message}. ${advice}`, error.field ?? 'cursor');
}

function isFastifyError(error: unknown): error is FastifyError {
  return error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number';
}

function fastifyProblem(error: FastifyError): ApiProblem {
  const [fault] = error.validation ?? [];
  if (fault !== undefined) return validationProblem(fault, error.validationContext ?? 'querystring');
  const status = error.statusCode ?? 500;
  if (error.code === 'FST_ERR_BAD_URL') {
    return new ApiProblem(400, 'bad-request', 'The path is not percent-encoded UTF-8; write % as %25.', 'path');
  }
  if (status === 413) return new ApiProblem(413, 'body-too-large', 'The request body is too large.');
  if (status >= 400 && status < 500) return new ApiProblem(status, 'bad-request', error.message);
  return new ApiProblem(500, 'internal', 'The agent could not answer; its log says why.');
}

interface Fault {
  readonly keyword: string;
  readonly instancePath: string;
  readonly params: Record<string, unknown>;
  readonly message?: string | undefined;
}

function validationProblem(fault: Fault, context: string): ApiProblem {
  const what = context === 'querystring' ? 'query parameter' : context;
  const place = placeOf(fault, context);
  const named = (key: string): string => [...place, String(fault.params[key])].join('.');
  if (fault.keyword === 'additionalProperties') {
    const field = named('additionalProperty');
    return new ApiProblem(400, 'unknown-parameter', `There is no ${what} \`${field}\` here; see the docs page.`, field);
  }
  if (fault.keyword === 'required') {
    const field = named('missingProperty');
    return badParameter(field, `The ${what} \`${field}\` is required.`);
  }
  const field = place.length === 0 ? what : place.join('.');
  return badParameter(field, `\`${field}\` ${adviceOf(fault)}.`);
}

/** Of a query its parameter; of a body the path to the member, which is `arguments.n`; never the place in a list. */
function placeOf({ instancePath }: Fault, context: string): string[] {
  const path = instancePath.split('/').slice(1);
  return context === 'body' ? path.filter((part) => !/^\d+$/.test(part)) : path.slice(0, 1);
}

function adviceOf(fault: Fault): string {
  const { allowedValues, type } = fault.params;
  if (fault.keyword === 'enum' && Array.isArray(allowedValues)) return `must be one of ${allowedValues.join(', ')}`;
  if (fault.keyword === 'type' && type === 'string') return 'must be given once';
  return fault.message ?? 'is not valid';
}
