import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from '@jest/globals';
import { openReception, type Reception } from '../../agent/src/app/reception.ts';
import { maskerOf } from '../../agent/src/app/results.ts';
import { metricsOptions } from '../../agent/src/app/settings.ts';
import { loadConfig } from '../../agent/src/config/load.ts';
import { ClusterState } from '../../agent/src/core/state/cluster.ts';
import { createLiveHub } from '../../agent/src/sinks/live/hub.ts';
import { createMetrics, type Metrics } from '../../agent/src/sinks/metrics/metrics.ts';
import { closeAtEnd, temporaryDirectory } from '../support/cleanup.ts';
import { CloserStack } from '../../agent/src/lib/closer-stack.ts';
import { deliverLost } from '../../agent/src/app/pipeline.ts';
import { freshDatabase, queryRows } from '../support/database.ts';
import { FastClock } from '../support/fast-clock.ts';
import { envelope } from '../celery-app/publish.mjs';
import { pause } from '../support/wait.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** The long form has the load of a small site, the short one its shape: heartbeats every half minute, a task every ten seconds. */
const LOAD =
  process.env['UMBEL_TEST_LONG'] === '1'
    ? { workers: 10, heartbeatSeconds: 2, tasksPerMinute: 70, stepMs: MINUTE_MS }
    : { workers: 3, heartbeatSeconds: 30, tasksPerMinute: 6, stepMs: 20 * MINUTE_MS };
/** Noon of one day to noon of the third: two midnights, of which the second ends the retention of the first day. */
const START_MS = Date.UTC(2026, 4, 4, 12);
const HOURS = 48;
const LONGEST_MS = process.env['UMBEL_TEST_LONG'] === '1' ? HOUR_MS : 5 * MINUTE_MS;

interface Site {
  readonly clock: FastClock;
  readonly reception: Reception;
  readonly cluster: ClusterState;
  readonly metrics: Metrics;
  readonly databaseUrl: string;
}

const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

/** The agent between the broker and its sinks, on a clock of its own. Brokers and clients have deadlines that a fast clock would break. */
async function openSite(): Promise<Site> {
  const clock = new FastClock(START_MS);
  const open = closeAtEnd(new CloserStack());
  const databaseUrl = (await freshDatabase()).url;
  const dataDir = await temporaryDirectory('day');
  const args = ['--database-url', databaseUrl, '--data-dir', dataDir, '--retention-days', '1'];
  const { config } = loadConfig(args, {}, { hostname: 'h', readFile: () => '' });
  const cluster = new ClusterState({ ...config.limits, recentEvents: 50_000 });
  const metrics = createMetrics(metricsOptions(config, '0'), clock);
  open.use(metrics.startSweeping());
  const reception = await openReception(
    config,
    {
      clock,
      logger: quiet,
      transport: {
        scheme: 'redis',
        settle: () => undefined,
        health: () => ({ connected: true, sinceMs: START_MS, reconnects: 0 }),
      },
      cluster,
      metrics,
      live: createLiveHub({ clock }),
      otlp: undefined,
      masker: maskerOf(config),
      shedding: { refuses: () => false },
    },
    open,
  );
  await reception.history?.firstTry;
  const sweep = (): void => {
    for (const change of cluster.sweep(clock.now())) deliverLost(change, clock.now(), reception.sinks);
  };
  open.use({ close: clock.every(1000, sweep) });
  return { clock, reception, cluster, metrics, databaseUrl };
}

/** The events of one step, by time. Every hour one worker is replaced by a new one, as in a cluster that scales. */
function eventsOf(fromMs: number, toMs: number): Record<string, unknown>[] {
  const events: Record<string, unknown>[] = [];
  const hour = Math.floor((fromMs - START_MS) / HOUR_MS);
  const workers = Array.from({ length: LOAD.workers }, (_, n) => (n === 0 ? `shift-${hour}@host` : `w${n}@host`));
  for (let at = fromMs; at < toMs; at += LOAD.heartbeatSeconds * 1000) {
    for (const hostname of workers) {
      const state = { freq: LOAD.heartbeatSeconds, active: 1, processed: 1, loadavg: [0.1, 0.1, 0.1] };
      events.push({ type: 'worker-heartbeat', hostname, pid: 1, clock: at / 1000, timestamp: at / 1000, ...state });
    }
  }
  const everyMs = MINUTE_MS / LOAD.tasksPerMinute;
  for (let at = fromMs; at < toMs; at += everyMs) {
    const uuid = `task-${Math.round(at)}`;
    const hostname = workers[Math.round(at / everyMs) % workers.length];
    const head = { hostname, uuid, pid: 1, retries: 0 };
    const at1 = at / 1000;
    // It ends three minutes later: some are under way at midnight.
    events.push({
      ...head,
      type: 'task-received',
      name: 'shop.add',
      args: '()',
      kwargs: '{}',
      clock: at1,
      timestamp: at1,
    });
    events.push({ ...head, type: 'task-started', clock: at1 + 1, timestamp: at1 + 1 });
    events.push({ ...head, type: 'task-succeeded', result: '1', runtime: 179, clock: at1 + 180, timestamp: at1 + 180 });
  }
  return events;
}

