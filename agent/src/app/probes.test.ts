import { describe, expect, it } from '@jest/globals';
import type { CommandResult, ControlRequest } from '../core/control/command.ts';
import { BrokerUnavailable } from '../core/control/command.ts';
import type { QueueDepth, WorkerInspection } from '../core/control/service.ts';
import { TaskState } from '../core/state/task.ts';
import type { Clock } from '../lib/clock.ts';
import { createMetrics } from '../sinks/metrics/metrics.ts';
import { startProbes, type ProbeDeps } from './probes.ts';

/** Runs what is due when the test moves it. */
class StepClock implements Clock {
  nowMs = 1_795_400_000_000;
  readonly #timers = new Set<{ readonly atMs: number; readonly task: () => void }>();
  now(): number {
    return this.nowMs;
  }
  every(): () => void {
    throw new Error('not used');
  }
  after(delayMs: number, task: () => void): () => void {
    const timer = { atMs: this.nowMs + delayMs, task };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }
  sleep(): Promise<void> {
    throw new Error('not used');
  }
  get waiting(): number {
    return this.#timers.size;
  }
  async pass(ms: number): Promise<void> {
    this.nowMs += ms;
    for (const timer of [...this.#timers]) {
      if (timer.atMs > this.nowMs || !this.#timers.delete(timer)) continue;
      timer.task();
    }
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}

class Bench {
  readonly clock = new StepClock();
  readonly metrics = createMetrics({ processSet: false, probeStaleMs: 30_000 }, this.clock);
  readonly known = new Map<string, WorkerInspection>();
  readonly seen = new Map<string, { online: boolean; lastSeenMs: number; sw_sys: unknown }>();
  readonly requests: ControlRequest[] = [];
  readonly logged: string[] = [];
  readonly asked = { queues: 0, workers: 0, depths: [] as string[][] };
  depths: readonly QueueDepth[] = [];
  answers: CommandResult['answers'] = [];
  open: TaskState[] = [];
  queuesGate: Promise<void> = Promise.resolve();
  refresh: () => Promise<void> = () => Promise.resolve();
  probes: { close(): void } | undefined;

  start(deps: Partial<ProbeDeps> = {}): void {
    const log = (...words: unknown[]): void => void this.logged.push(String(words.at(-1)));
    this.probes = startProbes({
      control: {
        queues: async () => {
          this.asked.queues += 1;
          await this.queuesGate;
          return this.depths;
        },
        call: (request) => {
          this.requests.push(request);
          return Promise.resolve({ answers: this.answers, silent: [] });
        },
        inspector: {
          known: () => this.known,
          refresh: async () => {
            this.asked.workers += 1;
            await this.refresh();
          },
        },
      },
      cluster: {
        worker: (name) => this.seen.get(name),
        openTasks: () => this.open,
        counts: () => ({ openTasks: this.open.length }),
      },
      metrics: this.metrics,
      clock: this.clock,
      logger: { debug: log, info: log, warn: log, error: log },
      intervalMs: 10_000,
      random: () => 0.5,
      ...deps,
    });
  }

  tell(worker: string, queues: readonly string[], stats: Record<string, unknown> = {}): void {
    const usage = { rusage: { utime: 1, stime: 1, maxrss: 10 }, pool: { processes: [1, 2] } };
    const active_queues = queues.map((name) => ({ name }));
    this.known.set(worker, { stats: { ...usage, ...stats }, active_queues, timestampMs: this.clock.nowMs });
  }

  async lines(prefix: string): Promise<string[]> {
    return (await this.metrics.text()).body.split('\n').filter((line) => line.startsWith(prefix));
  }
}

describe('startProbes', () => {
  it('asks soon, then at each interval, and no more once closed', async () => {
    const bench = new Bench();
    bench.depths = [{ name: 'q', messages: 3 }];
    bench.tell('a@h', ['q']);
    bench.start();
    await bench.clock.pass(499);
    expect(bench.asked).toMatchObject({ queues: 0, workers: 0 });
    await bench.clock.pass(1);
    expect(await bench.lines('celery_')).toEqual([
      'celery_queue_length{queue_name="q"} 3',
      'celery_active_worker_count{queue_name="q"} 1',
      'celery_active_process_count{queue_name="q"} 2',
    ]);
    await bench.clock.pass(9_999);
    expect(bench.asked).toMatchObject({ queues: 1, workers: 1 });
    await bench.clock.pass(1);
    expect(bench.asked).toMatchObject({ queues: 2, workers: 2 });
    bench.probes?.close();
    await bench.clock.pass(60_000);
    expect(bench.asked).toMatchObject({ queues: 2, workers: 2 });
    expect(bench.clock.waiting).toBe(0);
  });

  it('spreads the questions by a tenth of the interval', async () => {
    const bench = new Bench();
    bench.start({ random: () => 1 });
    await bench.clock.pass(1000);
    await bench.clock.pass(10_999);
    expect(bench.asked.queues).toBe(1);
    await bench.clock.pass(1);
    expect(bench.asked.queues).toBe(2);
  });

  it('never asks twice at a time; the other probe goes on; a scrape asks nobody', async () => {
    const bench = new Bench();
    let open = (): void => undefined;
    bench.queuesGate = new Promise((resolve) => (open = resolve));
    bench.start();
    await bench.clock.pass(500);
    await bench.clock.pass(10_000);
    await bench.clock.pass(10_000);
    await bench.lines('celery_');
    expect(bench.asked).toMatchObject({ queues: 1, workers: 3 });
    open();
    await bench.clock.pass(0);
    await bench.clock.pass(10_000);
    expect(bench.asked.queues).toBe(2);
  });

  it('counts failures and logs them once; the values go when they are stale, and come back', async () => {
    const bench = new Bench();
    bench.depths = [{ name: 'q', messages: 3 }];
    bench.start();
    await bench.clock.pass(500);
    bench.queuesGate = Promise.reject(new BrokerUnavailable('away'));
    for (let i = 0; i < 3; i++) await bench.clock.pass(10_000);
    expect(await bench.lines('celery_queue_length')).toEqual(['celery_queue_length{queue_name="q"} 3']);
    await bench.clock.pass(10_000);
    expect(await bench.lines('celery_queue_length')).toEqual([]);
    expect(await bench.lines('umbel_probe_errors_total')).toEqual([
      'umbel_probe_errors_total{probe="queues"} 4',
      'umbel_probe_errors_total{probe="workers"} 0',
    ]);
    expect(await bench.lines('umbel_probe_age_seconds')).toContain('umbel_probe_age_seconds{probe="queues"} 40');
    bench.queuesGate = Promise.resolve();
    await bench.clock.pass(10_000);
    expect(await bench.lines('celery_queue_length')).toEqual(['celery_queue_length{queue_name="q"} 3']);
    expect(bench.logged).toEqual([
      'the queues cannot be asked for the metrics',
      'the queues can be asked for the metrics again',
    ]);
  });

  it('asks the broker about queues that are still shown but that nobody names any more', async () => {
    const bench = new Bench();
    bench.tell('a@h', ['gone']);
    bench.start({
      depths: (names) => {
        bench.asked.depths.push([...names]);
        return Promise.resolve([{ name: 'gone', messages: 4 }]);
      },
    });
    await bench.clock.pass(500);
    bench.known.clear();
    await bench.clock.pass(10_000);
    expect(bench.asked.depths).toEqual([['gone']]);
    expect(await bench.lines('celery_')).toEqual([
      'celery_queue_length{queue_name="gone"} 4',
      'celery_active_worker_count{queue_name="gone"} 0',
      'celery_active_process_count{queue_name="gone"} 0',
    ]);
  });

  it('counts unfinished tasks every five seconds', async () => {
    const bench = new Bench();
    bench.open = [
      Object.assign(new TaskState('a'), { state: 'STARTED', started: bench.clock.nowMs / 1000, queue: 'q' }),
    ];
    bench.start();
    await bench.clock.pass(5000);
    expect(await bench.lines('umbel_oldest_task_age_seconds')).toEqual([
      'umbel_oldest_task_age_seconds{state="STARTED",queue_name="q"} 5',
    ]);
  });
});

describe('a worker', () => {
  const count = async (bench: Bench): Promise<string[]> => bench.lines('celery_active_worker_count');
  const one = ['celery_active_worker_count{queue_name="q"} 1'];
  const none = ['celery_active_worker_count{queue_name="q"} 0'];

  it('counts for three intervals after its last answer, where no events tell more', async () => {
    const bench = new Bench();
    bench.tell('a@h', ['q']);
    bench.start();
    await bench.clock.pass(500);
    await bench.clock.pass(20_000);
    expect(await count(bench)).toEqual(one);
    await bench.clock.pass(10_000);
    expect(await count(bench)).toEqual(none);
  });

  it('too busy to answer counts while its heartbeats come', async () => {
    const bench = new Bench();
    bench.tell('a@h', ['q']);
    bench.seen.set('a@h', { online: true, lastSeenMs: 0, sw_sys: 'Linux' });
    bench.start();
    await bench.clock.pass(60_000);
    expect(await count(bench)).toEqual(one);
  });

  it('that said good-bye counts no more; its silence alone does not outweigh its answer', async () => {
    const bench = new Bench();
    bench.tell('a@h', ['q']);
    bench.seen.set('a@h', { online: false, lastSeenMs: bench.clock.nowMs - 1, sw_sys: 'Linux' });
    bench.start();
    await bench.clock.pass(500);
    expect(await count(bench)).toEqual(one);
    bench.seen.set('a@h', { online: false, lastSeenMs: bench.clock.nowMs, sw_sys: 'Linux' });
    await bench.clock.pass(10_000);
    expect(await count(bench)).toEqual(none);
  });

  it('without getrusage is asked for memsample, and only it', async () => {
    const bench = new Bench();
    bench.tell('a@h', ['q']);
    bench.tell('win@h', ['q'], { rusage: 'N/A' });
    bench.answers = [{ worker: 'win@h', ok: true, reply: '2MB' }];
    bench.start();
    await bench.clock.pass(500);
    expect(bench.requests).toEqual([
      { method: 'memsample', arguments: {}, target: { kind: 'workers', workers: ['win@h'] } },
    ]);
    expect(await bench.lines('umbel_worker_rss_bytes')).toEqual([
      'umbel_worker_rss_bytes{worker="a@h"} 10240',
      'umbel_worker_rss_bytes{worker="win@h"} 2097152',
    ]);
  });
});
