/**
 * The stack without containers: Prometheus and Alertmanager with the provisioned files, Postgres, Redis, RabbitMQ, real
 * Celery workers and three agents. Causes every alert but two (apart.test.ts), sees it fire and stop; runs every query of
 * the dashboards.
 *
 * All causes that can be there together are, and each stays or comes again until all alerts have fired: a machine that
 * is busy with something else for some seconds delays them, no more.
 *
 * Replaced are the addresses and time: everything runs 120 times as fast (acceleration.ts), and what needs a day or a
 * week of history finds it in Prometheus already. Limits that a small machine does not reach are lowered
 * (fast-motion.testkit.ts).
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunningAgent } from '../support/agent.ts';
import { startAgent } from '../support/agent.ts';
import type { CeleryWorker } from '../support/celery.ts';
import { startCelery } from '../support/celery.ts';
import { closeAtEnd } from '../support/cleanup.ts';
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
import { causeEvictions, EventForger, keepSending, sendTasks, TOKEN } from './causes.testkit.ts';
import { EXPECTED, FACTOR, LIMITS, LOWERED, past } from './fast-motion.testkit.ts';
import type { AlertmanagerServer, FiringAlert, PrometheusServer } from './prometheus.testkit.ts';
import { startAlertmanager, startPrometheus } from './prometheus.testkit.ts';
import { PUBLISHED } from './published-alerts.testkit.ts';
import { dashboardQueries } from './queries.testkit.ts';
import { alerts, recordings } from './rules.testkit.ts';

/**
 * Not caused here: what is orphaned is looked for twice while the agent hears everything, and here its connection is cut
 * again and again; another number of slices would add a fourth agent. test/stack/apart.test.ts causes both.
 */
const NOT_CAUSED = ['CeleryTasksOrphaned', 'UmbelSlicesMixed'];

let redis: RedisServer;
let spare: RedisServer;
let rabbit: RabbitMqServer;
let postgres: PostgresServer;
let agent: RunningAgent;
let second: RunningAgent;
/** Of two; nobody has the other half of the stream. */
let half: RunningAgent;
let prometheus: PrometheusServer;
let alertmanager: AlertmanagerServer;
let workers: readonly CeleryWorker[];
let killed: CeleryWorker;
let frozen: CeleryWorker;
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
  [agent, second, half] = await Promise.all([
    startAgent({ brokerUrl: `${redis.url}/0`, databaseUrl: (await freshDatabase(postgres.url)).url, args }),
    startAgent({
      brokerUrl: rabbit.url,
      databaseUrl: (await freshDatabase(postgres.url)).url,
      // A result backend that nobody answers for, and workers that nobody asks for events.
      args: [...args, '--no-enable-events', '--result-backend', 'redis://127.0.0.1:1/0'],
    }),
    startAgent({
      brokerUrl: `${redis.url}/0`,
      databaseUrl: (await freshDatabase(postgres.url)).url,
      args: [...args, '--slice', '1/2'],
    }),
  ]);
}

async function openWorker(name: string, queues: readonly string[], concurrency = 1): Promise<CeleryWorker> {
  return startCelery({ brokerUrl: `${redis.url}/0`, name, queues, concurrency });
}

async function openWorkers(): Promise<void> {
  const mute = { brokerUrl: rabbit.url, backend: `${redis.url}/1`, name: 'mute', events: false, concurrency: 1 };
  const [orders, mailer, reports, ...others] = await Promise.all([
    openWorker('orders', ['celery'], 2),
    openWorker('mailer', ['emails']),
    openWorker('reports', ['reports']),
    openWorker('killed@another', ['reports']),
    openWorker('frozen', ['idle']),
    startCelery(mute),
  ]);
  workers = [orders, mailer, reports];
  [killed, frozen] = others;
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
    config: fasterConfig(addresses, { scrape: '1s', rules: '500ms' }, [
      { targets: [new URL(half.url).host], labels: { cluster: 'slices' } },
    ]),
    rules: fasterRules(FACTOR, { ...LIMITS, ...LOWERED }, EXPECTED),
    past: past([address]),
  });
}

