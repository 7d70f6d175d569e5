import type { Clock } from '../lib/clock.ts';
import { DatabaseResultBackend } from './database.ts';
import type { ResultBackend } from './port.ts';
import { RedisResultBackend } from './redis.ts';
import type { RedisAddress } from './redis.ts';

export interface ResultBackendDeps {
  readonly clock: Clock;
  /** Reads `redis://`, `rediss://`, `redis+socket://` and `;` lists of `sentinel://`. @throws Error that names the fix */
  readonly parseRedis: (urls: string) => readonly RedisAddress[];
  /** `result_backend_transport_options` of the same names. */
  readonly keyPrefix?: string;
  readonly masterName?: string;
  readonly sentinelUsername?: string;
  readonly sentinelPassword?: string;
  readonly table?: string;
  readonly schema?: string;
}

/** A result backend that cannot be read: what it is, and what to do, as a sentence. */
export interface UnreadableBackend {
  readonly unreadable: string;
}

/** Why a kind of backend cannot be read (celery/app/backends.py `BACKEND_ALIASES`). */
const UNREADABLE: Readonly<Record<string, string>> = {
  rpc: 'rpc:// sends a result to the one who asked for it and keeps none',
  amqp: 'amqp:// was removed from Celery 5, and kept results in queues that only one can read',
  disabled: 'disabled:// keeps no results',
  cache: 'cache+memcached:// is not read',
  'django-db': "django-db keeps results in a table of django-celery-results' own, which is not read",
  'django-cache': "django-cache keeps results in Django's cache, which is not read",
};
const FIX = 'give the app result_backend = redis://… or db+postgresql://…, or leave --result-backend out';

/**
 * Opens Celery's result backend by its URL (celery/app/backends.py `by_url`). Does not connect yet: it does when it is
 * first asked, so one that is away keeps nothing from starting.
 * @throws Error where the URL of a readable kind is wrong; it names the fix
 */
export function openResultBackend(url: string, deps: ResultBackendDeps): ResultBackend | UnreadableBackend {
  const given = url.trim();
  const kind = (/^([A-Za-z][A-Za-z0-9.-]*)(?=\+|:)/.exec(given)?.[1] ?? given).toLowerCase();
  if (/^(redis|rediss|sentinel|socket)$/.test(kind) && given.includes('://')) return redisBackend(given, deps);
  if (kind === 'db' || kind === 'database') return databaseBackend(given, deps);
  if (kind === 'postgresql' || kind === 'postgres') {
    return { unreadable: `${kind}:// is no result backend of Celery's: write db+postgresql://…, as in the app` };
  }
  const known = Object.hasOwn(UNREADABLE, kind) ? UNREADABLE[kind] : undefined;
  const name = /^[a-z0-9.-]{1,40}$/.test(kind) ? `${kind}://` : 'this kind of result backend';
  return { unreadable: `${known ?? `${name} is not read`}; ${FIX}` };
}

export function isUnreadable(opened: object): opened is UnreadableBackend {
  return 'unreadable' in opened;
}

function redisBackend(url: string, deps: ResultBackendDeps): ResultBackend {
  const { clock, keyPrefix, masterName, sentinelUsername, sentinelPassword } = deps;
  const urls = url
    .split(';')
    .map((one) => forParser(one.trim()))
    .filter((one) => one !== '');
  const [first, ...others] = deps.parseRedis(urls.join(';'));
  if (first === undefined) throw new Error('--result-backend: the URL is empty');
  if (first.scheme === 'sentinel' && masterName === undefined) {
    throw new Error(
      '--result-backend: sentinel:// needs the name of the master; give --result-backend-transport-options \'{"master_name": "…"}\'',
    );
  }
  return new RedisResultBackend({
    addresses: first.scheme === 'sentinel' ? [first, ...others] : [first],
    clock,
    ...(keyPrefix !== undefined && { keyPrefix }),
    ...(masterName !== undefined && { masterName }),
    ...(sentinelUsername !== undefined && { sentinelUsername }),
    ...(sentinelPassword !== undefined && { sentinelPassword }),
  });
}

/** As the broker's URLs are read: `socket://` has another name there, and options of redis-py's own have no meaning. */
function forParser(url: string): string {
  const named = url.replace(/^socket:/, 'redis+socket:');
  const mark = named.indexOf('?');
  if (mark < 0) return named;
  const [head, query] = [named.slice(0, mark), new URLSearchParams(named.slice(mark + 1))];
  const isSocket = named.startsWith('redis+socket:');
  const db = query.get('virtual_host');
  for (const key of [...query.keys()]) {
    if (isSocket ? key !== 'virtual_host' : !key.startsWith('ssl_')) query.delete(key);
  }
  const base =
    !isSocket && db !== null && /^[^/]+:\/\/[^/]*\/?$/.test(head) ? `${head.replace(/\/$/, '')}/${db}` : head;
  return query.size === 0 ? base : `${base}?${query.toString()}`;
}

/**
 * Where a database backend lies: `db+DIALECT+DRIVER://…` of SQLAlchemy; every driver of Postgres means the same server.
 */
export function databaseAddress(
  url: string,
): { readonly connectionString: string; readonly displayUrl: string } | UnreadableBackend {
  const match = /^(?:db|database)\+([a-z0-9_]+)(?:\+[a-z0-9_]+)?:(\/\/.*)$/is.exec(url.trim());
  const [, dialect = '', rest = ''] = match ?? [];
  if (!/^postgres(ql)?$/i.test(dialect)) {
    const name = dialect === '' ? 'a database URL without db+DIALECT:// in front' : `db+${dialect.toLowerCase()}://`;
    return { unreadable: `${name} is not read, of databases only Postgres is; ${FIX}` };
  }
  return {
    connectionString: `postgresql:${withoutDriverOptions(rest)}`,
    displayUrl: `db+postgresql:${hidden(rest)}`,
  };
}

function databaseBackend(url: string, { clock, table, schema }: ResultBackendDeps): ResultBackend | UnreadableBackend {
  const address = databaseAddress(url);
  if (isUnreadable(address)) return address;
  return new DatabaseResultBackend({
    ...address,
    clock,
    ...(table !== undefined && { table }),
    ...(schema !== undefined && { schema }),
  });
}

const KEPT = /^(host|port|user|password|dbname|sslmode|sslcert|sslkey|sslrootcert|options)=/;

function withoutDriverOptions(rest: string): string {
  const mark = rest.indexOf('?');
  if (mark < 0) return rest;
  const kept = rest
    .slice(mark + 1)
    .split('&')
    .filter((pair) => KEPT.test(pair));
  return kept.length === 0 ? rest.slice(0, mark) : `${rest.slice(0, mark)}?${kept.join('&')}`;
}

function hidden(rest: string): string {
  const [head = ''] = rest.split('?');
  return head.replace(/^\/\/([^@/:]*)(:.*)?@/, (_, user: string, password?: string) =>
    password === undefined ? `//${user}@` : `//${user}:**@`,
  );
}
