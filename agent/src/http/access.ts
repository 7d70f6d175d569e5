import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Identity, isRefusal, type Refusal } from '../core/identity/identify.ts';
import { MAX_ROLE_HEADER, withMaxRole } from '../core/identity/max-role.ts';
import { mayAct, type Principal } from '../core/identity/principal.ts';
import { crossSiteFault, isSameOrigin } from './access/cross-site.ts';
import { hostFault } from './access/host.ts';
import { isFlowerPath } from './access/flower-path.ts';
import { type Asked, type Denial, sendDenial } from './access/refuse.ts';
import { askedPath, pathOf } from './access/path.ts';
import { type RefusedRequest, refusedLog } from './access/refused-log.ts';
import { type Access, isSafe } from './access/routes.ts';
import { ApiProblem } from './errors.ts';
import type { HttpSettings } from './options.ts';
import type { HttpDeps } from './ports.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who may use the route; default `viewer`, for a method that is no read `admin`. `public`: also without any token. */
    access?: Access;
    /** Takes WebSockets; found out at the registration. */
    isWebSocket?: boolean;
  }
  interface FastifyRequest {
    /** Who asks; set before any handler runs. */
    principal: Principal;
  }
}

const MAX_URL_LENGTH = 8192;

const NOBODY: Principal = { name: 'anonymous', role: 'viewer', via: 'anonymous', verified: false };

/** Identity where none is handed in: everybody is anonymous. */
function everybody(isAdmin: boolean): Identity {
  const anonymous: Principal = { ...NOBODY, role: isAdmin ? 'admin' : 'viewer' };
  return { signIn: false, hasPasswords: false, identify: () => Promise.resolve(anonymous) };
}

/**
 * The one gate every request passes before its body is read: who asks, and whether the route is for them. A refusal
 * is answered here, in the shape of the API that was asked, and told to `onRefused`.
 *
 * @throws ApiProblem 414; 400 for a WebSocket where there is none; 403 for one of a page from elsewhere, which a browser
 *   opens without asking first
 */
export function accessHook(settings: HttpSettings, deps: Pick<HttpDeps, 'identity' | 'onRefused' | 'clock'>) {
  const identity = deps.identity ?? everybody(settings.unauthenticatedApi);
  const tell = refusedLog(deps.clock, deps.onRefused);
  const isOpen = settings.unauthenticatedApi && !identity.signIn;

  return async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    request.principal = NOBODY;
    setHeaders(reply);
    if (request.url.length > MAX_URL_LENGTH) {
      const message = `The URL is longer than ${MAX_URL_LENGTH} characters; use fewer filters.`;
      throw new ApiProblem(414, 'url-too-long', message);
    }
    refuseStraySocket(request);
    const path = pathOf(request, settings.prefix);
    const asked: Asked = { place: placeOf(path), hasPasswords: identity.hasPasswords };
    if (isOpen && asked.place === 'flower') openToEveryOrigin(reply);
    const access = accessOf(request);
    if (access === 'public') return;
    if (!isOpen) refuseForeignSocket(request, settings.corsOrigins);

    const deny = (denial: Denial, refused: Pick<RefusedRequest, 'principal' | 'action'>): FastifyReply => {
      const { method } = request;
      const address = addressOf(request);
      tell({
        ...refused,
        address,
        method,
        path: askedPath(request, settings.prefix),
        needs: access,
        detail: denial.message,
      });
      return sendDenial(request, reply, denial, asked);
    };
    const fault =
      identity.signIn && !isSafe(request.method) ? crossSiteFault(request, settings.corsOrigins) : undefined;
    if (fault !== undefined) {
      return deny(
        { status: 403, code: 'cross-site', message: fault },
        { principal: NOBODY, action: actionOf(request) },
      );
    }
    const who = await identity.identify({ headers: request.headers, address: addressOf(request) });
    if (isRefusal(who)) {
      const principal = { ...NOBODY, name: who.claimed ?? NOBODY.name, via: who.via };
      return deny(denialOf(who), { principal, action: 'login' });
    }
    request.principal = withMaxRole(who, request.headers[MAX_ROLE_HEADER]);
    const denial =
      hostDenial(request, settings) ??
      roleDenial(who, request.principal, access) ??
      readOnlyDenial(request, access, settings);
    return denial === undefined ? undefined : deny(denial, { principal: request.principal, action: actionOf(request) });
  };
}

