import { describe, expect, it } from '@jest/globals';
import { parseScrape } from '../../../../test/support/prometheus-text.ts';
import { createMetrics } from './metrics.ts';
import { Replay, SetClock } from './testing/replay.testkit.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

describe('workers that go', () => {
  it('are 0 in both sets after the worker timeout, and 1 again at the next heartbeat', async () => {
    const replay = new Replay();
    replay.send('worker-heartbeat', { active: 2 });
    const gauges = async (): Promise<string[]> => [
      ...(await replay.lines('flower_worker_')),
      ...(await replay.lines('celery_worker_')),
    ];
    const shown = (online: number, active: number): string[] => [
      `flower_worker_online{worker="celery@host"} ${online}`,
      `flower_worker_number_of_currently_executing_tasks{worker="celery@host"} ${active}`,
      `celery_worker_up{hostname="host"} ${online}`,
      `celery_worker_tasks_active{hostname="host"} ${active}`,
    ];
    replay.pass(5 * MINUTE);
    expect(await gauges()).toEqual(shown(1, 2));
    replay.pass(1);
    expect(await gauges()).toEqual(shown(0, 0));
    replay.send('worker-heartbeat', { active: 1 });
    expect(await gauges()).toEqual(shown(1, 1));
  });

  it('stay as 0 until the purge time, then lose every series, and start again at 0', async () => {
    const replay = new Replay();
    replay.send('worker-heartbeat', { active: 0 });
    replay.send('task-received', { name: 't' });
    replay.send('task-started');
    replay.send('task-succeeded', { runtime: 1 });
    replay.send('worker-heartbeat', { hostname: 'celery@stays', active: 0 });
    replay.pass(HOUR);
    replay.send('worker-heartbeat', { hostname: 'celery@stays', active: 0 });
    expect(await replay.lines('flower_worker_online')).toEqual([
      'flower_worker_online{worker="celery@host"} 0',
      'flower_worker_online{worker="celery@stays"} 1',
    ]);
    replay.pass(1);
    const text = await replay.text();
    expect(text).not.toContain('"celery@host"');
    expect(text).not.toContain('hostname="host"');
    expect(text).toContain('flower_worker_online{worker="celery@stays"} 1');
    replay.send('task-received', { uuid: 'b', name: 't' });
    expect(await replay.lines('flower_events_total')).toEqual([
      'flower_events_total{worker="celery@host",type="task-received",task="t"} 1',
    ]);
  });

  it('take the publishers of their host along, as in the exporter', async () => {
    const replay = new Replay();
    replay.send('worker-heartbeat', { active: 0 });
    replay.send('task-received', { name: 't' });
    replay.send('task-sent', { uuid: 'b', hostname: 'gen1@host', name: 't', queue: 'celery' });
    replay.pass(HOUR + 1);
    expect(await replay.lines('celery_')).toEqual([]);
    // Flower's label is the publisher's own.
    expect(await replay.lines('flower_events_total')).toEqual([
      'flower_events_total{worker="gen1@host",type="task-sent",task="t"} 1',
    ]);
    replay.send('task-sent', { uuid: 'c', hostname: 'gen1@host', name: 't', queue: 'celery' });
    expect(await replay.lines('celery_task_sent_total')).toHaveLength(1);
  });

  it('keep the series that another worker of the host shares', async () => {
    const replay = new Replay();
    replay.send('worker-heartbeat', { hostname: 'a@h', active: 0 });
    replay.send('task-received', { hostname: 'a@h', name: 't' });
    replay.send('worker-heartbeat', { hostname: 'b@h', active: 0 });
    replay.clock.nowMs += HOUR;
    replay.send('task-received', { hostname: 'b@h', uuid: 'b', name: 't' });
    replay.pass(1);
    expect(await replay.lines('celery_task_received_total')).toEqual([
      'celery_task_received_total{name="t",hostname="h",queue_name="celery"} 2',
    ]);
    expect(await replay.lines('flower_events_total')).toEqual([
      'flower_events_total{worker="b@h",type="task-received",task="t"} 1',
    ]);
  });

  it('are never purged nor timed out when the options say 0', async () => {
    const replay = new Replay({ workerTimeoutMs: 0, purgeOfflineMs: 0, producerExpiryMs: 0, idleExpiryMs: 0 });
    replay.send('worker-heartbeat', { active: 1 });
    replay.send('task-sent', { hostname: 'gen1@web', name: 't', queue: 'q' });
    const before = await replay.lines('flower_');
    replay.pass(400 * DAY);
    expect(await replay.lines('flower_')).toEqual(before);
  });
});

