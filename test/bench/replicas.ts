import pg from 'pg';
import { type RunningAgent, startAgent } from '../support/agent.ts';
import { startPostgres } from '../support/postgres.ts';
import { startPublisher } from '../support/publisher.ts';
import { startRedis } from '../support/redis.ts';
import { pause, waitFor } from '../support/wait.ts';
import { EVENTS_PER_TASK } from './flood.ts';
import { cpuSeconds, peakMiB } from './usage.ts';

export interface ReplicasResult {
  readonly agents: number;
  /** Each takes its part of the tasks; otherwise all hear and write all. */
  readonly sliced: boolean;
  readonly published: number;
  /** Rows of events, and how many different ones they are. */
  readonly rows: number;
  readonly distinct: number;
  readonly perSecond: number;
  /** CPU seconds of all agents, and of Postgres, per million events published. */
  readonly agentsCpu: number;
  readonly postgresCpu: number;
  /** Of the largest agent. */
  readonly peakMiB: number;
}

const WARM_UP_SHARE = 0.25;
/** A look is a scrape of every agent, which costs them some milliseconds. */
const LOOK_EVERY_MS = 1000;
/** As of a server that keeps what it says it keeps. */
const DURABLE = { fsync: 'on', synchronous_commit: 'on', full_page_writes: 'on' };

/** Several agents on one stream of one Redis and one Postgres. */
export async function replicas(agents: number, sliced: boolean, events: number): Promise<ReplicasResult> {
  const redis = await startRedis(['--client-output-buffer-limit', 'pubsub 0 0 0']);
  const postgres = await startPostgres({ ...DURABLE, shared_buffers: '256MB', max_wal_size: '4GB' });
  const started: RunningAgent[] = [];
  try {
    for (let index = 1; index <= agents; index++) {
      const slice = sliced ? ['--slice', `${index}/${agents}`] : [];
      const args = ['--agent-name', `replica-${index}`, ...slice];
      started.push(
        await startAgent({ brokerUrl: `${redis.url}/0`, databaseUrl: postgres.url, args, readyTimeoutMs: 300_000 }),
      );
    }
    for (const agent of started) {
      await waitFor(
        async () => (await agent.metrics()).sum('umbel_broker_connected') === 1,
        60_000,
        'an agent listening',
      );
    }
    const copies = sliced ? 1 : agents;
    const stored = (): Promise<number> => writtenBy(started);
    const warm = await startPublisher({ redisUrl: redis.url, tasks: tasksOf(events * WARM_UP_SHARE) }).done;
    await waitFor(async () => (await stored()) >= warm.events * copies, 300_000, 'the warm-up stored');

    const publisher = startPublisher({ redisUrl: redis.url, tasks: tasksOf(events), wait: true });
    await publisher.go();
    const pids = started.map((agent) => agent.process().pid);
    const before = [cpuSeconds(pids), cpuSeconds([postgres.pid()])] as const;
    const startedMs = performance.now();
    const target = (warm.events + tasksOf(events) * EVENTS_PER_TASK) * copies;
    while ((await stored()) < target && performance.now() - startedMs < 900_000) await pause(LOOK_EVERY_MS);
    const seconds = (performance.now() - startedMs) / 1000;
    const { events: flood } = await publisher.done;
    const cpu = [cpuSeconds(pids) - before[0], cpuSeconds([postgres.pid()]) - before[1]] as const;
    return {
      agents,
      sliced,
      published: warm.events + flood,
      ...(await countRows(postgres.url)),
      perSecond: flood / seconds,
      agentsCpu: cpu[0] / (flood / 1e6),
      postgresCpu: cpu[1] / (flood / 1e6),
      peakMiB: Math.max(...pids.map(peakMiB)),
    };
  } finally {
    await Promise.all(started.map((agent) => agent.kill('SIGTERM')));
    await postgres.stop();
    await redis.stop();
  }
}

const tasksOf = (events: number): number => Math.ceil(events / EVENTS_PER_TASK);

/** Events that the agents have brought to the database, new there or not. */
async function writtenBy(agents: readonly RunningAgent[]): Promise<number> {
  const counts = agents.map(async (agent) => {
    const metrics = await agent.metrics();
    return (
      metrics.sum('umbel_history_rows_total', { kind: 'events' }) + metrics.sum('umbel_history_doubled_events_total')
    );
  });
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
}

async function countRows(url: string): Promise<{ rows: number; distinct: number }> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ rows: number; distinct: number }>(
      `select count(*)::int as rows, count(distinct (task_id, type))::int as distinct from celery_task_events`,
    );
    return rows[0] ?? { rows: 0, distinct: 0 };
  } finally {
    await client.end();
  }
}
