import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';

/** Publishes that a worker `probe@bench` received a task. @param timestamp epoch seconds that the event tells */
export async function publishProbe(client: Redis, uuid: string, clock: number, timestamp: number): Promise<void> {
  const head = { hostname: 'probe@bench', utcoffset: 0, pid: 1, clock, timestamp };
  const event = { ...head, uuid, type: 'task-received', name: 'bench.probe', args: '()', kwargs: '{}' };
  const message = {
    body: Buffer.from(JSON.stringify(event)).toString('base64'),
    'content-encoding': 'utf-8',
    'content-type': 'application/json',
    headers: {},
    properties: { body_encoding: 'base64', delivery_tag: randomUUID() },
  };
  await client.publish('/0.celeryev/task.received', JSON.stringify(message));
}
