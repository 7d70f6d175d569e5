import type {} from '@fastify/websocket';
import type { FastifyContextConfig, FastifyInstance } from 'fastify';
import type { Role } from '../../core/identity/principal.ts';

/** Who may use a route: everybody without any token, or whoever has at least the role. */
export type Access = 'public' | Role;

/** A route of the server as it was registered. */
export interface RouteAccess {
  readonly method: string;
  /** With the prefix and Fastify's placeholders. */
  readonly url: string;
  readonly access: Access;
  /** The route says so itself; else it follows from the method. */
  readonly declared: boolean;
}

const SAFE_METHODS = ['GET', 'HEAD', 'OPTIONS'];

/** Reads only, by the meaning of HTTP. */
export function isSafe(method: string): boolean {
  return SAFE_METHODS.includes(method);
}

/** Flower never asks for a login here, and what supervises processes has none. */
const PUBLIC = ['/healthcheck', '/health', '/health/live', '/health/ready'];

const lists = new WeakMap<FastifyInstance, RouteAccess[]>();

/**
 * Fills in who may use each route that does not say so: health probes are public, reads need a viewer, and anything
 * else an admin. Must be called before the routes are registered.
 *
 * @param options.protectMetrics whether `/metrics` needs a viewer; it is public otherwise
 */
export function noteRouteAccess(
  app: FastifyInstance,
  options: { readonly prefix: string; readonly protectMetrics: boolean },
): void {
  const list: RouteAccess[] = [];
  lists.set(app, list);
  app.addHook('onRoute', (route) => {
    const inner = route.url.startsWith(options.prefix) ? route.url.slice(options.prefix.length) : route.url;
    const path = inner.replace(/^\/flower(?=\/)/, '');
    const methods = [route.method].flat();
    // A copy: several routes may have been given the same one.
    const config: FastifyContextConfig = (route.config = { ...route.config });
    config.isWebSocket = route.wsHandler !== undefined || route.websocket === true;
    const declared = config.access !== undefined;
    if (path === '/metrics') config.access = options.protectMetrics ? 'viewer' : 'public';
    config.access ??= PUBLIC.includes(path) ? 'public' : methods.every(isSafe) ? 'viewer' : 'admin';
    for (const method of methods) list.push({ method, url: route.url, access: config.access, declared });
  });
}

/** Every route of a built server, in the order of registration. */
export function routeAccessOf(app: FastifyInstance): readonly RouteAccess[] {
  return lists.get(app) ?? [];
}
