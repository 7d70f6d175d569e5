/**
 * The stack without containers: Prometheus and Alertmanager with the provisioned files, Postgres, Redis, RabbitMQ, real
 * Celery workers and two agents. Causes every alert, sees it fire and stop; runs every query of the dashboards.
 *
 * Replaced are the addresses and time: everything runs 120 times as fast (acceleration.ts), and what needs a day or a
 * week of history finds it in Prometheus already. Limits that a small machine does not reach are lowered
 * (fast-motion.testkit.ts).
 */
import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { RunningAgent } from '../support/agent.ts';
import { startAgent } from '../support/agent.ts';
import type { CeleryWorker } from '../support/celery.ts';
import { startCelery } from '../support/celery.ts';
import { freshDatabase } from '../support/database.ts';
import { freePort } from '../support/ports.ts';
import type { PostgresServer } from '../support/postgres.ts';
import { startPostgres } from '../support/postgres.ts';
import { startProcess } from '../support/processes.ts';
import type { RabbitMqServer } from '../support/rabbitmq.ts';
import { startRabbitMq } from '../support/rabbitmq.ts';
import type { RedisServer } from '../support/redis.ts';
import { startRedis } from '../support/redis.ts';
import { pause, waitFor } from '../support/wait.ts';
import { fasterConfig, fasterRules } from './acceleration.ts';
import { causeEvictions, EventForger, sendLoads, sendTasks, TOKEN } from './causes.testkit.ts';
import { EXPECTED, FACTOR, LIMITS, LOWERED, past } from './fast-motion.testkit.ts';
import type { FiringAlert, PrometheusServer } from './prometheus.testkit.ts';
import { startAlertmanager, startPrometheus } from './prometheus.testkit.ts';
import { dashboardQueries } from './queries.testkit.ts';
import { alerts, recordings } from './rules.testkit.ts';

