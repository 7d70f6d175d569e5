import { BrokerUrlError, shown, splitHostPort, splitUrl } from './url-parts.ts';
import type { UrlParts } from './url-parts.ts';
import { UNVERIFIED_TLS, tlsFromQuery } from './url-tls.ts';
import type { TlsSettings } from './url-tls.ts';

export { BrokerUrlError } from './url-parts.ts';
export type { BrokerUrlPart } from './url-parts.ts';
export type { TlsSettings } from './url-tls.ts';

interface UrlHead {
  /** The URL without its password and its query, for logs and pages. */
  readonly displayUrl: string;
}

interface Credentials {
  readonly username?: string;
  readonly password?: string;
}

/** Redis by TCP, TLS, unix socket, or found through a sentinel. */
export interface RedisUrl extends UrlHead, Credentials {
  readonly transport: 'redis';
  readonly scheme: 'redis' | 'rediss' | 'redis+socket' | 'sentinel';
  /** Of the sentinel where the scheme is `sentinel`; empty for a unix socket. */
  readonly host: string;
  /** Default 6379, for a sentinel 26379; 0 for a unix socket. */
  readonly port: number;
  readonly socketPath?: string;
  readonly db: number;
  readonly tls?: TlsSettings;
}

/** RabbitMQ and other AMQP 0-9-1 brokers. */
export interface AmqpUrl extends UrlHead, Credentials {
  readonly transport: 'amqp';
  readonly scheme: 'amqp' | 'amqps';
  readonly host: string;
  /** Default 5672, with TLS 5671. */
  readonly port: number;
  readonly username: string;
  readonly password: string;
  readonly virtualHost: string;
  readonly tls?: TlsSettings;
}

/** The simulated cluster. */
export interface DemoUrl extends UrlHead {
  readonly transport: 'demo';
  readonly scheme: 'demo';
  readonly seed?: number;
  readonly tasksPerSecond?: number;
}

export type BrokerUrl = RedisUrl | AmqpUrl | DemoUrl;

/** kombu transports whose broker table says "Monitoring: no", or that have no way to reach every listener. */
const WITHOUT_EVENTS = (
  'sqs SQS sqla sqlalchemy kafka confluentkafka zookeeper consul etcd azurestoragequeues azureservicebus ' +
  'gcpubsub mongodb filesystem memory pyro slmq SLMQ pgmq qpid'
).split(' ');

/** Written often, but not kombu's names. */
const RENAMED: Readonly<Record<string, string>> = {
  valkey: 'redis',
  valkeys: 'rediss',
  socket: 'redis+socket',
  unix: 'redis+socket',
  'redis+sentinel': 'sentinel',
  rabbitmq: 'amqp',
};

/**
 * Reads a broker setting as Celery does: one URL or a `;` list of them to fail over to (kombu/utils/url.py,
 * kombu/connection.py). The whole list is of one transport.
 * @throws BrokerUrlError that names the part and the fix, never the password.
 */
export function parseBrokerUrls(text: string): BrokerUrl[] {
  const entries = text
    .split(';')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
  if (entries.length === 0) {
    throw new BrokerUrlError(1, 'url', 'it is empty', 'write it as redis://HOST:PORT/DB');
  }
  const urls = entries.map((entry, index) => parseOne(entry, index + 1));
  urls.forEach((url, index) => checkSameKind(urls, url, index, entries[index] ?? ''));
  return urls;
}

/** Several URLs as one text, passwords hidden. */
export function displayUrls(urls: readonly BrokerUrl[]): string {
  return urls.map((url) => url.displayUrl).join(';');
}