describe('what is idle', () => {
  it('goes: publishers after a day, tasks of a living worker after eight', async () => {
    const replay = new Replay({ purgeOfflineMs: 0 });
    replay.send('task-sent', { hostname: 'gen1@web', name: 't', queue: 'q' });
    replay.send('task-received', { name: 'weekly' });
    replay.send('worker-heartbeat', { active: 0 });
    for (let day = 1; day <= 8; day++) {
      replay.pass(DAY - 1);
      replay.send('worker-heartbeat', { active: 0 });
      replay.send('task-received', { uuid: `d${day}`, name: 'daily' });
      replay.pass(1);
      expect((await replay.text()).includes('gen1@web')).toBe(day <= 1);
      expect((await replay.text()).includes('weekly')).toBe(true);
    }
    replay.pass(2);
    const text = await replay.text();
    expect(text).not.toContain('weekly');
    expect(text).toContain('flower_events_total{worker="celery@host",type="task-received",task="daily"} 8');
  });

  it('shares a histogram without worker label until the last worker has gone', async () => {
    const replay = new Replay({ histogramWorkerLabel: false });
    for (const hostname of ['celery@a', 'celery@b']) {
      replay.send('worker-heartbeat', { hostname, active: 0 });
      replay.send('task-succeeded', { hostname, uuid: hostname, name: 't', runtime: 1 });
    }
    replay.clock.nowMs += HOUR;
    replay.send('worker-heartbeat', { hostname: 'celery@b', active: 0 });
    replay.pass(1);
    expect(await replay.lines('flower_task_runtime_seconds_count')).toEqual([
      'flower_task_runtime_seconds_count{task="t"} 2',
    ]);
    expect(await replay.lines('celery_task_runtime_count')).toEqual([
      'celery_task_runtime_count{name="t",queue_name="celery"} 2',
    ]);
    replay.pass(2 * HOUR);
    expect(await replay.lines('flower_task_runtime_seconds_count')).toEqual([]);
    expect(await replay.lines('celery_task_runtime_count')).toEqual([]);
  });
});

describe('bounds', () => {
  it('counts label sets without room under other, so that the totals stay right', async () => {
    const replay = new Replay({ maxLabelSetsPerFamily: 20 });
    for (let i = 0; i < 500; i++) {
      replay.send('task-received', { uuid: `id-${i}`, name: `t${i}`, hostname: `celery@h${i % 7}` });
      replay.send('task-failed', { uuid: `id-${i}`, hostname: `celery@h${i % 7}`, exception: `E${i}()` });
    }
    const scrape = parseScrape(await replay.text());
    for (const type of ['received', 'failed']) {
      expect(scrape.sum('flower_events_total', { type: `task-${type}` })).toBe(500);
      expect(scrape.sum(`celery_task_${type}_total`)).toBe(500);
    }
    for (const family of ['flower_events_total', 'celery_task_failed_total', 'flower_worker_prefetched_tasks']) {
      // 20, and beside them one `other` for each event type.
      expect([family, scrape.sum('umbel_series', { family }) <= 22]).toEqual([family, true]);
      const samples = [...scrape.samples.values()].filter(({ name }) => name === family);
      expect(samples).toHaveLength(scrape.sum('umbel_series', { family }));
    }
    expect(scrape.sum('flower_events_total', { worker: 'other', task: 'other' })).toBeGreaterThan(400);
    expect(scrape.sum('umbel_label_sets_dropped_total', { family: 'flower_events_total' })).toBeGreaterThan(0);
  });

  it('has room again after a purge', async () => {
    const replay = new Replay({ maxLabelSetsPerFamily: 2 });
    for (const name of ['a', 'b', 'c']) replay.send('task-received', { uuid: name, name });
    replay.pass(2 * DAY);
    replay.send('task-received', { uuid: 'd', name: 'd' });
    const shown = (await replay.lines('flower_events_total')).map((line) => /task="(.*?)"/.exec(line)?.[1]);
    expect(shown).toContain('d');
    expect(shown).not.toContain('a');
  });

  it('tells only so many custom types apart', async () => {
    const replay = new Replay({ maxCustomTypes: 2 });
    for (let i = 0; i < 5; i++) replay.send(`task-custom-${i}`, { name: 't' });
    replay.send('task-received', { name: 't' });
    const scrape = parseScrape(await replay.text());
    const counts = ['task-custom-0', 'task-custom-1', 'task-custom-2', 'other', 'task-received'].map((type) => [
      scrape.sum('flower_events_total', { type }),
      scrape.sum('umbel_events_received_total', { type }),
    ]);
    expect(counts).toEqual([
      [1, 1],
      [1, 1],
      [0, 0],
      [3, 3],
      [1, 1],
    ]);
  });

  it('takes label values of every type and size', async () => {
    const replay = new Replay();
    for (const [i, name] of ['\u0000a"b\\c\nd', 7, true, ['x'], 'n'.repeat(100_000), {}].entries()) {
      replay.send('task-received', { uuid: `id-${i}`, name, hostname: i === 0 ? 'no-at' : 'celery@h' });
    }
    const scrape = parseScrape(await replay.text());
    expect(scrape.sum('flower_events_total')).toBe(6);
    expect(scrape.sum('flower_events_total', { task: '\u0000a"b\\c\nd', worker: 'no-at' })).toBe(1);
    expect(scrape.sum('celery_task_received_total', { name: '["x"]' })).toBe(1);
    expect(scrape.sum('celery_task_received_total', { name: 'True' })).toBe(1);
    expect(scrape.sum('celery_task_received_total', { name: 'n'.repeat(1000) })).toBe(1);
  });
});

