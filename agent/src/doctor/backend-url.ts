/** How two URLs of result backends differ; `place` may only be another name for the same machine. */
export type BackendDifference = 'kind' | 'place' | 'database';

interface BackendPlace {
  /** `redis`, `postgresql`, `rpc`, … */
  readonly kind: string;
  readonly tls: boolean;
  readonly hosts: readonly string[];
  readonly database: string;
}

const DEFAULT_PORTS: Readonly<Record<string, number>> = { redis: 6379, sentinel: 26379, postgresql: 5432 };
const KINDS: Readonly<Record<string, string>> = { rediss: 'redis', postgres: 'postgresql', 'redis+socket': 'socket' };

/**
 * What keeps the agent's result backend from being the one the workers write to; undefined where they agree, or where a
 * URL cannot be judged. Users and passwords are not compared: the workers tell theirs masked.
 */
export function backendDifference(own: string, theirs: string): BackendDifference | undefined {
  const [mine, other] = [placeOf(own), placeOf(theirs)];
  if (mine === undefined || other === undefined) return undefined;
  if (mine.kind !== other.kind) return 'kind';
  if (mine.database !== other.database) return 'database';
  return mine.tls === other.tls && mine.hosts.some((host) => other.hosts.includes(host)) ? undefined : 'place';
}

/** `redis://…;redis://…`, `db+postgresql+psycopg2://…`, `redis` alone. */
function placeOf(text: string): BackendPlace | undefined {
  const urls = text.split(';').filter((url) => url.trim() !== '');
  const [first = ''] = urls;
  const match = /^(?:(?:db|database)\+)?([a-z0-9]+(?:\+socket)?)(?:\+[a-z0-9_]+)?(?::\/\/(.*))?$/is.exec(first.trim());
  if (match === null) return undefined;
  const scheme = (match[1] ?? '').toLowerCase();
  const kind = KINDS[scheme] ?? scheme;
  const [beforeQuery = '', query = ''] = (match[2] ?? '').split('?');
  const slash = beforeQuery.indexOf('/');
  const path = slash < 0 ? '' : beforeQuery.slice(slash + 1);
  if (kind === 'socket') {
    const database = /(?:^|&)virtual_host=\/?([^&]*)/.exec(query)?.[1] ?? '0';
    return { kind: 'redis', tls: false, hosts: [path], database };
  }
  const number = /(?:^|&)(?:db|virtual_host)=\/?(\d+)/.exec(query)?.[1];
  const isRedis = kind === 'redis' || kind === 'sentinel';
  const database = isRedis ? (path === '' ? (number ?? '0') : path) : path;
  const hosts = urls.flatMap((url) => hostsOf(url, DEFAULT_PORTS[kind]));
  // One Redis may be reached by its address, by a socket and through Sentinel.
  return { kind: isRedis ? 'redis' : kind, tls: scheme === 'rediss', hosts, database: database.replace(/\/+$/, '') };
}

/** `host:port` of each; this machine's names are one. */
function hostsOf(url: string, port: number | undefined): string[] {
  const [authority = ''] = url.replace(/^[^/]*:\/\//, '').split(/[/?]/);
  const hosts = authority.slice(authority.lastIndexOf('@') + 1).toLowerCase();
  return hosts.split(',').map((one) => {
    const [, host = '', given] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(one) ?? [];
    const name = ['', 'localhost', '[::1]'].includes(host) ? '127.0.0.1' : host;
    return `${name}:${given ?? port ?? ''}`;
  });
}
