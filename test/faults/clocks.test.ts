import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from '@jest/globals';
import { encodedMessages, publish } from '../celery-app/publish.mjs';
import { startAgent } from '../support/agent.ts';
import { temporaryDirectory } from '../support/cleanup.ts';
import { queryRows } from '../support/database.ts';
import { eachOnce, gapRows, historyRows } from '../support/history-rows.ts';
import { getObject } from '../support/http.ts';
import { ROOT } from '../support/paths.ts';
import { startRedis } from '../support/redis.ts';
import { waitFor } from '../support/wait.ts';

const HOUR_MS = 3_600_000;
const TASKS = 200;

it('clocks that jump, of workers and of the agent, lose and double no event, and make no time negative', async () => {
  const file = join(await temporaryDirectory('clock'), 'ahead');
  const jump = (hours: number): void => writeFileSync(file, String(hours * HOUR_MS));
  jump(0);
  const redis = await startRedis();
  const agent = await startAgent({
    brokerUrl: `${redis.url}/0`,
    env: {
      NODE_OPTIONS: `--import=${pathToFileURL(join(ROOT, 'test/support/clock-jump.mjs')).href}`,
      CLOCK_JUMP_FILE: file,
    },
  });
  const isListening = async (): Promise<boolean> => (await agent.metrics()).sum('umbel_broker_connected') === 1;
  await waitFor(isListening, 30_000, 'the agent listening');
  let tasks = 0;
  const send = async (offsetHours: number): Promise<void> => {
    await publish(redis.url, encodedMessages({ tasks: TASKS, startMs: Date.now() + offsetHours * HOUR_MS }));
    tasks += TASKS;
    await waitFor(async () => (await historyRows(agent.databaseUrl)).events >= 3 * tasks, 30_000, 'the events stored');
  };
  const seesJump = (hours: number): Promise<true> =>
    waitFor(
      async () => {
        const { startedMs, uptimeMs } = (await getObject(`${agent.url}/api/v1/status`)) as Record<string, number>;
        return Math.abs((startedMs ?? 0) + (uptimeMs ?? 0) - Date.now() - hours * HOUR_MS) < 60_000;
      },
      20_000,
      `the agent's clock ${hours} hours ahead`,
    );

  // Workers whose clocks are wrong.
  for (const hours of [0, 5, -7, 24 * 40, -24 * 400]) await send(hours);
  // The agent's own clock: over midnight in any case, and back.
  for (const hours of [30, 0]) {
    jump(hours);
    if (hours > 0) await seesJump(hours);
    await send(0);
    await send(hours);
  }
  expect(await historyRows(agent.databaseUrl)).toEqual(eachOnce(tasks));
  const twice = await queryRows(
    agent.databaseUrl,
    'select task_id from celery_tasks group by task_id having count(*) > 1',
  );
  expect(twice).toEqual([]);
  for (const { fromMs, toMs } of await gapRows(agent.databaseUrl)) expect(toMs).toBeGreaterThanOrEqual(fromMs);
  const metrics = await agent.metrics();
  expect(metrics.sum('umbel_broker_connected')).toBe(1);
  expect(metrics.sum('umbel_history_lag_seconds')).toBeGreaterThanOrEqual(0);
  expect(metrics.sum('umbel_event_lag_seconds')).toBeGreaterThanOrEqual(0);
  expect(metrics.sum('umbel_history_errors_total')).toBe(0);
  const { uptimeMs, shedding } = await getObject(`${agent.url}/api/v1/status`);
  expect(shedding).toEqual([]);
  expect(uptimeMs).toBeGreaterThanOrEqual(0);
  expect(agent.process().running()).toBe(true);
}, 240_000);