describe("the agent's own families", () => {
  it('count what the parts of the agent report', async () => {
    const replay = new Replay({ version: '1.2.3' });
    const { metrics } = replay;
    metrics.onReject('pickle', 3);
    metrics.onGap({ fromMs: 1000, toMs: 3500 });
    metrics.onDrop('history', 2);
    metrics.historyWrite({ ms: 40, events: 30, inserted: 25, doubled: 5, tasks: 9, poisoned: 1 });
    metrics.historyError();
    replay.send('worker-heartbeat', { timestamp: replay.clock.nowMs / 1000 - 4 });
    let connected = true;
    metrics.gauges(() => ({
      broker: { connected, reconnects: 2 },
      history: { up: true, queueEvents: 11, spilledBytes: 12, lagSeconds: 0.5 },
      live: { subscribers: 3, dropped: 4 },
      tasksHeld: 7,
      intakeQueueBytes: 8,
    }));
    const scrape = parseScrape(await replay.text());
    const values = Object.fromEntries(
      [...scrape.samples.values()]
        .filter(({ name, value }) => value !== 0 && /^umbel_(?!series|.*_bucket)/.test(name))
        .map(({ name, labels, value }) => [[name, ...Object.values(labels)].join(' '), value]),
    );
    expect(values).toEqual({
      'umbel_build_info 1.2.3': 1,
      'umbel_events_received_total worker-heartbeat': 1,
      'umbel_events_rejected_total pickle': 3,
      'umbel_messages_dropped_total history': 2,
      umbel_event_lag_seconds: 4,
      umbel_event_gaps_total: 1,
      umbel_gap_seconds_total: 2.5,
      'umbel_worker_last_heartbeat_timestamp_seconds celery@host': replay.clock.nowMs / 1000,
      'umbel_worker_clock_skew_seconds celery@host': 4,
      umbel_broker_connected: 1,
      umbel_broker_reconnects_total: 2,
      umbel_intake_queue_bytes: 8,
      umbel_tasks_held: 7,
      umbel_history_up: 1,
      umbel_history_queue_events: 11,
      umbel_history_spilled_bytes: 12,
      umbel_history_lag_seconds: 0.5,
      umbel_history_write_seconds_sum: 0.04,
      umbel_history_write_seconds_count: 1,
      umbel_history_batch_events_sum: 30,
      umbel_history_batch_events_count: 1,
      umbel_history_errors_total: 1,
      'umbel_history_rows_total events': 25,
      'umbel_history_rows_total tasks': 9,
      umbel_history_doubled_events_total: 5,
      umbel_history_poisoned_events_total: 1,
      umbel_live_subscribers: 3,
      umbel_live_dropped_total: 4,
    });
    connected = false;
    const after = parseScrape(await replay.text());
    expect(after.sum('umbel_broker_connected')).toBe(0);
  });

  it('say nothing about parts that are off', async () => {
    const text = await new Replay().text();
    expect(text).not.toMatch(/^umbel_(history_up|broker_connected|live_subscribers|tasks_held)/m);
  });

  it('start their counters at 0', async () => {
    const replay = new Replay();
    expect(await replay.lines('umbel_events_rejected_total')).toContain(
      'umbel_events_rejected_total{reason="pickle"} 0',
    );
    expect(await replay.lines('umbel_history_errors_total')).toEqual(['umbel_history_errors_total 0']);
  });
});

