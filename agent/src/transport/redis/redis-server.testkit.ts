import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import type { RedisOptions } from 'ioredis';
import { waitUntil } from '../conformance.testkit.ts';

/** A port that nobody listened on a moment ago. */
export async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

export function temporaryDirectory(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'umbel-redis-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** A real redis-server (or sentinel) of its own; `lines` are its configuration. */
export class RedisServer {
  readonly port: number;
  readonly directory = temporaryDirectory();
  readonly #lines: readonly string[];
  readonly #client: RedisOptions;
  readonly #isSentinel: boolean;
  #process: ChildProcess | undefined;

  constructor(port: number, lines: readonly string[], client: RedisOptions = {}, isSentinel = false) {
    this.port = port;
    this.#lines = lines;
    this.#client = client;
    this.#isSentinel = isSentinel;
  }

  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  async start(): Promise<void> {
    const config = join(this.directory.path, 'redis.conf');
    const listening = this.#lines.some((line) => /^(port|tls-port) /.test(line)) ? [] : [`port ${this.port}`];
    const lines = [
      ...listening,
      'bind 127.0.0.1',
      'save ""',
      'appendonly no',
      `dir ${this.directory.path}`,
      ...this.#lines,
    ];
    writeFileSync(
      config,
      `${lines.filter((line) => !this.#isSentinel || !/^(save|appendonly)/.test(line)).join('\n')}\n`,
    );
    this.#process = spawn('redis-server', [config, ...(this.#isSentinel ? ['--sentinel'] : [])], { stdio: 'ignore' });
    await waitUntil('redis-server', async () => {
      const client = this.client();
      try {
        await client.connect();
        await client.ping();
        return true;
      } catch {
        return false;
      } finally {
        client.disconnect();
      }
    });
  }

  async stop(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const process = this.#process;
    if (process === undefined || process.exitCode !== null || process.signalCode !== null) return;
    const exited = new Promise((resolve) => process.once('exit', resolve));
    process.kill(signal);
    await exited;
  }

  kill(signal: NodeJS.Signals): void {
    this.#process?.kill(signal);
  }

  async close(): Promise<void> {
    await this.stop();
    this.directory.remove();
  }

  /** Not connected yet, never reconnects. */
  client(): Redis {
    const client = new Redis({
      host: '127.0.0.1',
      port: this.port,
      lazyConnect: true,
      retryStrategy: () => null,
      maxRetriesPerRequest: 0,
      disconnectTimeout: 50,
      ...this.#client,
    });
    client.on('error', () => undefined);
    return client;
  }

  async run<T>(use: (client: Redis) => Promise<T>): Promise<T> {
    const client = this.client();
    await client.connect();
    try {
      return await use(client);
    } finally {
      client.disconnect();
    }
  }
}
