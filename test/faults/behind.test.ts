import { expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { envelope } from '../celery-app/publish.mjs';
import type { RunningAgent } from '../support/agent.ts';
import { startAgent } from '../support/agent.ts';
import { closeAtEnd } from '../support/cleanup.ts';
import { queryRows } from '../support/database.ts';
import type { GapRow } from '../support/history-rows.ts';
import { gapRows } from '../support/history-rows.ts';
import { getObject, getText } from '../support/http.ts';
import { startRedis } from '../support/redis.ts';
import { pause, waitFor } from '../support/wait.ts';

// An agent that Redis cuts while it is behind: what is lost was published before the agent read what came before it.

interface Sent {
  readonly taskId: string;
  readonly atMs: number;
}

async function listeningAgent(brokerUrl: string, args: readonly string[] = []): Promise<RunningAgent> {
  const agent = await startAgent({ brokerUrl, args });
  await waitFor(async () => (await agent.metrics()).sum('umbel_broker_connected') === 1, 30_000, 'the agent listening');
  return agent;
}

function clientOf(url: string): Redis {
  const client = new Redis(url);
  closeAtEnd({ close: () => client.disconnect() });
  return client;
}

/** Publishes one event of a task of its own each few ms, about 40 kB each, until stopped. */
function publishing(client: Redis): { readonly sent: readonly Sent[]; stop(): Promise<void> } {
  const sent: Sent[] = [];
  let isOver = false;
  const publish = async (): Promise<void> => {
    while (!isOver) {
      const [taskId, atMs] = [`task-${sent.length}`, Date.now()];
      const event = {
        type: 'task-received',
        uuid: taskId,
        name: 'n',
        args: 'x'.repeat(30_000),
        hostname: 'w@h',
        pid: 1,
      };
      sent.push({ taskId, atMs });
      const body = envelope({ ...event, timestamp: atMs / 1000, clock: sent.length }, 'task.received');
      await client.publish('/0.celeryev/task.received', body);
      await pause(2);
    }
  };
  const running = publish();
  return {
    sent,
    stop: async () => {
      isOver = true;
      await running;
    },
  };
}

const isHeard = async (client: Redis): Promise<boolean> =>
  / psub=[1-9]/.test(String(await client.call('CLIENT', 'LIST', 'TYPE', 'pubsub')));

async function endedGaps(agent: RunningAgent): Promise<GapRow[]> {
  return waitFor(
    async () => {
      const gaps = await gapRows(agent.databaseUrl);
      return gaps.length > 0 && gaps;
    },
    30_000,
    'the gap',
  );
}

it('cut for its output buffer: every event that is lost lies in a gap', async () => {
  const redis = await startRedis();
  const client = clientOf(redis.url);
  const agent = await listeningAgent(`${redis.url}/0`);
  const publisher = publishing(client);
  await waitFor(() => publisher.sent.length > 100, 20_000, 'a stream of events');
  await client.config('SET', 'client-output-buffer-limit', 'pubsub 128kb 64kb 1');
  process.kill(agent.process().pid, 'SIGSTOP');
  await waitFor(async () => !(await isHeard(client)), 60_000, 'Redis cutting the agent');
  await pause(1000);
  process.kill(agent.process().pid, 'SIGCONT');
  const gaps = await endedGaps(agent);
  const after = publisher.sent.length + 20;
  await waitFor(() => publisher.sent.length > after, 20_000, 'events after the gap');
  await publisher.stop();

  const last = publisher.sent.at(-1)?.taskId;
  const stored = new Set<string>();
  await waitFor(
    async () => {
      const rows = await queryRows<{ id: string }>(agent.databaseUrl, 'select task_id as id from celery_tasks');
      for (const { id } of rows) stored.add(id);
      return stored.has(last ?? '');
    },
    30_000,
    'the last event in the history',
  );
  const lost = publisher.sent.filter(({ taskId }) => !stored.has(taskId));
  expect(lost.length).toBeGreaterThan(20);
  const isTold = ({ atMs }: Sent): boolean => gaps.some(({ fromMs, toMs }) => atMs >= fromMs && atMs <= toMs);
  expect(lost.filter((event) => !isTold(event))).toEqual([]);
  expect(gaps).toHaveLength(1);
  // Not the whole past: it begins where the agent stood still.
  expect(gaps[0]?.fromMs).toBeGreaterThan((lost[0]?.atMs ?? 0) - 30_000);
}, 150_000);

it('cut by CLIENT KILL while frozen: tasks that were done meanwhile are in the gap, and are found by their results', async () => {
  const redis = await startRedis();
  const client = clientOf(redis.url);
  const agent = await listeningAgent(`${redis.url}/0`, [
    ...['--result-backend', `${redis.url}/0`, '--heal-interval', '1s', '--heal-results', '2'],
  ]);
  process.kill(agent.process().pid, 'SIGSTOP');
  await pause(2500);
  await client.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
  const ids = ['lost-1', 'lost-2', 'lost-3', 'lost-4', 'lost-5'];
  const endedMs = Date.now();
  for (const taskId of ids) {
    const meta = { status: 'SUCCESS', result: 4, traceback: null, children: [], task_id: taskId };
    const date_done = new Date().toISOString().replace('Z', '+00:00');
    await client.set(`celery-task-meta-${taskId}`, JSON.stringify({ ...meta, date_done }));
  }
  // More than the tolerance of clocks with which results are compared to a gap.
  await pause(2500);
  process.kill(agent.process().pid, 'SIGCONT');
  const [gap] = await endedGaps(agent);
  expect(gap?.fromMs).toBeLessThanOrEqual(endedMs);
  const healed = async (): Promise<unknown> => {
    const { gaps } = await getObject(`${agent.url}/api/v1/gaps`);
    return (gaps as { healed: unknown }[])[0]?.healed ?? undefined;
  };
  // All of them, though one run looks two results through.
  expect(await waitFor(healed, 60_000, 'the gap being healed')).toMatchObject({ healed: 5, found: 5 });
  const answers = await Promise.all(ids.map((id) => getText(`${agent.url}/api/v1/tasks/${id}`)));
  expect(answers.map(({ status }) => status)).toEqual(ids.map(() => 200));
}, 120_000);
