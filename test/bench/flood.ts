import { Redis } from 'ioredis';
import { getObject } from '../support/http.ts';
import { startPublisher } from '../support/publisher.ts';
import { startRedis } from '../support/redis.ts';
import { pause, waitFor } from '../support/wait.ts';
import type { Subject, SubjectKind } from './subjects.ts';
import { cpuSeconds, peakMiB } from './usage.ts';

export const EVENTS_PER_TASK = 3;
/**
 * Part of the stream that goes before it, for every subject alike: what starts cold is compiled, and a fresh Postgres has
 * its catalogue in its caches and files for its log.
 */
const WARM_UP_SHARE = 0.25;
/** No progress for so long means that the rest is lost. */
const GIVE_UP_MS = 5000;

export interface FloodResult {
  readonly published: number;
  readonly counted: number;
  readonly perSecond: number;
  readonly cpuPerMillion: number;
  readonly peakMiB: number;
  /** Duration of each scrape while the flood ran, ms; empty where there is no /metrics. */
  readonly scrapeMs: readonly number[];
  /** Rows of `/api/v1/gaps`, where there is such an API. */
  readonly gaps?: number;
}

/** Resolves once somebody listens to the event channels. */
async function untilListening(redisUrl: string): Promise<void> {
  const redis = new Redis(redisUrl);
  try {
    await waitFor(async () => Number(await redis.call('PUBSUB', 'NUMPAT')) > 0, 60_000, 'a subscriber');
  } finally {
    redis.disconnect();
  }
}

/** Looks at the counter until it has reached `target` or stands still; resolves to count and instant of the last step. */
async function follow(
  subject: Subject,
  kind: SubjectKind,
  target: number,
): Promise<{ counted: number; atMs: number; scrapeMs: number[] }> {
  const scrapeMs: number[] = [];
  let counted = 0;
  let atMs = performance.now();
  for (;;) {
    const asked = performance.now();
    // A program that ended, as celery-exporter does when Redis cuts it off, counts no more.
    const now = await subject.done().catch(() => counted);
    const answered = performance.now();
    if (subject.metrics !== undefined) scrapeMs.push(answered - asked);
    if (now > counted) [counted, atMs] = [now, answered];
    if (counted >= target || answered - atMs > GIVE_UP_MS + 2 * kind.lookEveryMs) return { counted, atMs, scrapeMs };
    await pause(kind.lookEveryMs);
  }
}

/** One subject, one stream. `redisArgs` sets the limits of Redis' output buffers. */
export async function flood(
  kind: SubjectKind,
  options: {
    readonly events: number;
    /** Events before that, default a quarter of them. */
    readonly warmUp?: number;
    readonly batch: number;
    readonly rate?: number;
    readonly redisArgs?: readonly string[];
  },
): Promise<FloodResult> {
  const redis = await startRedis(options.redisArgs ?? ['--client-output-buffer-limit', 'pubsub 0 0 0']);
  const subject = await kind.start(redis.url);
  try {
    await untilListening(redis.url);
    const { events, warmUp = events * WARM_UP_SHARE, batch } = options;
    const [tasks, warmUpTasks] = [events, warmUp].map((n) => Math.ceil(n / EVENTS_PER_TASK)) as [number, number];
    const warm = await startPublisher({ redisUrl: redis.url, tasks: warmUpTasks, batch }).done;
    await follow(subject, kind, warm.events);
    const publisher = startPublisher({
      redisUrl: redis.url,
      tasks,
      batch,
      wait: true,
      ...(options.rate === undefined ? {} : { rate: options.rate }),
    });
    await publisher.go();
    const [cpuBefore, startedMs] = [cpuSeconds(subject.cpuPids), performance.now()];
    const sent = publisher.done;
    const target = warm.events + tasks * EVENTS_PER_TASK;
    const { counted, atMs, scrapeMs } = await follow(subject, kind, target);
    const cpu = cpuSeconds(subject.cpuPids) - cpuBefore;
    const { events: published } = await sent;
    // A program that ended has counted nothing, not even what came before.
    const heard = Math.max(0, counted - warm.events);
    const gaps = subject.url === undefined ? undefined : await gapRows(subject.url);
    return {
      published,
      counted: heard,
      perSecond: heard / ((atMs - startedMs) / 1000),
      cpuPerMillion: cpu / (heard / 1e6),
      peakMiB: peakMiB(subject.pid),
      scrapeMs,
      ...(gaps === undefined ? {} : { gaps }),
    };
  } finally {
    await subject.stop();
    await redis.stop();
  }
}

/** How many times of deafness the agent reports; undefined for those that report none. */
async function gapRows(url: string): Promise<number | undefined> {
  const answer = await getObject(`${url}/api/v1/gaps`).catch(() => undefined);
  const rows = answer?.['gaps'] ?? answer?.['items'];
  return Array.isArray(rows) ? rows.length : undefined;
}
