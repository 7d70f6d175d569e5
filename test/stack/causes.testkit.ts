import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { envelope } from '../celery-app/publish.mjs';
import { closeAtEnd } from '../support/cleanup.ts';
import { appEnvironment } from '../support/celery.ts';
import { startPython } from '../support/python.ts';
import { pause, waitFor } from '../support/wait.ts';

/** Token of the test's agents. */
export const TOKEN = randomUUID().replaceAll('-', '');

/** Sends tasks through the agent, as Flower's clients do. */
export async function sendTasks(
  agentUrl: string,
  name: string,
  count: number,
  { args, queue }: { readonly args: readonly unknown[]; readonly queue: string },
): Promise<void> {
  for (let i = 0; i < count; i++) {
    const response = await fetch(`${agentUrl}/api/task/async-apply/${name}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
      body: JSON.stringify({ args, queue }),
    });
    if (!response.ok) throw new Error(`sending ${name} answered ${response.status}: ${await response.text()}`);
  }
}

/** Runs several loads of the test app one after the other, `[name, tasks]`, and waits for none of their tasks. */
export async function sendLoads(
  brokerUrl: string,
  loads: readonly (readonly [string, number])[],
  backend = brokerUrl,
): Promise<void> {
  const calls = loads.map(([name, tasks]) => `load.LOADS[${JSON.stringify(name)}](sender, ${tasks})`).join('; ');
  const python = startPython(
    ['-c', `import load; sender = load.Sender(1); ${calls}`],
    appEnvironment({ brokerUrl, backend }),
  );
  const { code } = await python.exited;
  if (code !== 0) throw new Error(python.output());
}

/** Events as a worker on Redis sends them, with any content. */
export class EventForger {
  readonly #redis: Redis;

  constructor(redisUrl: string) {
    this.#redis = new Redis(redisUrl, { maxRetriesPerRequest: 1 });
    this.#redis.on('error', () => undefined);
    closeAtEnd({ close: () => this.#redis.disconnect() });
  }

  async send(type: string, hostname: string, fields: Readonly<Record<string, unknown>> = {}): Promise<void> {
    const event = { type, hostname, timestamp: Date.now() / 1000, utcoffset: 0, clock: 1, pid: 1, ...fields };
    const key = type.replace('-', '.');
    await this.#redis.publish(`/0.celeryev/${key}`, envelope(event, key));
  }

  /** What is no event at all. */
  async garbage(): Promise<void> {
    await this.#redis.publish('/0.celeryev/worker.heartbeat', 'no envelope');
  }

  async cutSubscribers(): Promise<void> {
    await this.#redis.client('KILL', 'TYPE', 'pubsub');
  }

  async deleteKey(key: string): Promise<void> {
    await this.#redis.del(key);
  }
}

/** Makes a Redis throw keys away, as one with an eviction policy does under pressure. */
export async function causeEvictions(redisUrl: string): Promise<void> {
  const redis = new Redis(redisUrl);
  closeAtEnd({ close: () => redis.disconnect() });
  await redis.config('SET', 'maxmemory-policy', 'allkeys-lru');
  await redis.config('SET', 'maxmemory', '4mb');
  for (let i = 0; i < 120; i++) {
    for (let j = 0; j < 20; j++) await redis.set(`key-${i}-${j}`, 'x'.repeat(10_000));
    await pause(100);
  }
  await redis.config('SET', 'maxmemory', '0');
}

/** Resolves when the agent answers the path with 200. */
export async function answers(url: string, timeoutMs: number): Promise<void> {
  await waitFor(async () => (await fetch(url)).ok, timeoutMs, url);
}
