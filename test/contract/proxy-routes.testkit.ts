import { readFileSync } from 'node:fs';

/** A route of the data source's plugin.json: what Grafana's proxy asks of a user, and adds to a request. */
export interface ProxyRoute {
  readonly path: string;
  readonly method: string;
  readonly reqRole: string;
  readonly headers: readonly { readonly name: string; readonly content: string }[];
}

export function proxyRoutes(): readonly ProxyRoute[] {
  const text = readFileSync(new URL('../../plugin/src/datasource/plugin.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { readonly routes: readonly ProxyRoute[] }).routes;
}

/**
 * The route that Grafana's data source proxy takes: the first in the order of the file whose verb is equal and whose
 * path is a start of the request's, without regard to segments (pkg/api/pluginproxy/ds_proxy.go). Undefined: none, and
 * the request passes on without the token.
 */
export function routeFor(routes: readonly ProxyRoute[], method: string, path: string): ProxyRoute | undefined {
  const cleaned = clean(path);
  return routes.find((route) => route.method === method && cleaned.startsWith(route.path));
}

/** The role that the route lets a request act with. */
export function roleOf(route: ProxyRoute): string | undefined {
  return route.headers.find(({ name }) => name === 'X-Umbel-Role')?.content;
}

/** As Go's `path.Clean` does it: empty parts and `.` go, `..` takes the part before it. */
function clean(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts.join('/');
}
