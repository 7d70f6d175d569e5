import pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { buffer } from 'node:stream/consumers';
import { finished } from 'node:stream/promises';
import { startAgent } from '../support/agent.ts';
import { temporaryDirectory } from '../support/cleanup.ts';
import { startPublisher } from '../support/publisher.ts';
import { startRedis } from '../support/redis.ts';
import { pause } from '../support/wait.ts';
import { EVENTS_PER_TASK } from './flood.ts';
import { cpuSeconds, embeddedUrl, postmasterUnder } from './usage.ts';

/** Events a transaction of raw COPY stores: as many as a full write of the agent. */
const CHUNK_EVENTS = 4000;

export interface RawCopy {
  /** Connections that copy at once. */
  readonly connections: number;
  /** Events whose rows, and whose tasks' and roll-ups' rows, were stored durably, a second. */
  readonly perSecond: number;
  /** Of Postgres alone. */
  readonly cpuPerMillion: number;
}

/** One transaction: what to copy into which table, encoded. */
type Chunk = readonly { readonly table: string; readonly bytes: Buffer }[];

/**
 * What Postgres itself can take: the rows that the agent has stored of a flood are read back in COPY's binary format, the
 * tables are emptied, and the same rows are copied into the same tables and indexes, in transactions as large as the
 * agent's, with nothing else to do.
 */
export async function rawCopy(
  events: number,
  connections: readonly number[],
): Promise<{ readonly perSecond: number; readonly raw: readonly RawCopy[] }> {
  const redis = await startRedis(['--client-output-buffer-limit', 'pubsub 0 0 0']);
  const dataDir = await temporaryDirectory('bench');
  const agent = await startAgent({ brokerUrl: `${redis.url}/0`, databaseUrl: 'embedded', dataDir, args: [] });
  try {
    const tasks = Math.ceil(events / EVENTS_PER_TASK);
    const stored = async (): Promise<number> =>
      (await agent.metrics()).sum('umbel_history_rows_total', { kind: 'events' });
    const publish = async (count: number): Promise<{ sent: number; perSecond: number }> => {
      const before = await stored();
      const publisher = startPublisher({ redisUrl: redis.url, tasks: count, wait: true });
      await publisher.go();
      const startMs = performance.now();
      while ((await stored()) < before + count * EVENTS_PER_TASK) await pause(250);
      const seconds = (performance.now() - startMs) / 1000;
      const { events: sent } = await publisher.done;
      return { sent, perSecond: sent / seconds };
    };
    const warm = await publish(Math.ceil(tasks / 4));
    const flood = await publish(tasks);
    const sent = warm.sent + flood.sent;
    const url = embeddedUrl(dataDir);
    const chunks = await readChunks(url, Math.ceil(sent / CHUNK_EVENTS));
    const raw: RawCopy[] = [];
    for (const count of connections) raw.push(await copyAll(url, chunks, count, sent, postmasterUnder(dataDir) ?? 0));
    return { perSecond: flood.perSecond, raw };
  } finally {
    await agent.kill('SIGTERM');
    await redis.stop();
  }
}

const TABLES = ['celery_task_events', 'celery_tasks', 'celery_task_rollups', 'celery_task_rollups_hourly'] as const;

async function readChunks(url: string, count: number): Promise<Chunk[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    for (const table of TABLES) {
      // In the order in which they were stored.
      await client.query(
        `create temp table raw_${table} as select *, ntile(${count}) over (order by tableoid, ctid) - 1 as chunk from ${table}`,
      );
      await client.query(`create index on raw_${table} (chunk)`);
    }
    const chunks: Chunk[] = [];
    for (let chunk = 0; chunk < count; chunk++) {
      const parts: { table: string; bytes: Buffer }[] = [];
      for (const table of TABLES) {
        const { rows } = await client.query<{ columns: string }>(
          `select string_agg(quote_ident(column_name), ', ' order by ordinal_position) as columns
           from information_schema.columns where table_name = $1 and table_schema = 'public'`,
          [table],
        );
        const columns = rows[0]?.columns ?? '';
        const out = client.query(
          copyTo(`copy (select ${columns} from raw_${table} where chunk = ${chunk}) to stdout (format binary)`),
        );
        parts.push({ table, bytes: await buffer(out) });
      }
      chunks.push(parts);
    }
    return chunks;
  } finally {
    await client.end();
  }
}

async function copyAll(
  url: string,
  chunks: readonly Chunk[],
  connections: number,
  events: number,
  postmaster: number,
): Promise<RawCopy> {
  const clients = Array.from({ length: connections }, () => new pg.Client({ connectionString: url }));
  for (const client of clients) await client.connect();
  try {
    await clients[0]?.query(`truncate ${TABLES.join(', ')}; checkpoint`);
    const [cpuBefore, startMs] = [cpuSeconds([postmaster]), performance.now()];
    const waiting = chunks.values();
    await Promise.all(
      clients.map(async (client) => {
        for (const chunk of waiting) await copyChunk(client, chunk);
      }),
    );
    const seconds = (performance.now() - startMs) / 1000;
    return {
      connections,
      perSecond: events / seconds,
      cpuPerMillion: (cpuSeconds([postmaster]) - cpuBefore) / (events / 1e6),
    };
  } finally {
    for (const client of clients) await client.end();
  }
}

async function copyChunk(client: pg.Client, chunk: Chunk): Promise<void> {
  await client.query('begin');
  for (const { table, bytes } of chunk) {
    const stream = client.query(copyFrom(`copy ${table} from stdin (format binary)`));
    const done = finished(stream);
    stream.end(bytes);
    await done;
  }
  await client.query('commit');
}
