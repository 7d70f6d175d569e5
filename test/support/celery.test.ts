import { expect, it } from '@jest/globals';
import { runLoad, startCelery } from './celery.ts';
import { startFlower } from './flower.ts';
import { getObject } from './http.ts';
import { startRedis } from './redis.ts';
import { waitFor } from './wait.ts';

it('runs a load on real workers, seen by Flower', async () => {
  const redis = await startRedis();
  const brokerUrl = `${redis.url}/0`;
  const [flower, worker] = await Promise.all([
    startFlower({ brokerUrl }),
    startCelery({ brokerUrl, name: 'w1', queues: ['celery', 'emails'] }),
  ]);
  const report = await runLoad('mixed', { brokerUrl }, ['--tasks', '200']);
  const ids = Object.keys(report.expected);
  expect(ids.length).toBeGreaterThan(100);
  expect(new Set(Object.values(report.expected))).toEqual(new Set(['SUCCESS', 'FAILURE', 'REVOKED']));
  const listed = await waitFor(
    async () => {
      const tasks = await getObject(`${flower.url}/api/tasks`);
      return ids.every((id) => id in tasks) && tasks;
    },
    10_000,
    'Flower knowing every task',
  );
  expect(Object.keys(listed).length).toBeGreaterThan(ids.length);
  expect(await getObject(`${flower.url}/api/workers?status=1`)).toEqual({ [worker.nodeName]: true });
}, 120_000);