function checkSameKind(urls: readonly BrokerUrl[], url: BrokerUrl, index: number, entry: string): void {
  const first = urls[0];
  if (first === undefined) return;
  if (url.transport === first.transport && (url.scheme === 'sentinel') === (first.scheme === 'sentinel')) return;
  const problem = entry.includes('://')
    ? `${url.scheme}:// does not go together with ${first.scheme}://`
    : 'it has no scheme, which means amqp';
  throw new BrokerUrlError(index + 1, 'list', problem, `write every URL of the list in full, as ${first.scheme}://…`);
}

function parseOne(text: string, position: number): BrokerUrl {
  if (!text.includes('://')) return bareHost(text, position);
  const parts = splitUrl(text, position);
  switch (parts.scheme) {
    case 'redis':
    case 'rediss':
    case 'sentinel':
      return redisUrl(parts.scheme, parts, position);
    case 'redis+socket':
      return socketUrl(parts, position);
    case 'amqp':
    case 'amqps':
    case 'pyamqp':
    case 'librabbitmq':
      return amqpUrl(parts.scheme === 'amqps' ? 'amqps' : 'amqp', parts, position);
    case 'demo':
      return demoUrl(parts, position);
    default:
      return refuseScheme(parts.scheme, position);
  }
}

function refuseScheme(scheme: string, position: number): never {
  const renamed = Object.hasOwn(RENAMED, scheme) ? RENAMED[scheme] : undefined;
  if (renamed !== undefined) {
    throw new BrokerUrlError(position, 'scheme', `Celery knows no ${scheme}://`, `write ${renamed}:// instead`);
  }
  const base = scheme.split('+')[0] ?? scheme;
  if (WITHOUT_EVENTS.includes(base)) {
    const problem = `Celery sends no events over ${base}, so there is nothing to listen to`;
    throw new BrokerUrlError(position, 'scheme', problem, 'use Redis or RabbitMQ as the broker');
  }
  const fix = 'use redis://, rediss://, redis+socket://, sentinel://, amqp://, amqps:// or demo://';
  throw new BrokerUrlError(position, 'scheme', `${scheme}:// is not known`, fix);
}

function bareHost(text: string, position: number): AmqpUrl {
  const { host, port } = splitHostPort(text, position);
  if (/[/?@&=\s]/.test(host)) {
    throw new BrokerUrlError(position, 'scheme', 'there is none', 'write amqp:// or redis:// in front');
  }
  if (port === 6379 || port === 26379) {
    const fix = `write ${port === 6379 ? 'redis' : 'sentinel'}://${host}:${port}/0`;
    throw new BrokerUrlError(position, 'scheme', 'there is none, which means amqp, but the port is that of Redis', fix);
  }
  return amqpUrl(
    'amqp',
    { scheme: 'amqp', host, ...(port !== undefined && { port }), path: '', query: new Map() },
    position,
  );
}

function redisUrl(scheme: 'redis' | 'rediss' | 'sentinel', parts: UrlParts, position: number): RedisUrl {
  refuseUnknownKeys(parts, position, ['connect_timeout', 'heartbeat']);
  const host = parts.host === '' ? '127.0.0.1' : parts.host;
  const port = parts.port ?? (scheme === 'sentinel' ? 26379 : 6379);
  const db = databaseNumber(parts.path, position, 'path', `${scheme}://${host}:${port}/0`);
  const tls = tlsFromQuery(parts.query, position) ?? (scheme === 'rediss' ? UNVERIFIED_TLS : undefined);
  return {
    transport: 'redis',
    scheme,
    ...credentials(parts),
    host,
    port,
    db,
    ...(tls !== undefined && { tls }),
    displayUrl: `${scheme}://${shownCredentials(parts)}${shownHost(host)}:${port}/${db}`,
  };
}

