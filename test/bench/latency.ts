import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { startAgent } from '../support/agent.ts';
import { getObject, getText } from '../support/http.ts';
import { freshDatabase } from '../support/database.ts';
import { startPostgres } from '../support/postgres.ts';
import { startPublisher } from '../support/publisher.ts';
import { startRedis } from '../support/redis.ts';
import { pause, waitFor } from '../support/wait.ts';
import { fillHistory } from './fill.ts';
import { EVENTS_PER_TASK } from './flood.ts';
import { publishProbe } from './probe.ts';
import { residentMiB } from './usage.ts';

/** Resolves once the agent hears its broker. */
export const listening = async (url: string): Promise<void> => {
  await waitFor(async () => /^umbel_broker_connected 1$/m.test((await getText(`${url}/metrics`)).body), 30_000);
};

/** Ms from PUBLISH of an event to its task being in the API, beside a stream of 1,000 events/s. */
export async function eventToApi(samples: number): Promise<number[]> {
  const redis = await startRedis();
  const agent = await startAgent({ brokerUrl: `${redis.url}/0`, databaseUrl: 'embedded' });
  const client = new Redis(redis.url);
  await listening(agent.url);
  const background = startPublisher({ redisUrl: redis.url, tasks: 20_000, batch: 3, rate: 1000 });
  const taken: number[] = [];
  for (let sample = 0; sample < samples; sample++) {
    const uuid = randomUUID();
    const started = performance.now();
    await publishProbe(client, uuid, sample + 1, Date.now() / 1000);
    while ((await getText(`${agent.url}/api/task/info/${uuid}`)).status !== 200) await pause(2);
    taken.push(performance.now() - started);
    await pause(37); // out of step with the writer's rhythm
  }
  await background.process.stop();
  client.disconnect();
  await agent.kill('SIGTERM');
  await redis.stop();
  return taken;
}

/** Resident MiB of the agent after each tenth of the tasks, at a steady rate with history. */
export async function memoryByTasks(tasks: number, rate: number): Promise<{ tasks: number; mib: number }[]> {
  const redis = await startRedis();
  const agent = await startAgent({ brokerUrl: `${redis.url}/0`, databaseUrl: 'embedded' });
  await listening(agent.url);
  const publisher = startPublisher({ redisUrl: redis.url, tasks, rate });
  const readings: { tasks: number; mib: number }[] = [];
  for (let step = 1; step <= 10; step++) {
    const wanted = (tasks / 10) * step * EVENTS_PER_TASK;
    const counted = async (): Promise<boolean> =>
      (await agent.metrics()).sum('umbel_history_rows_total', { kind: 'events' }) >= wanted;
    await waitFor(counted, 600_000, `${wanted} rows`);
    readings.push({ tasks: (tasks / 10) * step, mib: residentMiB(agent.process().pid) });
  }
  await publisher.done;
  await agent.kill('SIGTERM');
  await redis.stop();
  return readings;
}

export interface QueryTimes {
  readonly label: string;
  readonly ms: readonly number[];
}

/** What people ask for, as `/api/v1` paths; `%ID%` stands for an id that exists. */
const QUERIES: readonly (readonly [label: string, path: string])[] = [
  ['task by id', '/api/v1/tasks/%ID%'],
  ['task by id, Flower’s API', '/api/task/info/%ID%'],
  ['newest 100', '/api/v1/tasks?limit=100'],
  ['failures', '/api/v1/tasks?states=FAILURE&limit=100'],
  ['one name', '/api/v1/tasks?names=app.module_03.task_4&limit=100'],
  ['one worker and state', '/api/v1/tasks?workers=celery@worker-07.example&states=SUCCESS&limit=100'],
  ['one queue, last day', '/api/v1/tasks?queues=queue-3&from=now-1d&limit=100'],
  ['text in args', '/api/v1/tasks?args=customer-4711&limit=100'],
  ['slowest', '/api/v1/tasks?sort=runtime&order=desc&limit=100'],
  ['Flower’s listing, filtered', '/api/tasks?limit=100&state=FAILURE&sort_by=-received'],
  ['Flower’s search', '/api/tasks?limit=100&search=customer-4711'],
];

/** How long the API takes with `tasks` tasks in the history, `rounds` times each. */
export async function apiTimes(tasks: number, rounds: number, say: (text: string) => void): Promise<QueryTimes[]> {
  const [redis, postgres] = await Promise.all([startRedis(), startPostgres({ shared_buffers: '128MB' })]);
  const database = await freshDatabase(postgres.url);
  const agent = await startAgent({ brokerUrl: `${redis.url}/0`, databaseUrl: database.url });
  await fillHistory(database.url, { tasks, days: 7 }, (written) => say(`${written} tasks filled in`));
  const times = await timeQueries(agent.url, QUERIES, rounds);
  await agent.kill('SIGTERM');
  await Promise.all([redis.stop(), postgres.stop()]);
  return times;
}

/** Asks each query `rounds` times, one after the other. @throws when an answer is not 200 */
export async function timeQueries(
  agentUrl: string,
  queries: readonly (readonly [label: string, path: string])[],
  rounds: number,
): Promise<QueryTimes[]> {
  const ids = Object.keys(await getObject(`${agentUrl}/api/tasks?limit=${rounds}&state=SUCCESS`));
  const times: QueryTimes[] = [];
  for (const [label, path] of queries) {
    const ms: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const started = performance.now();
      const { status, body } = await getText(agentUrl + path.replace('%ID%', ids[round % ids.length] ?? ''));
      ms.push(performance.now() - started);
      if (status !== 200) throw new Error(`${path} answered ${status}: ${body.slice(0, 300)}`);
    }
    times.push({ label, ms });
  }
  return times;
}
