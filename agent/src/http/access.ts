import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Principal, Role } from '../core/identity/principal.ts';
import { ApiProblem } from './errors.ts';
import type { HttpSettings } from './options.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who may use the route; default `viewer`. `public`: also without any token. */
    access?: 'public' | Role;
  }
  interface FastifyRequest {
    /** Who asks; set before any handler runs. */
    principal: Principal;
  }
}

const MAX_URL_LENGTH = 8192;

/**
 * The one gate every request passes before its body is read: who may do what is decided here. Reads are open, since
 * the server listens on loopback unless told otherwise.
 *
 * A browser sends a WebSocket handshake across origins without asking first, so a page from elsewhere is refused.
 *
 * @throws ApiProblem 403, 414
 */
export function accessHook(settings: HttpSettings) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    reply.header('x-content-type-options', 'nosniff');
    reply.header('x-frame-options', 'SAMEORIGIN');
    reply.header('referrer-policy', 'no-referrer');
    if (request.url.length > MAX_URL_LENGTH) {
      throw new ApiProblem(
        414,
        'url-too-long',
        `The URL is longer than ${MAX_URL_LENGTH} characters; use fewer filters.`,
      );
    }
    if (isUpgrade(request) && !settings.unauthenticatedApi && !isSameOrigin(request)) {
      throw new ApiProblem(403, 'foreign-origin', 'WebSockets are taken from pages of this host only.');
    }
    await Promise.resolve();
  };
}

function isUpgrade(request: FastifyRequest): boolean {
  return request.headers.upgrade?.toLowerCase() === 'websocket';
}

/** No `Origin`: no browser. */
function isSameOrigin({ headers }: FastifyRequest): boolean {
  if (headers.origin === undefined) return true;
  return URL.canParse(headers.origin) && new URL(headers.origin).host === headers.host;
}