async function step({ clock, reception }: Site): Promise<number> {
  const events = eventsOf(clock.now(), clock.now() + LOAD.stepMs);
  clock.advance(LOAD.stepMs);
  for (let at = 0; at < events.length; at += 50) {
    const payload = Buffer.from(envelope(events.slice(at, at + 50), 'task.multi'));
    reception.ingest.accept({ receivedMs: clock.now(), routingKey: 'task.multi', payload });
  }
  const { intake, history } = reception;
  while (!intake.empty || history?.queue.empty === false) {
    clock.advance(100);
    await pause(1);
  }
  return events.length;
}

const collect = (): number => {
  setFlagsFromString('--expose_gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed;
};

it(
  `${HOURS} hours of load in fast motion: memory stays flat, nothing grows, partitions come and go`,
  async () => {
    const site = await openSite();
    const { clock, cluster, metrics, databaseUrl, reception } = site;
    const looks: { heap: number; series: number; workers: number; timers: number }[] = [];
    let sent = 0;
    let drift = 0;
    for (let hour = 0; hour < HOURS; hour++) {
      // What was waited for is taken from the next hour, so that an hour is one.
      const endMs = START_MS + (hour + 1) * HOUR_MS;
      while (clock.now() + LOAD.stepMs <= endMs + drift) sent += await step(site);
      drift = Math.max(0, clock.now() - endMs);
      if (hour % 12 !== 11) continue;
      const series = metrics.labelSets().used;
      looks.push({ heap: collect(), series, workers: cluster.counts().workers, timers: clock.timers });
    }
    const [early, ...later] = looks;
    if (early === undefined) throw new Error('no look');
    for (const look of later) {
      expect(look.heap).toBeLessThan(early.heap + 24 * 1024 * 1024);
      expect(look.series).toBeLessThanOrEqual(early.series + 10);
      expect(look.timers).toBeLessThanOrEqual(early.timers + 5);
    }
    process.stdout.write(`day: ${sent} events, ${JSON.stringify(looks)}\n`);

    const { totals } = reception;
    expect(totals).toMatchObject({ rejects: 0, dropped: 0 });
    const online = cluster.workers().filter((worker) => worker.online);
    expect(online).toHaveLength(LOAD.workers);
    expect((await metrics.text()).body).not.toContain('shift-1@host'); // gone for more than an hour

    const days = await queryRows<{ day: string }>(
      databaseUrl,
      `select distinct substring(relname from 'p([0-9]{8})$') as day from pg_class
     where relname ~ '^celery_task_events_p[0-9]{8}$' order by day`,
    );
    const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10).replaceAll('-', '');
    const held = days.map(({ day }) => day);
    expect(held).not.toContain(dayOf(START_MS));
    for (const ms of [START_MS + DAY_MS, START_MS + 2 * DAY_MS, START_MS + 3 * DAY_MS])
      expect(held).toContain(dayOf(ms));
    const [rows] = await queryRows<Record<string, number>>(
      databaseUrl,
      `select (select count(*) from celery_task_events_default)::int as stray,
       (select count(*) from celery_tasks where state <> 'SUCCESS')::int as unfinished,
       (select count(*) from celery_task_events)::int as events,
       (select count(distinct identity) from celery_task_events)::int as identities,
       (select sum(received)::int from celery_task_rollups) as received`,
    );
    expect(rows?.['stray']).toBe(0);
    expect(rows?.['unfinished']).toBe(0);
    expect(rows?.['events']).toBe(rows?.['identities']);
    expect(rows?.['received']).toBe(totals.taskEvents / 3); // the roll-ups outlive the events
  },
  LONGEST_MS,
);
