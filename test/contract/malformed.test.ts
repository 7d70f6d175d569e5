import { expect, it } from '@jest/globals';
import { malformedMessages } from '../celery-app/malformed.mjs';
import { startAgent } from '../support/agent.ts';
import { getObject } from '../support/http.ts';
import { startPublisher } from '../support/publisher.ts';
import { startRedis } from '../support/redis.ts';
import { waitFor } from '../support/wait.ts';

const TASKS = 1000;

it('stores every good event, counts every bad one and stays up', async () => {
  const redis = await startRedis();
  const agent = await startAgent({ brokerUrl: `${redis.url}/3` });
  await waitFor(async () => (await agent.metrics()).sum('umbel_broker_connected') === 1, 20_000, 'the agent listening');
  const pid = agent.process().pid;

  const { events } = await startPublisher({ redisUrl: redis.url, db: 3, tasks: TASKS, batch: 7, malformed: true }).done;

  const counted = await waitFor(
    async () => {
      const metrics = await agent.metrics();
      return metrics.sum('umbel_events_received_total') >= events && metrics;
    },
    30_000,
    'all good events being counted',
  );
  expect(counted.sum('flower_events_total')).toBe(events);
  const wanted: Record<string, number> = {};
  for (const { reason, rejects } of malformedMessages()) wanted[reason] = (wanted[reason] ?? 0) + rejects;
  const total = Object.values(wanted).reduce((a, b) => a + b);
  const metrics = await waitFor(
    async () => {
      const scrape = await agent.metrics();
      return scrape.sum('umbel_events_rejected_total') >= total && scrape;
    },
    10_000,
    'all bad ones being counted',
  );
  const rejected: Record<string, number> = {};
  for (const reason of Object.keys(wanted)) rejected[reason] = metrics.sum('umbel_events_rejected_total', { reason });
  expect(rejected).toEqual(wanted);
  expect(metrics.sum('umbel_events_rejected_total')).toBe(total);

  const stored = await waitFor(
    async () => {
      const tasks = Object.values(await getObject(`${agent.url}/api/tasks`)) as { state: string; uuid: string }[];
      return tasks.filter(({ state }) => state === 'SUCCESS' || state === 'FAILURE').length === TASKS && tasks;
    },
    30_000,
    'all tasks in the history',
  );
  expect(stored.length).toBe(TASKS);
  expect(stored.filter(({ state }) => state === 'FAILURE').length).toBe(TASKS / 50);
  expect(agent.process().pid).toBe(pid);
  expect(agent.process().running()).toBe(true);
}, 120_000);
