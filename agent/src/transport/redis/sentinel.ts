import type { RedisUrl, TlsSettings } from '../url.ts';
import { describeProblem } from './problems.ts';
import { PlainProblem } from '../plain-problem.ts';
import { attemptOf, connect, withDeadline } from './session.ts';
import type { ConnectDeps, RedisTarget } from './session.ts';

/** How the sentinels themselves are reached: transport options `master_name` and `sentinel_kwargs`. */
export interface SentinelOptions {
  readonly masterName: string;
  readonly username?: string;
  readonly password?: string;
  /** Default: no TLS towards the sentinels, also where the master has it (as redis-py). */
  readonly tls?: TlsSettings;
}

/**
 * Asks one sentinel after the other where the master is; the first URL's credentials and database apply to it
 * (kombu/transport/redis.py `_sentinel_managed_pool`).
 * @throws PlainProblem where no sentinel knows it
 */
export async function findMaster(
  urls: readonly RedisUrl[],
  options: SentinelOptions,
  deps: ConnectDeps,
): Promise<RedisTarget> {
  const problems = new Set<string>();
  for (const url of urls) {
    const sentinel: RedisTarget = {
      host: url.host,
      port: url.port,
      db: 0,
      ...(options.username !== undefined && { username: options.username }),
      ...(options.password !== undefined && { password: options.password }),
      ...(options.tls !== undefined && { tls: options.tls }),
    };
    try {
      const master = await askSentinel(sentinel, options.masterName, deps);
      if (master !== undefined) return masterTarget(master, urls[0] ?? url);
      problems.add(`Sentinel ${url.host}:${url.port} knows no master "${options.masterName}": check master_name.`);
    } catch (error) {
      if (deps.signal.aborted) throw error;
      const problem = describeProblem(error, attemptOf(sentinel));
      problems.add(problem.replace('put it into the broker URL, as redis://:PASSWORD@HOST', 'set sentinel_kwargs'));
    }
  }
  throw new PlainProblem([...problems].join(' '));
}

function masterTarget(master: { host: string; port: number }, first: RedisUrl): RedisTarget {
  return {
    ...master,
    db: first.db,
    ...(first.username !== undefined && { username: first.username }),
    ...(first.password !== undefined && { password: first.password }),
    ...(first.tls !== undefined && { tls: first.tls }),
  };
}

async function askSentinel(
  sentinel: RedisTarget,
  masterName: string,
  deps: ConnectDeps,
): Promise<{ host: string; port: number } | undefined> {
  const { clock, connectTimeoutMs, signal } = deps;
  const socket = await connect(sentinel, { clock, connectTimeoutMs, signal });
  try {
    const reply = await withDeadline(socket, deps, () =>
      socket.command('SENTINEL', 'get-master-addr-by-name', masterName),
    );
    if (!Array.isArray(reply)) return undefined;
    const [host, port] = reply;
    return typeof host === 'string' ? { host, port: Number(port) } : undefined;
  } finally {
    socket.destroy();
  }
}
