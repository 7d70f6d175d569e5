import { describe, expect, it } from '@jest/globals';
import { TaskState } from '../../core/state/task.ts';
import { countOpenTasks } from './open-tasks.ts';
import type { MetricsOptions } from './options.ts';
import { Replay, START_MS } from './testing/replay.testkit.ts';
import { memsampleBytes, workerReading } from '../../core/control/worker-reading.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Metrics that are told of the cluster at their own clock's time. */
class Told extends Replay {
  constructor(options: Partial<MetricsOptions> = {}) {
    super({ probeStaleMs: 45_000, ...options });
  }

  queues(...depths: Parameters<Replay['metrics']['cluster']['queues']>[0]): void {
    this.metrics.cluster.queues(depths, this.clock.nowMs, 20);
  }

  workers(...readings: Parameters<Replay['metrics']['cluster']['workers']>[0]): void {
    this.metrics.cluster.workers(readings, this.clock.nowMs, 30);
  }
}

describe('queues', () => {
  it("have celery-exporter's families and the agent's own", async () => {
    const told = new Told({ staticLabels: { env: 'x' } });
    told.queues({ name: 'celery', messages: 7, unacked: 2, oldestMs: START_MS - 9000 });
    told.workers(
      { worker: 'a@h', queues: ['celery', 'mail'], poolSize: 4 },
      { worker: 'b@h', queues: ['celery'], poolSize: 2 },
    );
    expect(await told.lines('celery_')).toEqual([
      'celery_queue_length{queue_name="celery",env="x"} 7',
      'celery_active_worker_count{queue_name="celery",env="x"} 2',
      'celery_active_worker_count{queue_name="mail",env="x"} 1',
      'celery_active_process_count{queue_name="celery",env="x"} 6',
      'celery_active_process_count{queue_name="mail",env="x"} 4',
    ]);
    expect(await told.lines('umbel_queue_')).toEqual([
      'umbel_queue_messages{queue_name="celery",env="x"} 7',
      'umbel_queue_unacked{queue_name="celery",env="x"} 2',
      'umbel_queue_consumers{queue_name="celery",env="x"} 2',
      'umbel_queue_consumers{queue_name="mail",env="x"} 1',
      'umbel_queue_oldest_message_age_seconds{queue_name="celery",env="x"} 9',
    ]);
    // Redis tells no consumers: the family is there, without samples, as in the exporter.
    expect(await told.text()).toMatch(/^# TYPE celery_active_consumer_count gauge\n# HELP/m);
  });

  it('have consumers and rates where the broker tells them', async () => {
    const told = new Told({ prefix: 'c_' });
    told.queues({ name: 'q', messages: 1, consumers: 3, publishRate: 1.5, deliverRate: 2.5 });
    expect(await told.lines('c_')).toEqual([
      'c_queue_length{queue_name="q"} 1',
      'c_active_consumer_count{queue_name="q"} 3',
    ]);
    expect(await told.lines('umbel_queue_')).toEqual([
      'umbel_queue_messages{queue_name="q"} 1',
      'umbel_queue_consumers{queue_name="q"} 3',
      'umbel_queue_publish_rate{queue_name="q"} 1.5',
      'umbel_queue_deliver_rate{queue_name="q"} 2.5',
    ]);
  });

  it('without workers stay as 0 while they hold messages and for the purge time, then go', async () => {
    const told = new Told();
    told.queues({ name: 'held', messages: 5 }, { name: 'left', messages: 0 });
    told.workers({ worker: 'a@h', queues: ['left', 'held'], poolSize: 1 });
    const probe = (heldMessages: number): void => {
      told.queues({ name: 'held', messages: heldMessages }, { name: 'left', messages: 0 });
      told.workers();
    };
    told.clock.nowMs += HOUR;
    probe(5);
    expect(await told.lines('celery_active_worker_count')).toEqual([
      'celery_active_worker_count{queue_name="held"} 0',
      'celery_active_worker_count{queue_name="left"} 0',
    ]);
    told.clock.nowMs += 1;
    probe(0);
    expect(await told.lines('celery_queue_length')).toEqual(['celery_queue_length{queue_name="held"} 0']);
    told.clock.nowMs += HOUR + 1;
    probe(0);
    expect(await told.lines('celery_queue_length')).toEqual([]);
  });

  it('that are empty and that nobody ever consumed are not shown, those of the configuration always', async () => {
    const told = new Told({ queues: ['configured'] });
    told.queues({ name: 'forgotten', messages: 0 }, { name: 'configured' });
    told.workers();
    told.clock.nowMs += 30_000;
    // The broker has no such queue: the exporter shows 0, the agent's own family nothing.
    expect(await told.lines('celery_queue_length')).toEqual(['celery_queue_length{queue_name="configured"} 0']);
    expect(await told.lines('umbel_queue_messages')).toEqual([]);
    expect(await told.lines('celery_active_worker_count')).toEqual([
      'celery_active_worker_count{queue_name="configured"} 0',
    ]);
  });

  it('are not shown any more when the broker was not asked for three intervals; the probe tells its age', async () => {
    const told = new Told();
    told.queues({ name: 'q', messages: 5 });
    told.clock.nowMs += 45_000;
    told.metrics.cluster.failed('queues', told.clock.nowMs);
    expect(await told.lines('celery_queue_length')).toEqual(['celery_queue_length{queue_name="q"} 5']);
    told.clock.nowMs += 1;
    expect(await told.lines('celery_queue_length')).toEqual([]);
    expect(await told.lines('umbel_probe')).toEqual([
      'umbel_probe_age_seconds{probe="queues"} 45.001',
      'umbel_probe_duration_seconds{probe="queues"} 0.02',
      'umbel_probe_errors_total{probe="queues"} 1',
    ]);
  });

  it('are bounded like every family, and what found no room is counted once', async () => {
    const told = new Told({ maxLabelSetsPerFamily: 30 });
    const names = Array.from({ length: 40 }, (_, i) => String(i));
    for (let probe = 0; probe < 3; probe++) {
      told.workers(...names.map((name) => ({ worker: name, queues: [name], cpuSeconds: 1 })));
      await told.text();
    }
    // A counter too: the sum of several workers' would jump.
    for (const family of ['umbel_worker_cpu_seconds_total', 'celery_active_worker_count']) {
      const lines = await told.lines(family);
      expect(lines).toHaveLength(30);
      expect(lines).not.toContainEqual(expect.stringContaining('other'));
    }
    expect(await told.lines('umbel_label_sets_dropped_total{family="celery_active_worker_count"')).toEqual([
      'umbel_label_sets_dropped_total{family="celery_active_worker_count"} 10',
    ]);
  });
});

describe('workers', () => {
  const stats = {
    pool: { 'max-concurrency': 8, processes: [11, 12] },
    prefetch_count: 16,
    rusage: { utime: 1.5, stime: 0.5, maxrss: 2048 },
  };

  it('are shown as they told, and no longer than they are there', async () => {
    const told = new Told();
    told.workers(
      workerReading('a@h', { stats, active_queues: [{ name: 'q' }], timestampMs: START_MS - 7000 }, 'Linux'),
    );
    expect(await told.lines('umbel_worker_')).toEqual([
      'umbel_worker_reply_age_seconds{worker="a@h"} 7',
      'umbel_worker_queue{worker="a@h",queue_name="q"} 1',
      'umbel_worker_pool_size{worker="a@h"} 2',
      'umbel_worker_prefetch_count{worker="a@h"} 16',
      'umbel_worker_rss_bytes{worker="a@h"} 2097152',
      'umbel_worker_cpu_seconds_total{worker="a@h"} 2',
    ]);
    told.workers();
    expect(await told.lines('umbel_worker_')).toEqual([]);
  });

  it.each([
    ['prefork and solo', { processes: [1, 2, 3], 'max-concurrency': 9 }, 3],
    ['threads', { 'max-concurrency': 5, threads: 2 }, 5],
    ['gevent', { 'max-concurrency': 100 }, 100],
    ['eventlet', { 'free-threads': 7, 'running-threads': 1 }, 8],
    ['anything else', { 'max-concurrency': 'N/A' }, undefined],
  ])('have a pool size on %s', (_, pool, expected) => {
    expect(workerReading('w', { stats: { pool }, timestampMs: 0 }, null).poolSize).toBe(expected);
  });

  it.each([
    ['celery.concurrency.prefork:TaskPool', 'prefork'],
    ['celery.concurrency.thread:TaskPool', 'threads'],
    ['mine.pools:Pool', 'mine.pools:Pool'],
    [7, undefined],
  ])('with the implementation %j have the pool %p', (implementation, expected) => {
    expect(workerReading('w', { stats: { pool: { implementation } }, timestampMs: 0 }, null).pool).toBe(expected);
  });

  it.each([
    ['prefork', { 'max-concurrency': 2, processes: [7, 8], 'put-guarded-by-semaphore': true, writes: 'N/A' }],
    ['solo', { 'max-concurrency': 1, processes: [7], 'put-guarded-by-semaphore': true, timeouts: [] }],
    ['threads', { 'max-concurrency': 5, threads: 2 }],
    ['eventlet', { 'max-concurrency': 8, 'free-threads': 7, 'running-threads': 1 }],
    [undefined, { 'max-concurrency': 100 }],
  ])('have the pool %p in what Celery before 5.3 tells', (expected, pool) => {
    expect(workerReading('w', { stats: { pool }, timestampMs: 0 }, null).pool).toBe(expected);
  });

  it('have a range where started with --autoscale', () => {
    const autoscaler = { max: 3, min: 1, current: 2, qty: 2 };
    const reading = (stats: Record<string, unknown>) => workerReading('w', { stats, timestampMs: 0 }, null);
    expect(reading({ autoscaler }).autoscale).toEqual({ min: 1, max: 3 });
    expect(reading({ autoscaler: { max: 3 } })).not.toHaveProperty('autoscale');
  });

  it('may tell nothing, or nonsense', () => {
    expect(workerReading('w', { timestampMs: 0 }, null)).toEqual({ worker: 'w', queues: [] });
    const odd = { stats: { pool: null, rusage: 'N/A', prefetch_count: -1 }, active_queues: [{ name: 3 }, {}] };
    expect(workerReading('w', { ...odd, timestampMs: 0 }, null)).toEqual({ worker: 'w', queues: [] });
    expect(workerReading('w', { stats, timestampMs: 0 }, 'Darwin').rssBytes).toBe(2048);
  });

  it.each([
    ['54.84MB', 54.84 * 1024 ** 2],
    ['1GB', 1024 ** 3],
    ['12b', 12],
    [null, undefined],
    ['much', undefined],
  ])('memsample %j is %p bytes', (answer, bytes) => {
    expect(memsampleBytes(answer)).toBe(bytes);
  });

  it('that consume one queue only tell the queue of tasks whose task-sent nobody heard', async () => {
    const told = new Told();
    told.workers({ worker: 'celery@host', queues: ['mail'] }, { worker: 'celery@other', queues: ['mail', 'x'] });
    told.send('task-received', { name: 't' });
    told.send('task-received', { name: 't', uuid: 'b', hostname: 'celery@other' });
    expect(await told.lines('celery_task_received_total')).toEqual([
      'celery_task_received_total{name="t",hostname="host",queue_name="mail"} 1',
      'celery_task_received_total{name="t",hostname="other",queue_name="celery"} 1',
    ]);
  });
});

describe('unfinished tasks', () => {
  const task = (uuid: string, members: Partial<TaskState>): TaskState => Object.assign(new TaskState(uuid), members);
  const now = START_MS / 1000;

  it('are counted by state and queue, with the age of the oldest; an eta is no waiting', async () => {
    const told = new Told();
    const tasks = [
      task('a', { state: 'STARTED', name: 'shop.pay', started: now - 5, queue: 'q' }),
      task('b', { state: 'STARTED', name: 'shop.mail', started: now - 9, queue: 'q' }),
      task('e', { state: 'STARTED', name: 'shop.pay', started: now - 7, queue: 'q' }),
      task('c', { state: 'RECEIVED', received: now - 100, eta: new Date(START_MS - 3000).toISOString() }),
      task('d', { state: 'PROGRESS', timestamp: now - 1 }),
    ];
    const open = await countOpenTasks(tasks, 10, (of) => told.metrics.queueOf(of));
    told.metrics.cluster.openTasks(open, START_MS);
    expect(await told.lines('umbel_tasks_in_state')).toEqual([
      'umbel_tasks_in_state{state="STARTED",queue_name="q"} 3',
      'umbel_tasks_in_state{state="RECEIVED",queue_name="celery"} 1',
      'umbel_tasks_in_state{state="PROGRESS",queue_name="celery"} 1',
    ]);
    expect(await told.lines('umbel_oldest_task_age_seconds')).toEqual([
      'umbel_oldest_task_age_seconds{state="STARTED",queue_name="q"} 9',
      'umbel_oldest_task_age_seconds{state="RECEIVED",queue_name="celery"} 3',
      'umbel_oldest_task_age_seconds{state="PROGRESS",queue_name="celery"} 1',
    ]);
    expect(await told.lines('umbel_running_task_age_seconds')).toEqual([
      'umbel_running_task_age_seconds{name="shop.pay",queue_name="q"} 7',
      'umbel_running_task_age_seconds{name="shop.mail",queue_name="q"} 9',
    ]);
    told.metrics.cluster.openTasks([], START_MS);
    expect(await told.lines('umbel_running_task_age_seconds')).toEqual([]);
  });

  it('are 0 when the last one ended, and gone after the purge time', async () => {
    const told = new Told();
    told.metrics.cluster.openTasks([{ state: 'STARTED', queue: 'q', count: 1, oldestMs: START_MS }], START_MS);
    told.metrics.cluster.openTasks([], START_MS + HOUR);
    expect(await told.lines('umbel_tasks_in_state')).toEqual([
      'umbel_tasks_in_state{state="STARTED",queue_name="q"} 0',
    ]);
    told.metrics.cluster.openTasks([], START_MS + HOUR + 1);
    expect(await told.lines('umbel_tasks_in_state')).toEqual([]);
  });

  it('are walked no further than asked, in slices', async () => {
    const endless = function* (): Generator<TaskState> {
      for (let i = 0; ; i++) yield task(String(i), { state: 'STARTED', started: i });
    };
    const [counted] = await countOpenTasks(endless(), 12_000, () => 'q');
    expect(counted).toMatchObject({ state: 'STARTED', queue: 'q', count: 12_000, oldestMs: 0 });
  });
});
