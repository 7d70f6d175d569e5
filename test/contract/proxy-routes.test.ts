import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import { routeAccessOf } from '../../agent/src/http/access/routes.ts';
import { buildServer } from '../../agent/src/http/server.ts';
import { testDeps } from '../../agent/src/http/testing/deps.testkit.ts';
import { proxyRoutes, roleOf, routeFor } from './proxy-routes.testkit.ts';

const routes = proxyRoutes();
const RANKS: Readonly<Record<string, number>> = { public: 0, viewer: 0, editor: 1, admin: 2 };

let app: FastifyInstance;
beforeAll(async () => {
  app = await buildServer(testDeps());
});
afterAll(() => app.close());

/** What Grafana's data source reaches, or would if it were given a route. */
function reachable(): { method: string; path: string; access: string }[] {
  return routeAccessOf(app)
    .filter(({ method, url }) => url.startsWith('/api/v1/') && !['HEAD', 'OPTIONS'].includes(method))
    .map(({ method, url, access }) => ({ method, access, path: url.slice(1).replace(/:(\w+)/g, 'x') }));
}

/** Routes of one worker: the plugin names workers in the body of `workers/actions/…`, where an editor's have their own. */
const isOfOneWorker = (path: string): boolean => path.startsWith('api/v1/workers/x/actions/');

/** Falls below what viewers read, so through Grafana the agent refuses it: `plans/retry/…` stands in for it. */
const isStoodInFor = (path: string): boolean => path === 'api/v1/tasks/x/retry';

describe('the routes of the data source', () => {
  it('let every route of the agent be used by the role that the agent asks for, and no lower one', () => {
    const asked = reachable().filter(({ method, path }) => !(method === 'GET' && isStoodInFor(path)));
    const wrong = asked.flatMap(({ method, path, access }) => {
      const route = routeFor(routes, method, path);
      const role = route === undefined ? 'none' : String(roleOf(route));
      const fits = isOfOneWorker(path) ? (RANKS[role] ?? -1) >= (RANKS[access] ?? 0) : RANKS[role] === RANKS[access];
      return fits ? [] : [`${method} ${path} needs ${access}, the proxy gives ${role}`];
    });
    expect(wrong).toEqual([]);
    expect(asked.length).toBeGreaterThan(60);
  });

  it('ask of the user the very role that they let him act with, with the token in a header of the route alone', () => {
    for (const route of routes) {
      expect([route.path, route.reqRole.toLowerCase()]).toEqual([route.path, roleOf(route)]);
      expect(route.headers).toContainEqual({ name: 'Authorization', content: 'Bearer {{ .SecureJsonData.token }}' });
      expect(route.method).toMatch(/^(GET|POST|DELETE)$/);
    }
  });

  it.each([
    ['DELETE', 'api/v1/tasks/x/revoke'],
    ['POST', 'api/v1/%77orkers/actions/shutdown'],
    ['POST', 'api/worker/shutdown/x'],
    ['GET', 'api/tasks'],
    ['POST', 'v1/tasks/bulk'],
  ])('have none for %s %s, so that it goes without the token', (method, path) => {
    expect(routeFor(routes, method, path)).toBeUndefined();
  });

  it('take a path as Grafana cleans it', () => {
    expect(routeFor(routes, 'POST', '//api/v1/x/../workers/actions/shutdown')?.reqRole).toBe('Admin');
  });
});