/** Looks all the time; what has fired once is kept. */
function watchAlerts(): void {
  const look = async (): Promise<void> => {
    for (const alert of await prometheus.firing()) fired.set(alert.labels['alertname'] ?? '', alert);
  };
  const timer = setInterval(() => void look().catch(() => undefined), 250);
  closeAtEnd({ close: () => clearInterval(timer) });
}

/** Like `waitFor`, of a list that must become empty; what is in it at the end is told. */
async function waitForNone(what: string, list: () => Promise<readonly string[]>, timeoutMs: number): Promise<void> {
  let left: readonly string[] = [];
  await waitFor(async () => (left = await list()).length === 0, timeoutMs, what).catch((error: unknown) => {
    throw new Error(`${what}: ${left.join(', ')}`, { cause: error });
  });
}

const fire = (names: readonly string[], timeoutMs = 150_000): Promise<void> =>
  waitForNone('silent', () => Promise.resolve(names.filter((name) => !fired.has(name))), timeoutMs);

const loud = async (): Promise<readonly string[]> => [
  ...new Set((await prometheus.firing()).map(({ labels }) => labels['alertname'] ?? '')),
];

/** Does it again and again until the signal; the pause is between two rounds. */
async function until(signal: AbortSignal, pauseMs: number, cause: (round: number) => Promise<void>): Promise<void> {
  for (let round = 0; !signal.aborted; round++) {
    await cause(round);
    await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
  }
}

/** Those of the last act: the broker, the database and the agents go away in it. */
const LAST = [
  ...['UmbelHistoryNotWriting', 'UmbelHistoryErrors', 'UmbelLeader', 'UmbelEventLag', 'UmbelAgentDeaf'],
  ...['CeleryBrokerUnreachable', 'UmbelProbesFailing', 'UmbelAgentDown', 'CeleryTrafficGone', 'CeleryNoWorkers'],
];

beforeAll(async () => {
  const rabbitPrometheusPort = await openBrokers();
  await Promise.all([openAgents(), openWorkers()]);
  forger = new EventForger(redis.url);
  await openMonitoring(rabbitPrometheusPort);
  watchAlerts();
}, 600_000);

