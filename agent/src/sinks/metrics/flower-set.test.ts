import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { RECORDINGS, recordedMessages } from '../../../../test/recordings/recordings.testkit.ts';
import { ROOT } from '../../../../test/support/paths.ts';
import { parseScrape } from '../../../../test/support/prometheus-text.ts';
import { runPython } from '../../../../test/support/python.ts';
import { decodeMessage } from '../../core/events/decode.ts';
import { Replay } from './testing/replay.testkit.ts';

const FLOWER = join(ROOT, 'agent/src/sinks/metrics/testing/flower-metrics.py');
const isFlower = (name: string): boolean => name.startsWith('flower_') && !name.endsWith('_created');

describe("Flower's set", () => {
  it.each(RECORDINGS)('has every sample that Flower itself makes of %s', async (recording) => {
    const replay = new Replay();
    const bodies: unknown[] = [];
    for (const { raw } of recordedMessages(recording)) {
      for (const event of decodeMessage(raw).events) {
        bodies.push(event.fields);
        replay.event(event);
      }
    }
    const flower = parseScrape(await runPython(FLOWER, JSON.stringify(bodies))).select(isFlower);
    const ours = parseScrape(await replay.text()).select(isFlower);
    expect(flower.size).toBeGreaterThan(100);
    const rounded = (samples: Map<string, number>): [string, string][] =>
      [...samples].map(([key, value]): [string, string] => [key, value.toFixed(9)]).sort();
    expect(rounded(ours)).toEqual(rounded(flower));
  });

  it('observes a runtime of exactly 0, and survives runtimes that are no numbers', async () => {
    const replay = new Replay();
    replay.send('task-succeeded', { name: 't', runtime: 0 });
    replay.send('task-succeeded', { name: 't', runtime: null });
    replay.send('task-succeeded', { name: 't', runtime: 'soon' });
    replay.send('task-succeeded', { name: 't', runtime: -1 });
    expect(await replay.lines('flower_task_runtime_seconds_count')).toEqual([
      'flower_task_runtime_seconds_count{worker="celery@host",task="t"} 2',
    ]);
    expect(await replay.lines('flower_task_runtime_seconds_sum')).toEqual([
      'flower_task_runtime_seconds_sum{worker="celery@host",task="t"} 0',
    ]);
  });

  it('never lets the prefetched gauge fall below 0, and sets it to 0 when the worker restarts', async () => {
    const replay = new Replay();
    replay.send('worker-online', { pid: 10 });
    replay.send('task-received', { name: 't' });
    replay.send('task-started');
    replay.send('task-started');
    expect(await replay.lines('flower_worker_prefetched')).toEqual([
      'flower_worker_prefetched_tasks{worker="celery@host",task="t"} 0',
    ]);
    replay.send('task-received', { uuid: 'task-2', name: 't' });
    expect(await replay.lines('flower_worker_prefetched')).toEqual([
      'flower_worker_prefetched_tasks{worker="celery@host",task="t"} 1',
    ]);
    replay.send('worker-online', { pid: 11 });
    expect(await replay.lines('flower_worker_prefetched')).toEqual([
      'flower_worker_prefetched_tasks{worker="celery@host",task="t"} 0',
    ]);
  });

  it('labels a task whose name is not known with nothing, and counts that', async () => {
    const replay = new Replay();
    replay.send('task-started');
    expect(await replay.lines('flower_events_total')).toEqual([
      'flower_events_total{worker="celery@host",type="task-started",task=""} 1',
    ]);
    expect(await replay.lines('umbel_tasks_unknown_name_total')).toEqual(['umbel_tasks_unknown_name_total 1']);
  });

  it.each([
    ['exact', ['gen1@web', 'gen2@web']],
    ['host', ['web']],
    ['generic', ['generic']],
  ] as const)('shows publishers as %s', async (producerLabel, workers) => {
    const replay = new Replay({ producerLabel });
    replay.send('task-sent', { hostname: 'gen1@web', name: 't', queue: 'q' });
    replay.send('task-sent', { hostname: 'gen2@web', name: 't', queue: 'q' });
    expect(await replay.lines('flower_events_total')).toEqual(
      workers.map(
        (worker) => `flower_events_total{worker="${worker}",type="task-sent",task="t"} ${2 / workers.length}`,
      ),
    );
    // The exporter's set has its own option.
    expect(await replay.lines('celery_task_sent_total')).toEqual([
      'celery_task_sent_total{name="t",hostname="web",queue_name="q"} 2',
    ]);
  });

  it('is silent when it is switched off', async () => {
    const replay = new Replay({ flowerSet: false });
    replay.send('task-received', { name: 't' });
    expect(await replay.text()).not.toMatch(/^(# \w+ )?flower_/m);
    expect(await replay.lines('celery_task_received_total')).toHaveLength(1);
  });
});
