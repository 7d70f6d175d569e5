import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { envelope } from '../celery-app/publish.mjs';
import { closeAtEnd } from '../support/cleanup.ts';
import { appEnvironment } from '../support/celery.ts';
import { startPython } from '../support/python.ts';
import type { ManagedProcess } from '../support/processes.ts';
import { pause, waitFor } from '../support/wait.ts';

/** Token of the test's agents. */
export const TOKEN = randomUUID().replaceAll('-', '');

const AT_ONCE = 20;

/** Sends tasks through the agent, as Flower's clients do. */
export async function sendTasks(
  agentUrl: string,
  name: string,
  count: number,
  task: { readonly args: readonly unknown[]; readonly queue: string },
): Promise<void> {
  for (let sent = 0; sent < count; sent += AT_ONCE) {
    const some = Array.from({ length: Math.min(AT_ONCE, count - sent) }, () => sendTask(agentUrl, name, task));
    await Promise.all(some);
  }
}

async function sendTask(agentUrl: string, name: string, task: object): Promise<void> {
  const response = await fetch(`${agentUrl}/api/task/async-apply/${name}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify(task),
  });
  if (!response.ok) throw new Error(`sending ${name} answered ${response.status}: ${await response.text()}`);
}

/** Runs loads of the test app, `[name, tasks]`, one after the other and again and again, until it is stopped. */
export function keepSending(
  brokerUrl: string,
  loads: readonly (readonly [string, number])[],
  backend = brokerUrl,
): ManagedProcess {
  const script = `
import json, sys, time, load
sender = load.Sender(1)
while True:
    for name, tasks in json.loads(sys.argv[1]):
        load.LOADS[name](sender, tasks)
    sender.expected.clear()
    time.sleep(1)`;
  return startPython(['-c', script, JSON.stringify(loads)], appEnvironment({ brokerUrl, backend }));
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

  /** More unacknowledged messages of the queue, like one there is: what more workers would leave that are killed. */
  async leaveUnacked(queue: string, messages: number): Promise<void> {
    const isOfQueue = (text: string): boolean => (JSON.parse(text) as unknown[])[2] === queue;
    const found: string[] = [];
    // A worker whose connection is cut gives back what it had fetched, and fetches it again.
    const isThere = async (): Promise<boolean> => {
      found.push(...(await this.#redis.hvals('unacked')).filter(isOfQueue));
      return found.length > 0;
    };
    await waitFor(isThere, 30_000, `an unacknowledged message of ${queue}`);
    const [like = ''] = found;
    for (let i = 0; i < messages; i++) await this.#redis.hset('unacked', randomUUID(), like);
  }

  async deleteKey(key: string): Promise<void> {
    await this.#redis.del(key);
  }
}

/** Makes a Redis throw keys away until the signal, as one with an eviction policy does under pressure. */
export async function causeEvictions(redisUrl: string, signal: AbortSignal): Promise<void> {
  const redis = new Redis(redisUrl);
  closeAtEnd({ close: () => redis.disconnect() });
  await redis.config('SET', 'maxmemory-policy', 'allkeys-lru');
  await redis.config('SET', 'maxmemory', '4mb');
  for (let i = 0; !signal.aborted; i++) {
    for (let j = 0; j < 20; j++) await redis.set(`key-${i}-${j}`, 'x'.repeat(10_000));
    await pause(200);
  }
  await redis.config('SET', 'maxmemory', '0');
}
