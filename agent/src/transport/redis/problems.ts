import { RedisReplyError } from './resp-reader.ts';
import { PlainProblem } from '../plain-problem.ts';
import { describeTls } from '../tls-problems.ts';
import { TlsFileError } from './tls.ts';

/** What was tried when it failed. */
export interface Attempt {
  /** `host:port` or the socket's path. */
  readonly where: string;
  readonly encrypted: boolean;
  readonly username?: string;
  readonly hasPassword: boolean;
  readonly db: number;
}

/** Says in one sentence what keeps the agent from listening to Redis and what to do about it. Never holds a password. */
export function describeProblem(error: unknown, attempt: Attempt): string {
  if (error instanceof PlainProblem) return error.message;
  if (error instanceof TlsFileError)
    return `The file ${error.path} (${error.setting}) cannot be read: check its path and rights.`;
  if (error instanceof RedisReplyError) return describeReply(error, attempt);
  const code = errorCode(error);
  return describeNetwork(code, attempt) ?? describeTlsOf(code, attempt) ?? describeRest(error, code, attempt);
}

/** Node's error code, e.g. `ECONNREFUSED`; empty where there is none. Of several tried addresses, the first's. */
export function errorCode(error: unknown): string {
  if (typeof error !== 'object' || error === null) return '';
  if ('errors' in error && Array.isArray(error.errors)) return errorCode(error.errors[0]);
  return 'code' in error && typeof error.code === 'string' ? error.code : '';
}

function describeReply(error: RedisReplyError, { where, username, hasPassword, db }: Attempt): string {
  const user = `user "${username ?? 'default'}"`;
  switch (error.code) {
    case 'NOAUTH':
      return `Redis at ${where} wants a password: put it into the broker URL, as redis://:PASSWORD@HOST.`;
    case 'WRONGPASS':
      return `Redis at ${where} refuses ${user} with this password: check the credentials in the broker URL.`;
    case 'NOPERM':
      return `Redis at ${where} lacks a permission for ${user}: ${error.message.slice(0, 200)}.`;
    case 'DENIED':
      return `Redis at ${where} runs in protected mode and takes local connections only: set a password or bind address.`;
    case 'LOADING':
      return `Redis at ${where} is still loading its data: it will be tried again.`;
    default:
  }
  if (/DB index/i.test(error.message)) {
    return `Redis at ${where} has no database ${db}: check the number at the end of the broker URL.`;
  }
  if (/invalid password/i.test(error.message) && hasPassword) {
    return `Redis at ${where} refuses the password of ${user}: check the credentials in the broker URL.`;
  }
  if (/max number of clients/i.test(error.message)) {
    return `Redis at ${where} takes no more clients: raise its maxclients or close other connections.`;
  }
  return `Redis at ${where} answers "${error.message.slice(0, 200)}".`;
}

function describeNetwork(code: string, { where, encrypted }: Attempt): string | undefined {
  switch (code) {
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `The host of ${where} is not known (${code}): check the broker URL's host and the name service.`;
    case 'ECONNREFUSED':
      return `Nothing listens on ${where} (${code}): check host and port of the broker URL and whether Redis runs.`;
    case 'ETIMEDOUT':
      if (encrypted) return `${where} does not answer (${code}): check host and port, and whether it speaks TLS there.`;
      return `${where} does not answer (${code}): check host and port of the broker URL, the network and firewalls.`;
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return `There is no way to ${where} (${code}): check the broker URL's host and the network.`;
    case 'ENOENT':
      return `There is no socket ${where} (${code}): check the path in the broker URL and whether Redis runs.`;
    case 'EACCES':
      return `The socket ${where} may not be opened (${code}): check its rights (unixsocketperm).`;
    default:
      return undefined;
  }
}

const SCHEMES = { plain: 'redis', encrypted: 'rediss' };

function describeTlsOf(code: string, { where, encrypted }: Attempt): string | undefined {
  return encrypted ? describeTls(code, where, SCHEMES) : undefined;
}

function describeRest(error: unknown, code: string, { where, encrypted }: Attempt): string {
  const text = error instanceof Error ? error.message : String(error);
  if (text.includes('not the Redis protocol')) {
    return `${where} answers, but not as Redis does: check host and port of the broker URL.`;
  }
  if (code === 'ECONNRESET' || code === 'EPIPE' || text === 'connection closed') {
    const advice = encrypted
      ? 'is it a TLS port, and does it ask for a client certificate?'
      : 'is it a TLS port (rediss://)?';
    return `${where} closes the connection at once: ${advice}`;
  }
  return `Redis at ${where} cannot be used: ${text.slice(0, 200)}.`;
}
