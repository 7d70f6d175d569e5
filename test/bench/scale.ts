import { startAgent } from '../support/agent.ts';
import { startPostgres } from '../support/postgres.ts';
import { startPublisher } from '../support/publisher.ts';
import { startRedis } from '../support/redis.ts';
import { pause, waitFor } from '../support/wait.ts';
import { fillHistory } from './fill.ts';
import { EVENTS_PER_TASK } from './flood.ts';
import { listening, type QueryTimes, timeQueries } from './latency.ts';
import { cpuSeconds, residentMiB } from './usage.ts';

export interface ScaleOptions {
  /** Four events each. */
  readonly tasks: number;
  readonly days: number;
  /** How often each query is asked. */
  readonly rounds: number;
  /** A history that was filled before; default: a Postgres of its own, filled first. */
  readonly databaseUrl?: string;
}

export interface ScaleResult {
  readonly times: readonly (QueryTimes & { readonly mostMs: number })[];
  /** Resident MiB of the agent: at rest, after the queries, and after each tenth of a stream of new events. */
  readonly memory: readonly { readonly when: string; readonly mib: number }[];
}

const BY_ID_MS = 10;
const PAGE_MS = 100;
const OVERVIEW_MS = 300;

const series = (rest: string): string => `/api/v1/series?from=now-24h&${rest}`;

/** What a search page, a task's page and the panels of the Overview dashboard ask for, and how long that may take. */
const QUERIES: readonly (readonly [label: string, mostMs: number, path: string])[] = [
  ['task by id', BY_ID_MS, '/api/v1/tasks/%ID%'],
  ['page: newest', PAGE_MS, '/api/v1/tasks?limit=100'],
  ['page: failures', PAGE_MS, '/api/v1/tasks?states=FAILURE&limit=100'],
  ['page: a name', PAGE_MS, '/api/v1/tasks?names=app.module_03.task_4&limit=100'],
  ['page: names by pattern', PAGE_MS, '/api/v1/tasks?names=app.module_03.*&limit=100'],
  ['page: worker and state', PAGE_MS, '/api/v1/tasks?workers=celery@worker-07.example&states=SUCCESS&limit=100'],
  ['page: queue, last day', PAGE_MS, '/api/v1/tasks?queues=queue-3&from=now-1d&limit=100'],
  ['page: a day last week', PAGE_MS, '/api/v1/tasks?from=now-7d&to=now-6d&limit=100'],
  ['page: by received', PAGE_MS, '/api/v1/tasks?sort=received&order=desc&limit=100'],
  ['page: text in args, last day', PAGE_MS, '/api/v1/tasks?args=customer-4711&from=now-1d&limit=100'],
  ['page: text that many have', PAGE_MS, '/api/v1/tasks?search=customer-47&limit=100'],
  ['page: slowest, last hour', PAGE_MS, '/api/v1/tasks?sort=runtime&order=desc&from=now-1h&limit=100'],
  ['Overview: success rate', OVERVIEW_MS, series('step=1m&columns=count&states=SUCCESS,FAILURE')],
  ['Overview: failures, sparkline', OVERVIEW_MS, series('step=5m&columns=count&states=FAILURE')],
  ['Overview: longest run', OVERVIEW_MS, '/api/v1/tasks?states=STARTED&sort=started&order=asc&limit=100'],
  [
    'Overview: finished by state',
    OVERVIEW_MS,
    series('step=5m&columns=count&by=state&states=SUCCESS,FAILURE,RETRY,REVOKED,REJECTED'),
  ],
  ['Overview: came and done', OVERVIEW_MS, series('step=5m&columns=rate&by=state&states=RECEIVED,SUCCESS')],
  ['Overview: failures by cause', OVERVIEW_MS, '/api/v1/failures?from=now-24h&limit=50'],
  ['Overview: 95th percentile by task', OVERVIEW_MS, series('step=5m&columns=p95&by=name&limit=10')],
  ['Overview: workers', OVERVIEW_MS, '/api/v1/workers'],
  ['Overview: queues', OVERVIEW_MS, '/api/v1/queues'],
  ['Overview: names for the variable', OVERVIEW_MS, '/api/v1/names'],
  ['week: finished by state', Infinity, '/api/v1/series?from=now-7d&step=1h&columns=count&by=state'],
  ['week: 95th percentile by task', Infinity, '/api/v1/series?from=now-7d&step=1h&columns=p95&by=name&limit=10'],
  ['text in args, all days', Infinity, '/api/v1/tasks?args=customer-4711&limit=100'],
  ['slowest of all', Infinity, '/api/v1/tasks?sort=runtime&order=desc&limit=100'],
];
/** New events while memory is watched. */
const STREAM_TASKS = 200_000;
const STREAM_RATE = 10_000;

/** How long the API of a real agent takes on a large history, and what memory the agent needs meanwhile. */
export async function scale(options: ScaleOptions, say: (text: string) => void): Promise<ScaleResult> {
  const redis = await startRedis();
  const databaseUrl = options.databaseUrl ?? (await filled(options, say));
  const agent = await startAgent({ brokerUrl: `${redis.url}/0`, databaseUrl });
  await listening(agent.url);
  const memory: { when: string; mib: number }[] = [];
  const watch = (when: string): void => void memory.push({ when, mib: residentMiB(agent.process().pid) });
  await untilAtRest(agent.process().pid);
  watch('at rest');
  const plain = QUERIES.map(([label, , path]) => [label, path] as const);
  const times = await timeQueries(agent.url, plain, options.rounds);
  watch(`after ${QUERIES.length * options.rounds} queries`);

  const tasks = Math.min(STREAM_TASKS, options.tasks);
  const publisher = startPublisher({ redisUrl: redis.url, tasks, rate: STREAM_RATE });
  for (let tenth = 1; tenth <= 10; tenth++) {
    const wanted = (tasks / 10) * tenth * EVENTS_PER_TASK;
    const counted = async (): Promise<boolean> =>
      (await agent.metrics()).sum('umbel_history_rows_total', { kind: 'events' }) >= wanted;
    await waitFor(counted, 600_000, `${wanted} rows`);
    watch(`after ${wanted.toLocaleString('en-US')} new events`);
  }
  await publisher.done;
  await agent.kill('SIGTERM');
  await redis.stop();
  return { times: times.map((one, index) => ({ ...one, mostMs: QUERIES[index]?.[1] ?? Infinity })), memory };
}

/** An agent that has just started reads the ids of the stored tasks first, for a second a million. */
async function untilAtRest(pid: number): Promise<void> {
  await waitFor(
    async () => {
      const before = cpuSeconds([pid]);
      await pause(1000);
      return cpuSeconds([pid]) - before < 0.1;
    },
    120_000,
    'the agent at rest',
  );
}

async function filled({ tasks, days }: ScaleOptions, say: (text: string) => void): Promise<string> {
  const postgres = await startPostgres({ shared_buffers: '256MB', max_wal_size: '4GB' });
  await fillHistory(postgres.url, { tasks, days }, (written) => {
    if (written % 500_000 === 0) say(`${written} tasks filled in`);
  });
  return postgres.url;
}
