import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { startAgent } from '../support/agent.ts';
import { temporaryDirectory } from '../support/cleanup.ts';
import { getObject } from '../support/http.ts';
import { processesGone } from '../support/processes.ts';
import { startPublisher } from '../support/publisher.ts';
import { startRedis } from '../support/redis.ts';
import { waitFor } from '../support/wait.ts';

/** Processes of this machine whose command line or working directory names the data directory. */
function processesOf(dataDir: string, except: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== except)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(dataDir);
      } catch {
        return false; // ended meanwhile
      }
    })
    .map(Number);
}

const taskCount = async (url: string): Promise<number> => Object.keys(await getObject(`${url}/api/tasks`)).length;

it('brings its own Postgres, stops it on SIGTERM, leaves none behind on SIGKILL and keeps the data', async () => {
  const redis = await startRedis();
  const dataDir = await temporaryDirectory('data');
  const agent = await startAgent({ brokerUrl: `${redis.url}/0`, databaseUrl: 'embedded', dataDir });
  await waitFor(async () => (await agent.metrics()).sum('umbel_broker_connected') === 1, 20_000, 'the agent listening');
  await startPublisher({ redisUrl: redis.url, tasks: 200 }).done;
  await waitFor(async () => (await taskCount(agent.url)) === 200, 20_000, 'the tasks in the history');

  const postgres = processesOf(dataDir, agent.process().pid);
  expect(postgres.length).toBeGreaterThan(0);
  const stopped = await agent.kill('SIGTERM');
  expect(stopped).toEqual({ code: 0, signal: null });
  await processesGone(postgres, 10_000);

  agent.launch();
  await agent.ready();
  expect(await taskCount(agent.url)).toBe(200);
  const again = processesOf(dataDir, agent.process().pid);
  expect(again.length).toBeGreaterThan(0);
  await agent.kill('SIGKILL');
  await processesGone(again, 20_000);

  agent.launch();
  await agent.ready();
  expect(await taskCount(agent.url)).toBe(200);
  await agent.kill('SIGTERM');
}, 240_000);

it('shows the demo cluster, and says so, when no broker is configured', async () => {
  const agent = await startAgent();
  expect(agent.process().output()).toMatch(/demo/i);
  await waitFor(async () => (await taskCount(agent.url)) > 5, 60_000, 'tasks of the demo');
  const workers = await getObject(`${agent.url}/api/workers?status=1`);
  expect(Object.values(workers)).toContain(true);
}, 120_000);
