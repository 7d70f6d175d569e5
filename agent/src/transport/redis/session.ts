import type { TlsSettings } from '../url-tls.ts';
import type { EventPattern } from './channels.ts';
import { PlainProblem } from '../plain-problem.ts';
import type { Attempt } from './problems.ts';
import { RedisReplyError } from './resp-reader.ts';
import { RedisSocket, type RedisSocketOptions } from './socket.ts';
import { tlsOptions } from './tls.ts';

/** A Redis server and how to be let in. */
export interface RedisTarget {
  readonly host: string;
  readonly port: number;
  readonly socketPath?: string;
  readonly username?: string;
  readonly password?: string;
  readonly db: number;
  readonly tls?: TlsSettings;
}

export interface ConnectDeps extends Pick<RedisSocketOptions, 'clock' | 'connectTimeoutMs' | 'onRun' | 'onUnasked'> {
  readonly signal: AbortSignal;
}

/** What is remembered of a server, to tell afterwards why a connection was lost. */
export interface ServerFacts {
  readonly runId?: string;
  /** `client_output_buffer_limit_disconnections` (Redis 7). */
  readonly outputLimitKills?: number;
  /** Times that CLIENT KILL was called (Redis 7). */
  readonly clientKills?: number;
}

/**
 * Connects, and proves who it is (redis-py `on_connect`). The connection ends with `deps.signal`.
 * @throws RedisReplyError, TlsFileError or Node's error
 */
export async function connect(target: RedisTarget, deps: ConnectDeps): Promise<RedisSocket> {
  const tls = target.tls === undefined ? undefined : await tlsOptions(target.tls, target.host);
  deps.signal.throwIfAborted();
  const socket = new RedisSocket({
    address: {
      host: target.host,
      port: target.port,
      ...(target.socketPath !== undefined && { socketPath: target.socketPath }),
      ...(tls !== undefined && { tls }),
    },
    clock: deps.clock,
    connectTimeoutMs: deps.connectTimeoutMs,
    ...(deps.onRun !== undefined && { onRun: deps.onRun }),
    ...(deps.onUnasked !== undefined && { onUnasked: deps.onUnasked }),
  });
  const abort = (): void => socket.destroy();
  deps.signal.addEventListener('abort', abort, { once: true });
  void socket.ended.then(() => deps.signal.removeEventListener('abort', abort));
  await withDeadline(socket, deps, async () => {
    await socket.opened;
    await authenticate(socket, target);
  });
  return socket;
}

/** Runs `steps`; the connection is given up where they fail or take longer than a connect may. */
export async function withDeadline<T>(
  socket: RedisSocket,
  deps: Pick<ConnectDeps, 'clock' | 'connectTimeoutMs'>,
  steps: () => Promise<T>,
): Promise<T> {
  const cancel = deps.clock.after(deps.connectTimeoutMs, () =>
    socket.destroy(Object.assign(new Error('no answer in time'), { code: 'ETIMEDOUT' })),
  );
  try {
    return await steps();
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    cancel();
  }
}

/** What `describeProblem` needs to know of a target. */
export function attemptOf(target: RedisTarget): Attempt {
  return {
    where: target.socketPath ?? `${target.host}:${target.port}`,
    encrypted: target.tls !== undefined,
    ...(target.username !== undefined && { username: target.username }),
    hasPassword: target.password !== undefined,
    db: target.db,
  };
}

/**
 * Selects the database (only to prove that it exists: channels belong to the whole server) and subscribes.
 * @throws RedisReplyError; PlainProblem where an ACL forbids the channel
 */
export async function subscribe(
  socket: RedisSocket,
  target: RedisTarget,
  patterns: readonly EventPattern[],
): Promise<ServerFacts> {
  await lenient(socket.command('CLIENT', 'SETNAME', 'umbel-events'), ['NOPERM', 'ERR']);
  await lenient(socket.command('SELECT', String(target.db)), ['NOPERM']);
  const info = await lenient(socket.command('INFO'), ['NOPERM', 'LOADING']);
  const calls = await lenient(socket.command('INFO', 'commandstats'), ['NOPERM', 'LOADING']);
  await Promise.all(patterns.map((pattern) => subscribeOne(socket, target, pattern)));
  // Sent once the subscriptions stand: from then on nothing is missed that the connection does not lose.
  await socket.command('PING');
  return factsOf([info, calls].filter((text) => typeof text === 'string').join('\n'));
}

async function subscribeOne(socket: RedisSocket, target: RedisTarget, wanted: EventPattern): Promise<void> {
  try {
    await socket.command('PSUBSCRIBE', wanted.pattern);
  } catch (error) {
    if (!(error instanceof RedisReplyError) || error.code !== 'NOPERM') throw error;
    if (!wanted.required) return;
    const user = target.username ?? 'default';
    throw new PlainProblem(
      `Redis at ${attemptOf(target).where} forbids user "${user}" to listen to events (NOPERM): ` +
        `run ACL SETUSER ${user} +psubscribe +ping "&${wanted.pattern}".`,
    );
  }
}

async function authenticate(socket: RedisSocket, { username, password }: RedisTarget): Promise<void> {
  if (username === undefined && password === undefined) return;
  const secret = password ?? '';
  try {
    await socket.command(...(username === undefined ? ['AUTH', secret] : ['AUTH', username, secret]));
  } catch (error) {
    if (!(error instanceof RedisReplyError)) throw error;
    if (/no password is set|without any password configured/i.test(error.message)) return;
    const isOldRedis = username !== undefined && /wrong number of arguments/i.test(error.message);
    if (!isOldRedis) throw error;
    await socket.command('AUTH', secret);
  }
}

/** Undefined where Redis answers with one of the errors that do not matter here. */
export async function lenient<T>(reply: Promise<T>, codes: readonly string[]): Promise<T | undefined> {
  try {
    return await reply;
  } catch (error) {
    if (error instanceof RedisReplyError && codes.includes(error.code)) return undefined;
    throw error;
  }
}

function factsOf(info: string): ServerFacts {
  const runId = /^run_id:(\w+)/m.exec(info)?.[1];
  const kills = /^client_output_buffer_limit_disconnections:(\d+)/m.exec(info)?.[1];
  const clientKills = /^cmdstat_client\|kill:calls=(\d+)/m.exec(info)?.[1];
  return {
    ...(runId !== undefined && { runId }),
    ...(kills !== undefined && { outputLimitKills: Number(kills) }),
    ...(clientKills !== undefined && { clientKills: Number(clientKills) }),
  };
}

/** As redis-py: right after a failover a sentinel may still name the old master. @throws PlainProblem */
export async function refuseReplica(socket: RedisSocket, target: RedisTarget): Promise<void> {
  const role = await socket.command('ROLE').catch(() => undefined);
  if (!Array.isArray(role) || role[0] === 'master') return;
  throw new PlainProblem(`The sentinels name ${target.host}:${target.port} as master, but it is still a replica.`);
}