describe('the stack', () => {
  it('is quiet while all is well', async () => {
    await sendTasks(agent.url, 'shop.add', 40, { args: [1, 2], queue: 'celery' });
    await sendTasks(agent.url, 'shop.hopeless', 1, { args: [], queue: 'celery' });
    await waitFor(async () => (await prometheus.query('celery:worker_online == 1')).length >= 5, 30_000, 'workers');
    await pause(8000);
    const lowered = alerts.filter(({ expr }) =>
      Object.keys(LOWERED).some((name) => expr.includes(`umbel:limit:${name})`)),
    );
    const known = [
      ...lowered.map(({ alert }) => alert),
      // One task of a new kind that fails; what somebody expects and is not there.
      ...['CeleryTaskNewException', 'CeleryWorkersFewer', 'CeleryScheduledTaskMissing'],
      // The second agent's is nobody; yesterday there was more to do; the third agent has half a stream.
      ...['CeleryResultBackendDown', 'CeleryTrafficGone', 'UmbelSliceMissing'],
    ];
    expect((await loud()).filter((name) => !known.includes(name))).toEqual([]);
  }, 60_000);

  describe('with failures, piles of work, and workers and brokers in trouble', () => {
    const over = new AbortController();
    let causes: Promise<unknown>;

    it('fires', async () => {
      causes = makeTrouble(over.signal);
      const wanted = alerts.map(({ alert }) => alert).filter((name) => ![...LAST, ...NOT_CAUSED].includes(name));
      await fire(wanted);
    }, 170_000);

    it('answers every query of every dashboard and every recording rule', async () => {
      const queries = dashboardQueries('20s').map(({ dashboard, expr }) => ({ name: `${dashboard}: ${expr}`, expr }));
      const rules = recordings.map(({ record }) => ({ name: record, expr: `last_over_time(${record}[2m])` }));
      let silent: readonly { name: string; expr: string }[] = [...queries, ...rules];
      const look = async (): Promise<readonly string[]> => {
        const answers = await Promise.all(silent.map(({ expr }) => prometheus.query(expr)));
        silent = silent.filter((_, index) => answers[index]?.length === 0);
        return silent.map(({ name }) => name);
      };
      await waitForNone('without an answer', look, 30_000);
    }, 60_000);

    it("fires celery-mixin's and Flower's alerts, their expressions unchanged", async () => {
      for (const expr of PUBLISHED) {
        await waitFor(async () => (await prometheus.query(expr)).length > 0, 20_000, expr);
      }
    }, 150_000);

    afterAll(async () => {
      over.abort();
      await causes;
    });
  });

  it('says when broker, database or agent are away, and holds the rest back', async () => {
    const over = new AbortController();
    for (const worker of [...workers, frozen]) process.kill(worker.pid, 'SIGSTOP');
    await postgres.stop();
    const late = until(over.signal, 50, () =>
      forger.send('worker-heartbeat', 'skewed@elsewhere', { timestamp: Date.now() / 1000 - 60 }),
    );
    await fire(['UmbelHistoryNotWriting', 'UmbelHistoryErrors', 'UmbelEventLag']);
    over.abort();
    await late;
    await redis.stop();
    await second.kill('SIGKILL');
    await fire(LAST);
    const missing = async (): Promise<readonly string[]> => {
      const told = (await alertmanager.held()).map(({ labels }) => labels['alertname']);
      return ['CeleryBrokerUnreachable', 'UmbelAgentDown'].filter((name) => !told.includes(name));
    };
    await waitForNone('not told to the Alertmanager', missing, 20_000);
  }, 240_000);

  it('has caused every alert there is, each with texts and links that are filled in', () => {
    const missing = alerts.map(({ alert }) => alert).filter((name) => !fired.has(name) && !NOT_CAUSED.includes(name));
    expect(missing).toEqual([]);
    for (const { annotations } of fired.values()) {
      for (const text of Object.values(annotations)) expect(text).not.toMatch(/<no value>|<error|\{\{/);
      expect(annotations['dashboard']).toMatch(/^http:\/\/localhost:3000\/d\/umbel-/);
      expect(annotations['runbook_url']).toMatch(/^https:.*runbooks\.md#\w+$/);
    }
  });

  it('falls silent when the causes are gone', async () => {
    for (const worker of [...workers, frozen]) await worker.kill('SIGKILL');
    await Promise.all([postgres.start(), redis.restart()]);
    await second.restart();
    await startAgent({
      brokerUrl: `${redis.url}/0`,
      databaseUrl: half.databaseUrl,
      args: ['--slice', '2/2'],
    });
    await prometheus.rules(fasterRules(FACTOR, LIMITS, []));
    await openWorker('orders', ['celery', 'emails', 'reports', 'idle'], 2);
    const over = new AbortController();
    const calm = until(over.signal, 1000, () => sendTasks(agent.url, 'shop.add', 5, { args: [1, 2], queue: 'celery' }));
    // Those that are gone stay known for the purge time, as offline; RabbitMQ's worker stays mute; what a killed worker
    // had in hand, or was lost, has no other state; and the load of this machine may be what it is.
    const stay = [
      ...['CeleryTaskRunningTooLong', 'CeleryTasksLost', 'CeleryPrefetchWaitHigh', 'CeleryUnackedHigh'],
      ...['CeleryWorkerLoadHigh', 'CeleryWorkerOffline', 'CeleryWorkerEventsOff', 'CeleryResultBackendDown'],
      'CeleryQueueWithoutWorkers',
    ];
    await waitForNone('still firing', async () => (await loud()).filter((name) => !stay.includes(name)), 150_000);
    over.abort();
    await calm;
  }, 240_000);
});

/** Makes every cause that does not take the monitoring away, until the signal. */
async function makeTrouble(signal: AbortSignal): Promise<void> {
  const sending = [
    keepSending(`${redis.url}/0`, [
      ...[['failing', 30] as const, ['expired', 20] as const, ['revoked', 20] as const, ['rejected', 2] as const],
      // Fewer than five at a time: none of them fails for ever.
      ...Array.from({ length: 5 }, () => ['retrying', 4] as const),
    ]),
    keepSending(rabbit.url, [['simple', 5]], `${redis.url}/1`),
  ];
  await Promise.all([
    until(signal, 700, (round) => forgeWorkers(round)),
    pileUp(signal),
    freezeAndThaw(signal),
    // Seldom and many at once: more than the average.
    until(signal, 30_000, () => sendTasks(agent.url, 'shop.hopeless', 20, { args: [], queue: 'celery' })),
    // In between the agent must hear what the others cause.
    until(signal, 20_000, async () => {
      for (let i = 0; i < 8; i++) {
        await forger.cutSubscribers();
        await pause(400);
      }
    }),
    causeEvictions(spare.url, signal),
    fetch(`${second.url}/api/task/result/${TOKEN}`, { headers: { authorization: `Bearer ${TOKEN}` } }),
  ]);
  for (const process of sending) await process.stop();
}

/** Work that waits, hangs, grows or is lost; one of its workers is killed. */
async function pileUp(signal: AbortSignal): Promise<void> {
  await sendTasks(agent.url, 'shop.add', 3, { args: [1, 1], queue: 'void' });
  await sendTasks(agent.url, 'shop.sleep', 16, { args: [60], queue: 'reports' });
  await sendTasks(agent.url, 'shop.sleep', 400, { args: [0.5], queue: 'emails' });
  // Twice what one of them may hold: the one to be killed runs a task and has fetched others.
  const fetched = async (): Promise<boolean> =>
    (await prometheus.query('umbel_queue_unacked{queue_name="reports"} == 8')).length > 0;
  await waitFor(fetched, 60_000, 'both workers of reports with tasks in hand');
  await killed.kill('SIGKILL');
  // How soon its prefetch count is forgotten, so that what it left is too much, follows from many things.
  await forger.leaveUnacked('reports', 20);
  await sendTasks(agent.url, 'shop.add', 120, { args: [1, 1], queue: 'bulk' });
  const seen = async (): Promise<boolean> =>
    (await prometheus.query('celery_queue_length{queue_name="void"} > 0')).length > 0;
  await waitFor(seen, 60_000, 'the queue void');
  await forger.deleteKey('void');
  await until(signal, 1000, () => sendTasks(agent.url, 'shop.add', 4, { args: [1, 1], queue: 'bulk' }));
}

/** One worker stands still until it counts as offline, and goes on: silent while it still counts as online. */
async function freezeAndThaw(signal: AbortSignal): Promise<void> {
  await until(signal, 6000, async () => {
    process.kill(frozen.pid, 'SIGSTOP');
    await sendTasks(agent.url, 'shop.add', 3, { args: [1, 1], queue: 'idle' });
    await sleep(20_000, undefined, { signal }).catch(() => undefined);
    process.kill(frozen.pid, 'SIGCONT');
  });
}

/** One with a wrong clock and an old version, one that starts again and again, and what is no event. */
async function forgeWorkers(round: number): Promise<void> {
  await forger.send('worker-heartbeat', 'skewed@elsewhere', {
    sw_ver: '4.0.0',
    timestamp: Date.now() / 1000 - 30,
    freq: 2,
  });
  await forger.send('worker-online', 'restless@elsewhere', { pid: round, freq: 2 });
  await forger.garbage();
}
