import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { basename, dirname, extname, join, normalize } from 'node:path';
import { closeAtEnd } from '../support/cleanup.ts';
import { ROOT } from '../support/paths.ts';
import { freePort } from '../support/ports.ts';
import { type GrafanaUser, IdentitySigner } from './identity.ts';
import { proxy, type ProxyTarget, readRoutes } from './proxy.ts';

export const SOURCE_UID = 'umbel';
export const APP_ID = 'umbel-celery-app';
const PROXY = `/api/datasources/proxy/uid/${SOURCE_UID}/`;
const PLUGINS = '/public/plugins/';
const TYPES: Readonly<Record<string, string>> = {
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.html': 'text/html',
};

/** Users of the stand-in; a cookie `user` says who it is. */
export const USERS: Readonly<Record<string, GrafanaUser>> = {
  vera: { login: 'vera', role: 'Viewer' },
  edgar: { login: 'edgar', role: 'Editor' },
  ada: { login: 'ada', role: 'Admin' },
};

export interface GrafanaStandIn {
  readonly url: string;
  /** What is behind the data source; set once the agent is up. */
  target: ProxyTarget;
}

/**
 * What the plugin meets of Grafana's server: its own files, the proxy of one data source, the keys of the signed
 * identities. @param bundle the page's JavaScript (see build-page.ts)
 */
export async function startGrafanaStandIn(bundle: string): Promise<GrafanaStandIn> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const state = { url, target: { url: 'http://127.0.0.1:9', token: '' } };
  const signer = new IdentitySigner();
  const routes = readRoutes();
  const folders = pluginFolders(join(ROOT, 'plugin/dist'));
  const server = createServer((incoming, answer) => {
    const path = incoming.url ?? '/';
    const user = userOf(incoming);
    if (path.startsWith(PROXY)) {
      if (user === undefined) answer.writeHead(401).end('{"message":"Unauthorized"}');
      else {
        const identity = signer.token(user, url, Date.now());
        proxy(incoming, answer, { routes, target: state.target, user, path: path.slice(PROXY.length), identity });
      }
    } else if (path === '/api/signing-keys/keys') send(answer, '.json', JSON.stringify(signer.jwks()));
    else if (path.startsWith(PLUGINS)) sendPluginFile(answer, folders, path.slice(PLUGINS.length));
    else if (path === '/page.js') send(answer, '.js', bundle);
    else if (path.endsWith('.svg')) send(answer, '.svg', '<svg xmlns="http://www.w3.org/2000/svg"></svg>');
    else if (path.startsWith('/api/') || path.startsWith('/public/')) send(answer, '.json', '{}');
    else send(answer, '.html', page(user));
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  closeAtEnd({
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  });
  return state;
}

function userOf({ headers }: IncomingMessage): GrafanaUser | undefined {
  return USERS[/(?:^|;\s*)user=(\w+)/.exec(headers.cookie ?? '')?.[1] ?? ''];
}

function send(answer: ServerResponse, extension: string, body: string | Buffer): void {
  answer.writeHead(200, { 'content-type': TYPES[extension] ?? 'application/octet-stream' }).end(body);
}

/** Every plugin by its id: as Grafana serves them, a nested one below its own, without the files of the app. */
function pluginFolders(dist: string): ReadonlyMap<string, string> {
  const paths = readdirSync(dist, { recursive: true, encoding: 'utf8' });
  const folders = paths.filter((path) => basename(path) === 'plugin.json').map((path) => join(dist, dirname(path)));
  return new Map(
    folders.map((folder) => [
      (JSON.parse(readFileSync(join(folder, 'plugin.json'), 'utf8')) as { id: string }).id,
      folder,
    ]),
  );
}

/** @param path `<id>/<path in the plugin's folder>` */
function sendPluginFile(answer: ServerResponse, folders: ReadonlyMap<string, string>, path: string): void {
  const [id = '', ...rest] = normalize(path.split('?')[0] ?? '').split('/');
  const file = join(folders.get(id) ?? '/nowhere', ...rest);
  if (existsSync(file)) send(answer, extname(file), readFileSync(file));
  else answer.writeHead(404).end();
}

/** `grafanaBootData` must be there before `@grafana/runtime` is evaluated. */
function page(user: GrafanaUser | undefined): string {
  const bootData = {
    user: { ...user, orgRole: user?.role ?? '', isSignedIn: user !== undefined, orgId: 1, id: 1, theme: 'dark' },
    settings: {
      ...{ appSubUrl: '', buildInfo: { version: '12.4.0' }, featureToggles: {}, datasources: {}, panels: {}, apps: {} },
      ...{ unifiedAlerting: {}, auth: {}, bootData: {} },
    },
    navTree: [],
  };
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Plugin host</title>
<style>html, body, #root { margin: 0; height: 100%; font-family: sans-serif }</style>
<script>window.grafanaBootData = ${JSON.stringify(bootData)}; window.__grafana_public_path__ = '/public/';</script></head>
<body><div id="root"></div><script src="/page.js"></script></body></html>`;
}
