import type { FastifyReply, FastifyRequest } from 'fastify';
import { ApiProblem, errorBody } from '../errors.ts';

/** A request that is not let through. */
export interface Denial {
  readonly status: 401 | 403 | 429 | 503;
  /** Of the error of `/api/v1`. */
  readonly code: string;
  /** Of the error of `/api/v1`; also for the audit. */
  readonly message: string;
  /** Body on Flower's API where it is not `message`; Flower leaves it empty for a failed login. */
  readonly flower?: string;
  readonly retryAfterSeconds?: number;
}

export interface Asked {
  readonly place: 'flower' | 'page' | 'api';
  /** A browser may be asked for name and password. */
  readonly hasPasswords: boolean;
}

/** Answers in the shape of the place that was asked for (flower/views/__init__.py, flower/api/__init__.py `write_error`). */
export function sendDenial(request: FastifyRequest, reply: FastifyReply, denial: Denial, asked: Asked): FastifyReply {
  const { status, code, message, flower = message } = denial;
  reply.code(status).header('cache-control', 'no-store');
  if (denial.retryAfterSeconds !== undefined) reply.header('retry-after', String(denial.retryAfterSeconds));
  if (asked.place === 'flower') {
    return reply.type(flower === '' ? 'text/html; charset=UTF-8' : 'text/plain; charset=UTF-8').send(flower);
  }
  if (status === 401) reply.header('www-authenticate', challengeOf(request, asked));
  if (asked.place === 'page') {
    return reply.type('text/html; charset=UTF-8').send(status === 401 ? 'Access denied' : message);
  }
  return reply.type('application/json; charset=utf-8').send(errorBody(new ApiProblem(status, code, message)));
}

/** A browser that opens a page is asked for a password; a script of a page must not make a window for one appear. */
function challengeOf(request: FastifyRequest, { place, hasPasswords }: Asked): string {
  const opensPage = place === 'page' || (request.headers.accept ?? '').includes('text/html');
  return hasPasswords && opensPage ? 'Basic realm="flower"' : 'Bearer realm="umbel"';
}
