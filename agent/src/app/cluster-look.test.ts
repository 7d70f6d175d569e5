import { beforeAll, describe, expect, it } from '@jest/globals';
import { startCelery, type CeleryWorker } from '../../../test/support/celery.ts';
import { closeAtEnd } from '../../../test/support/cleanup.ts';
import { freshDatabase } from '../../../test/support/database.ts';
import { startRedis, type RedisServer } from '../../../test/support/redis.ts';
import { waitFor } from '../../../test/support/wait.ts';
import { loadConfig } from '../config/load.ts';
import { openControl } from '../control/open.ts';
import { ClusterState } from '../core/state/cluster.ts';
import { systemClock as clock } from '../lib/clock.ts';
import { createMetrics } from '../sinks/metrics/metrics.ts';
import { openTransport } from '../transport/index.ts';
import type { BrokerTransport } from '../transport/port.ts';
import { parseBrokerUrls } from '../transport/url.ts';
import { runDoctorCommand } from './doctor.ts';
import { startProbes } from './probes.ts';

const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

let redis: RedisServer;
let loud: CeleryWorker;
let mute: CeleryWorker;
beforeAll(async () => {
  redis = await startRedis();
  const brokerUrl = `${redis.url}/0`;
  [loud, mute] = await Promise.all([
    startCelery({ brokerUrl, name: 'loud', queues: ['celery', 'mail'], concurrency: 2 }),
    startCelery({ brokerUrl, name: 'mute', queues: ['mail'], pool: 'solo', concurrency: 1, events: false }),
  ]);
}, 90_000);

function connect(url: string): BrokerTransport {
  return openTransport(parseBrokerUrls(url), { clock, logger: quiet });
}

describe('umbel doctor', () => {
  async function doctor(brokerUrl: string, listenMs: number): Promise<{ code: number; lines: string[] }> {
    const { url } = await freshDatabase();
    const argv = [
      '--broker',
      brokerUrl,
      '--database-url',
      url,
      '--no-enable-events',
      '--port',
      '1',
      '--data-dir',
      '/tmp',
    ];
    const { config } = loadConfig(argv, {}, { hostname: 'h', readFile: () => '' });
    const lines: string[] = [];
    const code = await runDoctorCommand(config, {
      transport: connect(brokerUrl),
      openResults: () => Promise.resolve(undefined),
      grafanaUrl: undefined,
      warnings: [],
      clock,
      line: (text) => void lines.push(text),
      json: true,
      waits: { connectMs: 3000, listenMs },
    });
    return { code, lines };
  }
  const findings = (lines: readonly string[]): { check: string; verdict: string; found: string }[] =>
    (JSON.parse(lines.join('\n')) as { findings: { check: string; verdict: string; found: string }[] }).findings;
  const of = (lines: readonly string[], check: string): string[] =>
    findings(lines).flatMap((one) => (one.check === check ? [`${one.verdict}: ${one.found}`] : []));

  it('sees real workers, names the one without task events, and leaves them as they were', async () => {
    for (let round = 0; round < 2; round++) {
      const { code, lines } = await doctor(`${redis.url}/0`, 20_000);
      expect(code).toBe(1);
      expect(of(lines, 'broker')).toEqual([`ok: ${redis.url}/0 takes the connection.`]);
      expect(of(lines, 'events')[0]).toBe(`ok: 2 workers heard: ${loud.nodeName}, ${mute.nodeName}.`);
      // In the second round too: the first has switched them off again.
      expect(of(lines, 'task events')).toEqual([
        'ok: 1 worker sends task events.',
        `failed: Task events were off at ${mute.nodeName}.`,
      ]);
      expect(of(lines, 'remote control')).toEqual([`ok: 2 workers answer: ${loud.nodeName}, ${mute.nodeName}.`]);
      expect(of(lines, 'clocks')).toEqual(['ok: The clocks of 2 workers agree with this one.']);
      expect(of(lines, 'database')[0]).toMatch(/^ok: /);
    }
  }, 60_000);

  it('says that nobody is there on another database, and that a broker is away', async () => {
    const empty = await doctor(`${redis.url}/5`, 500);
    expect(empty.code).toBe(1);
    expect(of(empty.lines, 'remote control')).toEqual(['failed: No worker answers a ping.']);
    const away = await doctor('redis://127.0.0.1:1/0', 500);
    expect(away.code).toBe(1);
    expect(of(away.lines, 'broker')[0]).toMatch(/^failed: redis:\/\/127\.0\.0\.1:1\/0 cannot be reached: .+/);
    expect(of(away.lines, 'clocks')).toEqual(['skipped: Needs the broker.']);
  }, 60_000);
});

describe('probes', () => {
  it('show the queues and the pools of real workers', async () => {
    const transport = connect(`${redis.url}/0`);
    closeAtEnd(transport);
    transport.consumeEvents({ onMessage: () => undefined, onGap: () => undefined });
    await waitFor(() => transport.health().connected);
    const cluster = new ClusterState({ openTasks: 10, finishedTasks: 10, workers: 10, recentEvents: 10 });
    const control = openControl({
      transport,
      workers: () => cluster.workers(),
      clock,
      logger: quiet,
      options: { enableEvents: false },
    });
    closeAtEnd(control);
    const metrics = createMetrics({ processSet: false, queues: ['configured'] }, clock);
    const depths = (names: readonly string[]) => transport.tasks.depths(names);
    closeAtEnd(startProbes({ control, depths, cluster, metrics, clock, logger: quiet, intervalMs: 1000 }));
    const lines = async (prefix: string): Promise<string[]> =>
      (await metrics.text()).body.split('\n').filter((line) => line.startsWith(prefix));
    await waitFor(async () => (await lines('umbel_worker_pool_size')).length === 2);
    await waitFor(async () => (await lines('celery_queue_length')).length === 3);
    expect((await lines('celery_')).sort()).toEqual([
      'celery_active_process_count{queue_name="celery"} 2',
      'celery_active_process_count{queue_name="configured"} 0',
      'celery_active_process_count{queue_name="mail"} 3',
      'celery_active_worker_count{queue_name="celery"} 1',
      'celery_active_worker_count{queue_name="configured"} 0',
      'celery_active_worker_count{queue_name="mail"} 2',
      'celery_queue_length{queue_name="celery"} 0',
      'celery_queue_length{queue_name="configured"} 0',
      'celery_queue_length{queue_name="mail"} 0',
    ]);
    for (const family of ['umbel_worker_rss_bytes', 'umbel_worker_cpu_seconds_total', 'umbel_worker_prefetch_count']) {
      const values = (await lines(family)).map((line) => Number(line.split(' ').at(-1)));
      expect(values).toHaveLength(2);
      for (const value of values) expect(value).toBeGreaterThan(0);
    }
    const [rss = ''] = await lines('umbel_worker_rss_bytes');
    expect(Number(rss.split(' ').at(-1))).toBeGreaterThan(20 * 1024 ** 2);
  }, 30_000);
});