function setHeaders(reply: FastifyReply): void {
  reply.header('x-content-type-options', 'nosniff');
  reply.header('x-frame-options', 'SAMEORIGIN');
  reply.header('referrer-policy', 'no-referrer');
  // Data is no page; the pages there are name what they load themselves.
  reply.header('content-security-policy', "default-src 'none'; frame-ancestors 'self'");
}

/** The headers of Flower (flower/views/__init__.py `set_default_headers`). */
function openToEveryOrigin(reply: FastifyReply): void {
  reply.header('access-control-allow-origin', '*');
  reply.header(
    'access-control-allow-headers',
    'x-requested-with,access-control-allow-origin,authorization,content-type',
  );
  reply.header('access-control-allow-methods', ' PUT, DELETE, OPTIONS, POST, GET, PATCH');
}

function placeOf(path: string): Asked['place'] {
  if (isFlowerPath(path)) return 'flower';
  return path === '/' ? 'page' : 'api';
}

/** OPTIONS says nothing but which methods there are, and a browser sends it without any token. */
function accessOf(request: FastifyRequest): Access {
  if (request.method === 'OPTIONS') return 'public';
  return request.routeOptions.config.access ?? 'viewer';
}

/** A client of a Unix socket has no address. */
function addressOf(request: FastifyRequest): string {
  const { ip } = request as { readonly ip: string | undefined };
  return ip === undefined || ip === '' ? 'unix' : ip;
}

/** As the audit calls what the route does. */
function actionOf(request: FastifyRequest): string {
  const { action } = request.routeOptions.config as { readonly action?: unknown };
  return typeof action === 'string' ? action : 'request';
}

/** The plugin for WebSockets would open one on any route, and close it, without having asked who it is for. */
function refuseStraySocket(request: FastifyRequest): void {
  if (!request.ws || request.is404 || request.routeOptions.config.isWebSocket === true) return;
  throw new ApiProblem(400, 'no-websocket', 'This path is no WebSocket; leave the header Upgrade away.');
}

function refuseForeignSocket(request: FastifyRequest, origins: readonly string[]): void {
  if (request.headers.upgrade?.toLowerCase() !== 'websocket') return;
  if (isSameOrigin(request) || origins.includes(request.headers.origin ?? '')) return;
  throw new ApiProblem(403, 'foreign-origin', 'WebSockets are taken from pages of this host only.');
}

function denialOf({ refused, detail, retryAfterSeconds = 5 }: Refusal): Denial {
  if (refused === 'no-role') return { status: 403, code: 'forbidden', message: detail };
  if (refused === 'too-many-attempts') return { status: 429, code: refused, message: detail, retryAfterSeconds };
  if (refused === 'unavailable')
    return { status: 503, code: 'identity-unavailable', message: detail, retryAfterSeconds };
  return { status: 401, code: 'unauthenticated', message: detail, flower: '' };
}

/** Credentials are proof enough: what another page's browser sends along never has any. */
function hostDenial(request: FastifyRequest, { allowedHosts }: HttpSettings): Denial | undefined {
  if (request.principal.via !== 'anonymous') return undefined;
  const fault = hostFault(request.headers.host, allowedHosts);
  return fault === undefined ? undefined : { status: 403, code: 'unknown-host', message: fault };
}

/** Flower's own words for an API that nobody opened. */
const FLOWER_CLOSED =
  'FLOWER_UNAUTHENTICATED_API environment variable is required to enable API without authentication';

function roleDenial(who: Principal, { name, role }: Principal, access: Exclude<Access, 'public'>): Denial | undefined {
  if (mayAct(role, access)) return undefined;
  if (who.via === 'anonymous' && !mayAct(who.role, access)) {
    const message = `This needs the role ${access}: send a token or log in.`;
    return { status: 401, code: 'unauthenticated', message, flower: FLOWER_CLOSED };
  }
  const lowered = role === who.role ? '' : `, lowered by ${MAX_ROLE_HEADER}`;
  const message = `This needs the role ${access}; ${name} has ${role}${lowered}.`;
  return { status: 403, code: 'forbidden', message };
}

/** flower/api/control.py and tasks.py ask this first of all once somebody is let in. */
function readOnlyDenial(request: FastifyRequest, access: Access, { readOnly }: HttpSettings): Denial | undefined {
  if (!readOnly || access === 'viewer' || isSafe(request.method)) return undefined;
  return { status: 403, code: 'read-only', message: 'Read only mode is enabled' };
}