function socketUrl(parts: UrlParts, position: number): RedisUrl {
  refuseUnknownKeys(parts, position, ['virtual_host']);
  if (parts.host !== '' || parts.path === '') {
    const fix = 'write three slashes and the whole path, as redis+socket:///run/redis.sock?virtual_host=0';
    throw new BrokerUrlError(position, 'path', 'it is not the absolute path of a socket', fix);
  }
  const socketPath = `/${parts.path.replace(/^\/+/, '')}`;
  const db = databaseNumber(parts.query.get('virtual_host') ?? '', position, 'query', 'virtual_host=0');
  return {
    transport: 'redis',
    scheme: 'redis+socket',
    ...credentials(parts),
    host: '',
    port: 0,
    socketPath,
    db,
    displayUrl: `redis+socket://${shownCredentials(parts)}${socketPath}?virtual_host=${db}`,
  };
}

function databaseNumber(text: string, position: number, part: 'path' | 'query', example: string): number {
  const digits = text.startsWith('/') ? text.slice(1) : text;
  if (digits === '') return 0;
  if (!/^\d{1,9}$/.test(digits)) {
    throw new BrokerUrlError(
      position,
      part,
      `the database "${shown(digits)}" is not a number`,
      `write it as ${example}`,
    );
  }
  return Number(digits);
}

function amqpUrl(scheme: 'amqp' | 'amqps', parts: UrlParts, position: number): AmqpUrl {
  refuseUnknownKeys(parts, position, ['connect_timeout', 'heartbeat', 'login_method']);
  const host = parts.host === '' ? '127.0.0.1' : parts.host;
  const port = parts.port ?? (scheme === 'amqps' ? 5671 : 5672);
  const virtualHost = parts.path === '' ? '/' : parts.path;
  const tls = tlsFromQuery(parts.query, position) ?? (scheme === 'amqps' ? UNVERIFIED_TLS : undefined);
  return {
    transport: 'amqp',
    scheme,
    username: parts.username ?? 'guest',
    password: parts.password ?? 'guest',
    host,
    port,
    virtualHost,
    ...(tls !== undefined && { tls }),
    displayUrl: `${scheme}://${shownCredentials(parts)}${shownHost(host)}:${port}/${encodeURIComponent(virtualHost)}`,
  };
}

function demoUrl(parts: UrlParts, position: number): DemoUrl {
  refuseUnknownKeys(parts, position, ['seed', 'tasks_per_second']);
  const number = (key: string): number | undefined => {
    const text = parts.query.get(key);
    if (text === undefined) return undefined;
    const value = Number(text);
    if (text !== '' && Number.isFinite(value) && value >= 0) return value;
    throw new BrokerUrlError(position, 'query', `${key} is "${shown(text)}"`, `write a number, as in demo://?${key}=5`);
  };
  const seed = number('seed');
  const tasksPerSecond = number('tasks_per_second');
  return {
    transport: 'demo',
    scheme: 'demo',
    ...(seed !== undefined && { seed }),
    ...(tasksPerSecond !== undefined && { tasksPerSecond }),
    displayUrl: 'demo://',
  };
}

/** kombu raises a TypeError for these: a typo must not be swallowed. */
function refuseUnknownKeys(parts: UrlParts, position: number, allowed: readonly string[]): void {
  const tlsAllowed = parts.scheme !== 'demo' && parts.scheme !== 'redis+socket';
  for (const key of parts.query.keys()) {
    if (allowed.includes(key) || (tlsAllowed && key.startsWith('ssl_'))) continue;
    const known = [...allowed, ...(tlsAllowed ? ['ssl_…'] : [])].join(', ');
    throw new BrokerUrlError(
      position,
      'query',
      `${parts.scheme}:// has no option "${shown(key)}"`,
      `remove it or use one of ${known}`,
    );
  }
}

function credentials(parts: UrlParts): Credentials {
  return {
    ...(parts.username !== undefined && { username: parts.username }),
    ...(parts.password !== undefined && { password: parts.password }),
  };
}

function shownCredentials({ username, password }: Credentials): string {
  if (username === undefined && password === undefined) return '';
  return `${encodeURIComponent(username ?? '')}${password === undefined ? '' : ':**'}@`;
}

function shownHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
