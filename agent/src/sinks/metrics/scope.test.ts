import { expect, it } from '@jest/globals';
import { FAMILIES } from './families.ts';
import { ALL_SHOWN, scopeOf, type Shown } from './scope.ts';
import { Replay } from './testing/replay.testkit.ts';

const HIDDEN: Shown = { taskCounts: false, taskGauges: false, workers: false, probes: false };

it('every family of Flower and celery-exporter belongs to one agent of several', () => {
  const everybodys = FAMILIES.filter(({ name, set }) => set !== 'process' && scopeOf(name) === 'agent');
  expect(everybodys.map(({ set }) => set).filter((set) => set !== 'umbel')).toEqual([]);
  // Of the agent's own the same is true of all that carry a label of the cluster.
  const ofCluster = ['worker', 'queue_name', 'hostname', 'name', 'task'];
  const shared = everybodys.filter(({ labels }) => labels.some((label) => ofCluster.includes(label)));
  expect(shared.map(({ name }) => name)).toEqual([]);
});

it('what another agent shows has no series here, and counts from 0 when it is shown again', async () => {
  const replay = new Replay();
  let shown = ALL_SHOWN;
  replay.metrics.show(() => shown);
  const succeed = (uuid: string): void => {
    replay.send('task-received', { uuid, name: 't' });
    replay.send('task-succeeded', { uuid, runtime: 1 });
  };
  replay.send('worker-heartbeat', { active: 0 });
  succeed('a');
  const lines = (): Promise<string[]> => replay.lines('celery_task_succeeded_total');
  const [before = ''] = await lines();
  expect(before).toMatch(/ 1$/);

  shown = HIDDEN;
  const text = await replay.text();
  expect(text).toContain('# TYPE celery_task_succeeded_total counter');
  expect(text).not.toMatch(/^(celery|flower)_/m);
  expect(text).toContain('umbel_events_received_total{type="task-succeeded"} 1');
  succeed('b');

  shown = ALL_SHOWN;
  expect(await lines()).toEqual([before.replace(/1$/, '0')]);
  expect(await replay.lines('celery_task_runtime_sum')).toEqual([expect.stringMatching(/ 0$/)]);
  expect(await replay.lines('flower_worker_online')).toEqual([expect.stringMatching(/ 1$/)]);
  succeed('c');
  expect(await lines()).toEqual([before]);
  expect(await replay.lines('celery_task_runtime_count')).toEqual([expect.stringMatching(/ 1$/)]);
});
