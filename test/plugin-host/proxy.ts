import { readFileSync } from 'node:fs';
import { type IncomingMessage, request, type ServerResponse } from 'node:http';
import { join, posix } from 'node:path';
import { ROOT } from '../support/paths.ts';
import type { GrafanaUser } from './identity.ts';

interface Route {
  readonly path: string;
  readonly method?: string;
  readonly reqRole?: GrafanaUser['role'];
  readonly headers?: readonly { readonly name: string; readonly content: string }[];
}

const RANK: Readonly<Record<GrafanaUser['role'], number>> = { Viewer: 0, Editor: 1, Admin: 2 };
/** Grafana's own, and what it never passes on (pkg/util/proxyutil). */
const DROPPED = /^(authorization|cookie|origin|referer|host|connection|x-grafana-.*|x-forwarded-(host|port|proto))$/i;
const AUTH_FAILED = 'Authentication to data source failed';

/** What the data source of the test is set to. */
export interface ProxyTarget {
  readonly url: string;
  readonly token: string;
}

/** Routes of the built data source plugin, in file order. */
export function readRoutes(): readonly Route[] {
  const path = join(ROOT, 'plugin/dist/datasource/plugin.json');
  return (JSON.parse(readFileSync(path, 'utf8')) as { routes: Route[] }).routes;
}

/**
 * The first route whose verb is equal and whose path is a prefix of the cleaned request path; as in Grafana 12.4
 * (pkg/api/pluginproxy/ds_proxy.go) there is no border of segments, and percent signs are not decoded.
 */
function matchRoute(routes: readonly Route[], method: string, path: string): Route | undefined {
  const cleaned = posix.normalize(`/${path}`).slice(1);
  return routes.find((route) =>
    (route.method ?? '*') === '*' || route.method === method ? cleaned.startsWith(route.path) : false,
  );
}

/**
 * Grafana's data source proxy, as far as an agent can tell: without a matching route the request goes on, without the
 * route's headers; a 401 of the agent becomes a 400.
 *
 * @param path below the data source, with the query, as the browser sent it
 * @param identity the signed `X-Grafana-Id`
 */
export function proxy(
  incoming: IncomingMessage,
  answer: ServerResponse,
  {
    routes,
    target,
    user,
    path,
    identity,
  }: { routes: readonly Route[]; target: ProxyTarget; user: GrafanaUser; path: string; identity: string },
): void {
  const method = incoming.method ?? 'GET';
  const [pathname = ''] = path.split('?');
  const route = matchRoute(routes, method, pathname);
  if (route?.reqRole !== undefined && RANK[user.role] < RANK[route.reqRole]) {
    answer.writeHead(403, { 'content-type': 'application/json' }).end('{"message":"plugin proxy route access denied"}');
    return;
  }
  const upstream = request(`${target.url}/${path}`, { method, headers: headersFor(incoming, route, target, identity) });
  upstream.on('response', (response) => {
    if (response.statusCode === 401) {
      response.resume();
      answer.writeHead(400, { 'content-type': 'text/plain' }).end(AUTH_FAILED);
      return;
    }
    answer.writeHead(response.statusCode ?? 502, response.headers);
    response.pipe(answer);
  });
  upstream.on('error', () => {
    if (!answer.headersSent) answer.writeHead(502);
    answer.end();
  });
  answer.on('close', () => upstream.destroy());
  incoming.pipe(upstream);
}

function headersFor(
  incoming: IncomingMessage,
  route: Route | undefined,
  target: ProxyTarget,
  identity: string,
): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(incoming.headers))
    if (value !== undefined && !DROPPED.test(name) && name !== 'x-ds-authorization') headers[name] = value;
  const own = incoming.headers['x-ds-authorization'];
  if (typeof own === 'string') headers['authorization'] = own;
  for (const { name, content } of route?.headers ?? [])
    headers[name.toLowerCase()] = content.replace('{{ .SecureJsonData.token }}', target.token);
  return { ...headers, 'x-grafana-id': identity };
}
