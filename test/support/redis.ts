import { existsSync } from 'node:fs';
import type { ManagedProcess } from './processes.ts';
import { startProcess } from './processes.ts';
import { freePort } from './ports.ts';

export interface RedisServer {
  /** `redis://127.0.0.1:PORT` without a database number. */
  readonly url: string;
  readonly port: number;
  pid(): number;
  /** Ends it and keeps the port for `restart()`. Nothing it held is kept. */
  stop(): Promise<void>;
  restart(): Promise<void>;
  kill(): Promise<void>;
}

const BINARY = ['/usr/bin/redis-server', '/usr/local/bin/redis-server'].find((path) => existsSync(path));

/** An own Redis on a free loopback port, keeping nothing on disk; `args` are redis-server's, e.g. `--requirepass x`. */
export async function startRedis(args: readonly string[] = []): Promise<RedisServer> {
  const port = await freePort();
  const launch = async (): Promise<ManagedProcess> => {
    const redis = startProcess({
      name: `redis ${port}`,
      command: BINARY ?? 'redis-server',
      args: ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', ...args],
    });
    await redis.printed(/Ready to accept connections/, 10_000);
    return redis;
  };
  let current = await launch();
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    pid: () => current.pid,
    stop: async () => {
      await current.stop();
    },
    restart: async () => {
      await current.stop();
      current = await launch();
    },
    kill: async () => {
      await current.kill('SIGKILL');
    },
  };
}
