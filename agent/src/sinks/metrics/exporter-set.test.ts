import { describe, expect, it } from '@jest/globals';
import { RECORDINGS, recordedMessages } from '../../../../test/recordings/recordings.testkit.ts';
import { parseScrape } from '../../../../test/support/prometheus-text.ts';
import { decodeMessage } from '../../core/events/decode.ts';
import { Replay } from './testing/replay.testkit.ts';

const ROOT_ID = 'a180b8c1-21d4-4af2-a550-e713d880d63f';

describe("celery-exporter's set", () => {
  it('creates the other counters at 0 with the first event, but never the one of task-sent', async () => {
    const replay = new Replay();
    replay.send('task-failed', { name: 't', exception: "ValueError('x')" });
    expect((await replay.lines('celery_task_')).filter((line) => !line.includes('_bucket'))).toEqual([
      'celery_task_received_total{name="t",hostname="host",queue_name="celery"} 0',
      'celery_task_started_total{name="t",hostname="host",queue_name="celery"} 0',
      'celery_task_succeeded_total{name="t",hostname="host",queue_name="celery"} 0',
      'celery_task_failed_total{name="t",hostname="host",exception="",queue_name="celery"} 0',
      'celery_task_failed_total{name="t",hostname="host",exception="ValueError",queue_name="celery"} 1',
      'celery_task_rejected_total{name="t",hostname="host",queue_name="celery"} 0',
      'celery_task_revoked_total{name="t",hostname="host",queue_name="celery"} 0',
      'celery_task_retried_total{name="t",hostname="host",queue_name="celery"} 0',
    ]);
  });

  it.each(RECORDINGS)('counts every type in %s as often as Flower does', async (recording) => {
    const replay = new Replay();
    for (const { raw } of recordedMessages(recording)) for (const e of decodeMessage(raw).events) replay.event(e);
    const scrape = parseScrape(await replay.text());
    for (const type of ['sent', 'received', 'started', 'succeeded', 'failed', 'rejected', 'revoked', 'retried']) {
      const total = scrape.sum('flower_events_total', { type: `task-${type}` });
      expect([type, scrape.sum(`celery_task_${type}_total`)]).toEqual([type, total]);
      expect(total).toBeGreaterThan(0);
    }
  });

  it('takes the queue of the task, else of the last task of that name, else the default', async () => {
    const replay = new Replay({ defaultQueue: 'main' });
    replay.send('task-received', { uuid: 'early', name: 't' });
    replay.send('task-sent', { uuid: 'a', hostname: 'gen1@web', name: 't', queue: 'slow' });
    replay.send('task-received', { uuid: 'a', name: 't' });
    replay.send('task-received', { uuid: 'b', name: 't' });
    replay.send('task-received', { uuid: 'c', name: 'other' });
    expect((await replay.lines('celery_task_received_total')).filter((line) => !line.endsWith(' 0'))).toEqual([
      'celery_task_received_total{name="t",hostname="host",queue_name="main"} 1',
      'celery_task_received_total{name="t",hostname="host",queue_name="slow"} 2',
      'celery_task_received_total{name="other",hostname="host",queue_name="main"} 1',
    ]);
  });

  it.each([
    ["ValueError('x')", '', 'ValueError'],
    ["requests.exceptions.HTTPError('503')", '', 'HTTPError'],
    ['<WorkerLost: gone>', '', 'WorkerLost'],
    [
      'ExceptionWithTraceback()',
      'Traceback (most recent call last):\n  File "x"\nbilliard.exceptions.TimeLimitExceeded: TimeLimitExceeded(1,)\n',
      'TimeLimitExceeded',
    ],
    [null, null, 'UnknownException'],
  ])('names the class of %s %j', async (exception, traceback, expected) => {
    const replay = new Replay();
    replay.send('task-failed', { name: 't', exception, traceback });
    expect((await replay.lines('celery_task_failed_total')).at(-1)).toBe(
      `celery_task_failed_total{name="t",hostname="host",exception="${expected}",queue_name="celery"} 1`,
    );
  });

  it('tells only so many exception classes of a task apart', async () => {
    const replay = new Replay({ maxExceptionsPerTask: 2 });
    for (const name of ['A', 'B', 'C', 'D', 'A']) replay.send('task-failed', { name: 't', exception: `${name}()` });
    replay.send('task-failed', { name: 'u', exception: 'D()' });
    const scrape = parseScrape(await replay.text());
    const ofT = ['A', 'B', 'C', 'D', 'other'].map((exception) =>
      scrape.sum('celery_task_failed_total', { name: 't', exception }),
    );
    expect(ofT).toEqual([2, 1, 0, 0, 2]);
    expect(scrape.sum('celery_task_failed_total', { name: 'u', exception: 'D' })).toBe(1);
  });

  it('measures the wait from sending or the eta to the start, anew for each retry', async () => {
    const replay = new Replay();
    const at = (seconds: number): { timestamp: number } => ({ timestamp: 1_795_400_000 + seconds });
    replay.send('task-sent', { hostname: 'gen1@web', name: 't', queue: 'q', ...at(0) });
    replay.send('task-received', { name: 't', ...at(1) });
    replay.send('task-started', at(2));
    // The retry is sent, to be run at its eta, and received while the first attempt still runs.
    const eta = new Date((1_795_400_000 + 60) * 1000).toISOString().replace('Z', '');
    replay.send('task-sent', { hostname: 'gen9@host', name: 't', queue: 'q', eta, retries: 1, ...at(3) });
    replay.send('task-received', { name: 't', eta, retries: 1, ...at(4) });
    replay.send('task-retried', at(5));
    replay.send('task-started', at(60.5));
    expect(await replay.lines('celery_task_queue_wait_time_sum')).toEqual([
      'celery_task_queue_wait_time_sum{name="t",hostname="host",queue_name="q"} 2.5',
    ]);
    // A publisher whose clock is ahead.
    replay.send('task-sent', { uuid: 'b', hostname: 'gen1@web', name: 't', queue: 'q', ...at(100) });
    replay.send('task-started', { uuid: 'b', ...at(90) });
    // Started without a task-sent: nothing is known.
    replay.send('task-started', { uuid: 'c', name: 't', ...at(90) });
    expect(await replay.lines('celery_task_queue_wait_time_')).toEqual(
      expect.arrayContaining([
        'celery_task_queue_wait_time_sum{name="t",hostname="host",queue_name="q"} 2.5',
        'celery_task_queue_wait_time_count{name="t",hostname="host",queue_name="q"} 3',
      ]),
    );
  });

  it('calls an unknown name None', async () => {
    const replay = new Replay();
    replay.send('task-started');
    expect(await replay.lines('celery_task_started_total')).toEqual([
      'celery_task_started_total{name="None",hostname="host",queue_name="celery"} 1',
    ]);
  });

  it('adds up the workers of one host', async () => {
    const replay = new Replay();
    replay.send('worker-heartbeat', { hostname: 'a@h', active: 2 });
    replay.send('worker-heartbeat', { hostname: 'b@h', active: 3 });
    expect(await replay.lines('celery_worker_')).toEqual([
      'celery_worker_up{hostname="h"} 1',
      'celery_worker_tasks_active{hostname="h"} 5',
    ]);
    replay.send('worker-offline', { hostname: 'a@h' });
    expect(await replay.lines('celery_worker_')).toEqual([
      'celery_worker_up{hostname="h"} 1',
      'celery_worker_tasks_active{hostname="h"} 3',
    ]);
    replay.send('worker-offline', { hostname: 'b@h' });
    expect(await replay.lines('celery_worker_')).toEqual([
      'celery_worker_up{hostname="h"} 0',
      'celery_worker_tasks_active{hostname="h"} 0',
    ]);
    replay.send('worker-heartbeat', { hostname: 'b@h', active: 1 });
    expect(await replay.lines('celery_worker_')).toEqual([
      'celery_worker_up{hostname="h"} 1',
      'celery_worker_tasks_active{hostname="h"} 1',
    ]);
  });

  it('knows generic hostnames, another prefix, static labels and other buckets', async () => {
    const replay = new Replay({
      genericHostnameSent: true,
      genericHostnameWorker: true,
      prefix: 'jobs_',
      staticLabels: { cluster: 'eu"1' },
      exporterRuntimeBuckets: [1, 1e6, Infinity],
    });
    replay.send('worker-heartbeat', { active: 1 });
    replay.send('task-sent', { hostname: 'gen1@web', name: 't', queue: 'q' });
    replay.send('task-succeeded', { name: 't', runtime: 2, root_id: ROOT_ID });
    expect((await replay.lines('jobs_')).filter((line) => !line.endsWith(' 0'))).toEqual([
      'jobs_task_sent_total{name="t",hostname="generic",queue_name="q",cluster="eu\\"1"} 1',
      'jobs_task_succeeded_total{name="t",hostname="generic",queue_name="q",cluster="eu\\"1"} 1',
      'jobs_task_runtime_bucket{name="t",hostname="generic",queue_name="q",cluster="eu\\"1",le="1e+06"} 1',
      'jobs_task_runtime_bucket{name="t",hostname="generic",queue_name="q",cluster="eu\\"1",le="+Inf"} 1',
      'jobs_task_runtime_sum{name="t",hostname="generic",queue_name="q",cluster="eu\\"1"} 2',
      'jobs_task_runtime_count{name="t",hostname="generic",queue_name="q",cluster="eu\\"1"} 1',
      'jobs_worker_up{hostname="host",cluster="eu\\"1"} 1',
      'jobs_worker_tasks_active{hostname="host",cluster="eu\\"1"} 1',
    ]);
    expect(await replay.lines('celery_')).toEqual([]);
  });
});
