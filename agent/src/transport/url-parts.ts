/** The place in a broker URL that a complaint is about. */
export type BrokerUrlPart = 'url' | 'scheme' | 'credentials' | 'host' | 'port' | 'path' | 'query' | 'list';

/** A broker URL that cannot be used: which part, what is wrong and what to write instead. Never holds a password. */
export class BrokerUrlError extends Error {
  override readonly name = 'BrokerUrlError';
  readonly part: BrokerUrlPart;
  readonly problem: string;
  /** What to write instead, as a clause that starts with a verb. */
  readonly fix: string;
  /** Place in the `;` list, counted from 1. */
  readonly position: number;

  constructor(position: number, part: BrokerUrlPart, problem: string, fix: string) {
    super(`broker URL${position > 1 ? ` ${position} of the list` : ''}, ${part}: ${problem}; ${fix}`);
    this.position = position;
    this.part = part;
    this.problem = problem;
    this.fix = fix;
  }
}

/** As much of a text as an error may repeat: a sign that does not belong may begin what was meant as a password's option. */
export function shown(text: string): string {
  return text.replace(/[^\w.:/+-].*$/s, '…');
}

/** A URL cut in its pieces, percent-decoded (kombu/utils/url.py `url_to_parts`). */
export interface UrlParts {
  readonly scheme: string;
  readonly username?: string;
  readonly password?: string;
  /** Lower case, without brackets; empty where the URL names none. */
  readonly host: string;
  readonly port?: number;
  /** Without its first slash. */
  readonly path: string;
  readonly query: ReadonlyMap<string, string>;
}

const SCHEME = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//;

/**
 * Cuts a URL as kombu does, except that forms on which kombu itself stumbles are refused with a reason.
 * @throws BrokerUrlError
 */
export function splitUrl(text: string, position: number): UrlParts {
  const scheme = SCHEME.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined) {
    throw new BrokerUrlError(position, 'scheme', 'there is none', 'write it as redis://HOST:PORT/DB');
  }
  const rest = text.slice(scheme.length + 3);
  if (rest.includes('#')) {
    throw new BrokerUrlError(position, 'credentials', 'a raw # ends the URL', 'write # as %23');
  }
  const authorityEnd = rest.search(/[/?]|$/);
  const authority = rest.slice(0, authorityEnd);
  const tail = rest.slice(authorityEnd);
  const queryStart = tail.indexOf('?');
  const path = queryStart === -1 ? tail : tail.slice(0, queryStart);
  const query = queryStart === -1 ? '' : tail.slice(queryStart + 1);
  const mayHoldAt = scheme === 'redis+socket' || (scheme.includes('amqp') && authority.includes('@'));
  if (query.includes('@') || (path.includes('@') && !mayHoldAt)) {
    const problem = 'there is a raw / or ? in front of an @';
    throw new BrokerUrlError(position, 'credentials', problem, 'write / as %2F, ? as %3F and @ as %40');
  }
  if (/&\w+=/.test(authority.slice(authority.lastIndexOf('@') + 1) + path)) {
    const fix = 'write ? in front of the first option, and & as %26 anywhere else';
    throw new BrokerUrlError(position, 'query', 'there is no ? in front of its options', fix);
  }
  return {
    scheme,
    ...splitAuthority(authority, position),
    path: unquote(path.startsWith('/') ? path.slice(1) : path),
    query: new Map(new URLSearchParams(query)),
  };
}

function splitAuthority(
  authority: string,
  position: number,
): Pick<UrlParts, 'username' | 'password' | 'host' | 'port'> {
  const at = authority.lastIndexOf('@');
  const userinfo = at === -1 ? '' : authority.slice(0, at);
  const colon = userinfo.indexOf(':');
  const username = unquote(colon === -1 ? userinfo : userinfo.slice(0, colon));
  const password = colon === -1 ? '' : unquote(userinfo.slice(colon + 1));
  return {
    ...(username !== '' && { username }),
    ...(password !== '' && { password }),
    ...splitHostPort(authority.slice(at + 1), position),
  };
}

/**
 * `host`, `host:port`, `[v6]:port`; no port where it is left out, empty or 0.
 * @throws BrokerUrlError
 */
export function splitHostPort(text: string, position: number): { host: string; port?: number } {
  const match = /^\[([^\]]*)\](?::(.*))?$/.exec(text) ?? /^([^:]*)(?::(.*))?$/.exec(text);
  const host = unquote(match?.[1] ?? '').toLowerCase();
  const portText = match?.[2] ?? '';
  if (portText === '') return { host };
  const port = /^\d{1,5}$/.test(portText) ? Number(portText) : Number.NaN;
  if (!(port <= 65535)) {
    // The text is not repeated: with a raw slash in a password it would be a piece of the password.
    const fix = portText.includes(':')
      ? 'put an IPv6 address in brackets, as in redis://[::1]:6379/0'
      : 'write a number from 1 to 65535; a raw / : @ # in a password must be percent-encoded';
    throw new BrokerUrlError(position, 'port', 'it is not a port number', fix);
  }
  return port === 0 ? { host } : { host, port };
}

/** Python's `urllib.parse.unquote`: broken escapes stay as they are, broken UTF-8 becomes U+FFFD. */
export function unquote(text: string): string {
  return text.replace(/(?:%[0-9A-Fa-f]{2})+/g, (run) => Buffer.from(run.replaceAll('%', ''), 'hex').toString('utf8'));
}