/** Neither Redis nor RabbitMQ tells this; the simulated cluster does. */
const WITHOUT_DATA = /^max by \(queue_name\) \(umbel_queue_oldest_message_age_seconds/;
/** No agent tells of these yet, or nothing here causes them: one agent a broker, without slices. */
const WITHOUT_METRIC = ['CeleryTasksOrphaned', 'UmbelLeader', 'UmbelSliceMissing'];

let redis: RedisServer;
let spare: RedisServer;
let rabbit: RabbitMqServer;
let postgres: PostgresServer;
let agent: RunningAgent;
let second: RunningAgent;
let prometheus: PrometheusServer;
let alertmanager: Awaited<ReturnType<typeof startAlertmanager>>;
let workers: Record<'orders' | 'reports' | 'killed' | 'frozen', CeleryWorker>;
let forger: EventForger;
const fired = new Map<string, FiringAlert>();

async function openBrokers(): Promise<number> {
  const prometheusPort = await freePort();
  [redis, spare, postgres, rabbit] = await Promise.all([
    startRedis(),
    startRedis(),
    startPostgres(),
    startRabbitMq({
      plugins: ['rabbitmq_management', 'rabbitmq_prometheus'],
      config: () => [`prometheus.tcp.ip = 127.0.0.1`, `prometheus.tcp.port = ${prometheusPort}`],
    }),
  ]);
  return prometheusPort;
}

async function openAgents(): Promise<void> {
  const args = [
    '--tokens',
    `test:admin:${TOKEN}`,
    '--probe-interval',
    '1s',
    '--worker-timeout',
    '14s',
    '--queues',
    'bulk,void',
  ];
  [agent, second] = await Promise.all([
    startAgent({ brokerUrl: `${redis.url}/0`, databaseUrl: (await freshDatabase(postgres.url)).url, args }),
    startAgent({
      brokerUrl: rabbit.url,
      databaseUrl: (await freshDatabase(postgres.url)).url,
      // A result backend that nobody answers for, and workers that nobody asks for events.
      args: [...args, '--no-enable-events', '--result-backend', 'redis://127.0.0.1:1/0'],
    }),
  ]);
}

async function openWorkers(): Promise<void> {
  const brokerUrl = `${redis.url}/0`;
  const start = (name: string, queues: string[], concurrency: number): Promise<CeleryWorker> =>
    startCelery({ brokerUrl, name, queues, concurrency });
  const [orders, reports, killed, frozen] = await Promise.all([
    start('orders', ['celery', 'emails'], 2),
    start('reports', ['reports'], 1),
    start('killed', ['emails'], 1),
    start('frozen', ['idle'], 1),
  ]);
  workers = { orders, reports, killed, frozen };
}

async function openMonitoring(rabbitPrometheusPort: number): Promise<void> {
  const exporterPort = await freePort();
  startProcess({
    name: 'redis exporter',
    command: 'prometheus-redis-exporter',
    args: ['-redis.addr', spare.url, '-web.listen-address', `127.0.0.1:${exporterPort}`],
  });
  alertmanager = await startAlertmanager();
  const address = new URL(agent.url).host;
  const addresses = {
    'agent:5555': address,
    'agent-rabbitmq:5555': new URL(second.url).host,
    'rabbitmq:15692': `127.0.0.1:${rabbitPrometheusPort}`,
    'redis-exporter:9121': `127.0.0.1:${exporterPort}`,
    'alertmanager:9093': alertmanager.address,
    'localhost:9090': address, // Prometheus of itself: not needed here
  };
  prometheus = await startPrometheus({
    config: fasterConfig(addresses, { scrape: '500ms', rules: '500ms' }),
    rules: fasterRules(FACTOR, { ...LIMITS, ...LOWERED }, EXPECTED),
    past: past([address]),
  });
}

/** Resolves when each has fired; what else fires meanwhile is kept, too. */
async function fire(...names: readonly string[]): Promise<void> {
  await waitFor(
    async () => {
      for (const alert of await prometheus.firing()) fired.set(alert.labels['alertname'] ?? '', alert);
      const missing = names.filter((name) => !fired.has(name));
      if (missing.length > 0) throw new Error(`silent: ${missing.join(', ')}`);
      return true;
    },
    60_000,
    'every alert firing',
  ).catch((error: unknown) => {
    throw new Error(String((error as Error).cause ?? error), { cause: error });
  });
}

// With time 120 times as fast, half a second in which this machine does something else is a minute to the rules.
jest.retryTimes(2, { logErrorsBeforeRetry: true, retryImmediately: true });

beforeAll(async () => {
  const rabbitPrometheusPort = await openBrokers();
  const mute = { brokerUrl: rabbit.url, backend: `${redis.url}/1`, name: 'mute', events: false, concurrency: 1 };
  await Promise.all([openAgents(), openWorkers(), startCelery(mute)]);
  forger = new EventForger(redis.url);
  await openMonitoring(rabbitPrometheusPort);
}, 300_000);

describe('the stack', () => {
  it('is quiet while all is well', async () => {
    await sendTasks(agent.url, 'shop.add', 12, { args: [1, 2], queue: 'celery' });
    await waitFor(async () => (await prometheus.query('celery:worker_online == 1')).length >= 4, 30_000, 'workers');
    await pause(8000);
    const loud = (await prometheus.firing()).map(({ labels }) => labels['alertname'] ?? '');
    const wanted = alerts.filter(({ expr }) =>
      Object.keys(LOWERED).some((name) => expr.includes(`umbel:limit:${name})`)),
    );
    const known = [
      ...wanted.map(({ alert }) => alert),
      'CeleryWorkersFewer',
      'CeleryScheduledTaskMissing',
      'CeleryResultBackendDown',
      'CeleryTrafficGone',
    ];
    expect(loud.filter((name) => !known.includes(name))).toEqual([]);
  }, 60_000);

  it('says when tasks fail, are retried, rejected, revoked, or too late', async () => {
    for (let round = 0; round < 2; round++) {
      await sendLoads(`${redis.url}/0`, [
        ...[['failing', 60] as const, ['retrying', 40] as const, ['rejected', 3] as const],
        ...[['expired', 40] as const, ['revoked', 40] as const],
      ]);
    }
    await fire(
      ...[
        'CeleryTaskFailureRateHigh',
        'CelerySuccessRateLow',
        'CelerySuccessBudgetBurnFast',
        'CelerySuccessBudgetBurnSlow',
      ],
      ...['CeleryTaskFailureSpike', 'CeleryTaskNewException', 'CeleryTaskNeverSucceeds', 'CeleryRetryStorm'],
      ...['CeleryTasksRejected', 'CeleryTasksRevoked', 'CeleryTasksExpired', 'CeleryScheduledTaskMissing'],
    );
  }, 120_000);

  it('says when work piles up, waits, hangs, or is lost', async () => {
    await sendTasks(agent.url, 'shop.sleep', 12, { args: [60], queue: 'reports' });
    await sendTasks(agent.url, 'shop.sleep', 250, { args: [0.5], queue: 'emails' });
    await sendTasks(agent.url, 'shop.add', 3, { args: [1, 1], queue: 'void' });
    await workers.killed.kill('SIGKILL');
    await waitFor(async () => (await prometheus.query('celery_queue_length{queue_name="void"} > 0')).length > 0);
    await forger.deleteKey('void');
    await sendTasks(agent.url, 'shop.add', 120, { args: [1, 1], queue: 'bulk' });
    const growing = (async () => {
      for (let i = 0; i < 20; i++) {
        await sendTasks(agent.url, 'shop.add', 4, { args: [1, 1], queue: 'bulk' });
        await pause(1000);
      }
    })();
    await fire(
      ...[
        'CeleryQueueLong',
        'CeleryQueueGrowing',
        'CeleryQueueStuck',
        'CeleryQueueUnconsumed',
        'CeleryOldestMessageOld',
      ],
      ...[
        'CeleryQueueDrainSlow',
        'CeleryQueueWaitHigh',
        'CeleryPrefetchWaitHigh',
        'CeleryTaskSlow',
        'CeleryPoolSaturated',
      ],
      ...[
        'CeleryQueueStuckWithWorkers',
        'CeleryTaskRunningTooLong',
        'CeleryTasksLost',
        'CeleryUnackedHigh',
        'CeleryWorkerOffline',
      ],
    );
    await growing;
  }, 120_000);

  it('answers every query of every dashboard and every recording rule', async () => {
    await sendLoads(`${redis.url}/0`, [['simple', 20]]);
    const silent: string[] = [];
    for (const { dashboard, expr } of dashboardQueries('20s')) {
      if (WITHOUT_DATA.test(expr)) continue;
      if ((await prometheus.query(expr)).length === 0) silent.push(`${dashboard}: ${expr}`);
    }
    for (const { record } of recordings) {
      if ((await prometheus.query(`last_over_time(${record}[2m])`)).length === 0) silent.push(record);
    }
    expect(silent).toEqual([]);
  }, 60_000);

  it("fires celery-mixin's and Flower's alerts, their expressions unchanged", async () => {
    await sendLoads(`${redis.url}/0`, [['failing', 20]]);
    const selector = 'job=~".*celery.*", queue_name!~"None", name!~"None"';
    const rate = (family: string): string =>
      `sum(increase(${family}{${selector}}[10m])) by (job, namespace, queue_name, name)`;
    const published = [
      `${rate('celery_task_failed_total')} / (${rate('celery_task_failed_total')} + ${rate('celery_task_succeeded_total')}) * 100 > 5`,
      'sum(celery_queue_length{job=~".*celery.*", queue_name!~"None"}) by (job, namespace, queue_name) > 100',
      'celery_worker_up{job=~".*celery.*"} == 1',
      'flower_worker_online == 0',
      '(sum(avg_over_time(flower_events_total{type="task-failed"}[15m])) by (task) / sum(avg_over_time(flower_events_total{type=~"task-failed|task-succeeded"}[15m])) by (task)) * 100 > 1',
      'sum(avg_over_time(flower_task_prefetch_time_seconds[15m])) by (task, worker) > 1',
    ];
    for (const expr of published) {
      await waitFor(async () => (await prometheus.query(expr)).length > 0, 20_000, expr);
    }
  }, 120_000);

  it('says when workers are late, alone, restless, mute, or differ', async () => {
    process.kill(workers.frozen.pid, 'SIGSTOP');
    await sendTasks(agent.url, 'shop.add', 3, { args: [1, 1], queue: 'idle' });
    const forging = (async () => {
      for (let i = 0; i < 45; i++) {
        await forger.send('worker-heartbeat', 'skewed@elsewhere', {
          sw_ver: '4.0.0',
          timestamp: Date.now() / 1000 - 30,
          freq: 2,
        });
        await forger.send('worker-online', 'restless@elsewhere', { pid: i, freq: 2 });
        if (i < 20) await forger.garbage();
        await pause(700);
      }
    })();
    for (let i = 0; i < 4; i++) await sendLoads(rabbit.url, [['simple', 5]], `${redis.url}/1`);
    await fire(
      ...['CeleryWorkerIdle', 'CeleryWorkerHeartbeatLate', 'CeleryControlRepliesMissing', 'CeleryWorkerClockSkew'],
      ...[
        'CeleryWorkerRestarting',
        'CeleryVersionMix',
        'CeleryWorkerEventsOff',
        'CeleryWorkersFewer',
        'UmbelEventsRejected',
      ],
      ...['CeleryWorkerMemoryHigh', 'CeleryWorkerLoadHigh', 'CeleryWorkerCpuHigh', 'CeleryQueueWithoutWorkers'],
    );
    await forging;
  }, 120_000);

  it('says when broker, backend, database or agent are away, and holds the rest back', async () => {
    await fetch(`${second.url}/api/task/result/${TOKEN}`, { headers: { authorization: `Bearer ${TOKEN}` } });
    const evicting = causeEvictions(spare.url);
    for (let i = 0; i < 10; i++) {
      await forger.cutSubscribers();
      await pause(500);
    }
    await fire(
      'CeleryBrokerReconnects',
      'UmbelEventsLost',
      'CeleryBrokerMemoryHigh',
      'CeleryBrokerEvictions',
      'CeleryResultBackendDown',
    );
    await evicting;
    await postgres.stop();
    await fire('UmbelHistoryNotWriting', 'UmbelHistoryErrors');
    await postgres.start();
    const late = (async () => {
      for (let i = 0; i < 80; i++) {
        await forger.send('worker-heartbeat', 'skewed@elsewhere', { timestamp: Date.now() / 1000 - 60 });
        await pause(50);
      }
    })();
    for (const worker of [workers.orders, workers.reports]) process.kill(worker.pid, 'SIGSTOP');
    await fire('UmbelEventLag');
    await late;
    await fire('UmbelAgentDeaf');
    await redis.stop();
    await second.kill('SIGKILL');
    await fire(
      'CeleryBrokerUnreachable',
      'UmbelProbesFailing',
      'UmbelAgentDown',
      'CeleryTrafficGone',
      'CeleryNoWorkers',
    );
    expect(await alertmanager.alerts()).toEqual(expect.arrayContaining(['CeleryBrokerUnreachable', 'UmbelAgentDown']));
  }, 180_000);

  it('has caused every alert there is, each with texts and links that are filled in', () => {
    const missing = alerts
      .map(({ alert }) => alert)
      .filter((name) => !fired.has(name) && !WITHOUT_METRIC.includes(name));
    expect(missing).toEqual([]);
    for (const { annotations } of fired.values()) {
      for (const text of Object.values(annotations)) expect(text).not.toMatch(/<no value>|<error|\{\{/);
      expect(annotations['dashboard']).toMatch(/^http:\/\/localhost:3000\/d\/umbel-/);
      expect(annotations['runbook_url']).toMatch(/^https:.*runbooks\.md#\w+$/);
    }
  });

  it('falls silent when the causes are gone', async () => {
    for (const worker of Object.values(workers)) await worker.kill('SIGKILL');
    await redis.restart();
    await second.restart();
    await prometheus.rules(fasterRules(FACTOR, LIMITS, []));
    await openWorkers();
    const quiet = new AbortController();
    const calm = (async () => {
      for (let i = 0; i < 60 && !quiet.signal.aborted; i++) {
        await sendTasks(agent.url, 'shop.add', 5, { args: [1, 2], queue: 'celery' });
        await pause(1500);
      }
    })();
    // Those that are gone stay known for the purge time, as offline; RabbitMQ's worker stays mute; what a killed worker
    // had in hand, or was lost, has no other state; and the load of this machine may be what it is.
    const stay = [
      'CeleryTaskRunningTooLong',
      'CeleryTasksLost',
      'CeleryPrefetchWaitHigh',
      'CeleryUnackedHigh',
      'CeleryWorkerLoadHigh',
      'CeleryWorkerOffline',
      'CeleryWorkerEventsOff',
      'CeleryResultBackendDown',
      'CeleryQueueWithoutWorkers',
    ];
    await waitFor(
      async () => {
        const loud = (await prometheus.firing()).map(({ labels }) => labels['alertname'] ?? '');
        const left = loud.filter((name) => !stay.includes(name));
        if (left.length > 0) throw new Error(`still firing: ${[...new Set(left)].join(', ')}`);
        return true;
      },
      75_000,
      'silence',
    ).catch((error: unknown) => {
      throw new Error(String((error as Error).cause ?? error), { cause: error });
    });
    quiet.abort();
    await calm;
  }, 150_000);
});