it.each([
  [{ prefix: '1x' }, /^prefix/],
  [{ staticLabels: { worker: 'x' } }, /^staticLabels.*worker/],
  [{ staticLabels: { le: 'x' } }, /^staticLabels.*le/],
  [{ staticLabels: { 'a-b': 'x' } }, /^staticLabels.*a-b/],
  [{ runtimeBuckets: [2, 1] }, /^runtimeBuckets/],
  [{ queueWaitBuckets: [] }, /^queueWaitBuckets/],
])('refuses %j by name', (options, message) => {
  expect(() => createMetrics({ processSet: false, ...options }, new SetClock())).toThrow(message);
});

describe('workers as their events tell of them', () => {
  it('count their starts: online events and new process ids, not heartbeats', async () => {
    const replay = new Replay();
    replay.send('worker-online', { pid: 1 });
    replay.send('worker-heartbeat', { pid: 1, active: 0 });
    expect(await replay.lines('umbel_worker_starts_total')).toEqual([
      'umbel_worker_starts_total{worker="celery@host"} 1',
    ]);
    replay.send('worker-heartbeat', { pid: 2, active: 0 });
    expect(await replay.lines('umbel_worker_starts_total')).toEqual([
      'umbel_worker_starts_total{worker="celery@host"} 2',
    ]);
    replay.pass(2 * HOUR);
    expect(await replay.lines('umbel_worker_starts_total')).toEqual([]);
  });

  it('show what they run, what they have taken and their load while online, whatever they send', async () => {
    const replay = new Replay();
    const heard = { hostname: 'a@h', online: true, processed: 7, loadavg: [1.5, 1, 1], sw_ident: 'py-celery' };
    replay.metrics.cluster.hear(() => [
      { ...heard, sw_ver: '5.7.0', sw_sys: 'Linux' },
      { ...heard, hostname: 'b@h', processed: 'many', loadavg: 3, sw_ver: 5, sw_sys: null },
      { ...heard, hostname: 'c@h', online: false, sw_ver: '4.4.7', sw_sys: 'Linux' },
    ]);
    expect(await replay.lines('umbel_worker_')).toEqual([
      'umbel_worker_info{worker="a@h",software="py-celery",version="5.7.0",system="Linux"} 1',
      'umbel_worker_info{worker="b@h",software="py-celery",version="",system=""} 1',
      'umbel_worker_processed_total{worker="a@h"} 7',
      'umbel_worker_load{worker="a@h"} 1.5',
    ]);
  });
});

describe('tasks', () => {
  it('that expired are told from those revoked by hand', async () => {
    const replay = new Replay();
    replay.send('task-revoked', { uuid: 'a', name: 't', expired: true });
    replay.send('task-revoked', { uuid: 'b', name: 't', expired: false, terminated: true });
    expect(await replay.lines('umbel_tasks_expired_total')).toEqual([
      'umbel_tasks_expired_total{name="t",queue_name="celery"} 1',
    ]);
    replay.pass(2 * DAY);
    expect(await replay.lines('umbel_tasks_expired_total')).toEqual([]);
  });

  it('say when they were last heard of', async () => {
    const replay = new Replay();
    replay.send('task-received', { uuid: 'a', name: 't', hostname: 'a@one' });
    replay.clock.nowMs += 5000;
    replay.send('task-received', { uuid: 'b', name: 't', hostname: 'a@two' });
    expect(await replay.lines('umbel_task_last_seen_timestamp_seconds')).toEqual([
      `umbel_task_last_seen_timestamp_seconds{name="t"} ${replay.clock.nowMs / 1000}`,
    ]);
  });
});
