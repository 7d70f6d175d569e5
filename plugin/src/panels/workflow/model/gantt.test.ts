import { barsOf, ticks, toGantt } from './gantt';
import { relate } from '../../../shared/workflow/relations';
import { CHORD, ran, taskOf } from '../../../shared/workflow/workflows.testkit';

const shown = (task: Parameters<typeof barsOf>[0], nowMs = 0) =>
  barsOf(task, nowMs).map(({ kind, fromMs, toMs }) => `${kind} ${fromMs}–${toMs}`);

it('waiting and running are separate bars', () => {
  expect(shown(ran('a', [1, 3, 8]))).toEqual(['wait 1000–3000', 'run 3000–8000']);
});

it('what has not ended goes on until now', () => {
  expect(shown(taskOf({ taskId: 'a', state: 'STARTED', sentMs: 1000, startedMs: 2000 }), 9000)).toEqual([
    'wait 1000–2000',
    'run 2000–9000',
  ]);
  expect(shown(taskOf({ taskId: 'a', state: 'PENDING', sentMs: 1000 }), 9000)).toEqual(['wait 1000–9000']);
});

it('earlier tries are told apart from the wait for the last one', () => {
  const retried = ran('a', [0, 6, 8], { retries: 2, retriedMs: 4000 });
  expect(shown(retried)).toEqual(['tries 0–4000', 'wait 4000–6000', 'run 6000–8000']);
  const again = taskOf({ taskId: 'a', state: 'RETRY', sentMs: 0, startedMs: 1000, retriedMs: 2000, retries: 1 });
  expect(shown(again, 5000)).toEqual(['tries 0–2000', 'wait 2000–5000']);
});

it('the first attempt of a retried task, whose publishing is not told, is taken to follow what it comes after', () => {
  const retried = ran('b', [7, 8, 9], { parentId: 'a', retries: 1, retriedMs: 6000 });
  const rows = toGantt(relate([ran('a', [0, 0, 3]), retried]), [], 0).rows;
  expect(rows[1]?.bars.map(({ kind, fromMs }) => `${kind} ${fromMs}`)).toEqual(['tries 3000', 'wait 6000', 'run 8000']);
});

it('a start that was not heard is told by end and runtime, and one before the publishing was told begins the task', () => {
  expect(shown(ran('a', [1, 3, 8], { startedMs: null }))).toEqual(['wait 1000–3000', 'run 3000–8000']);
  expect(shown(ran('a', [1.2, 1, 2], { receivedMs: 1100 }))).toEqual(['run 1000–2000']);
});

it('a task that never ran has waited until it was called off; one without a length keeps its run', () => {
  expect(shown(ran('a', [1, 1, 4], { state: 'REVOKED', startedMs: null, runtimeMs: null, revokedMs: 4000 }))).toEqual([
    'wait 1000–4000',
  ]);
  expect(shown(ran('a', [1, 1, 1]))).toEqual(['run 1000–1000']);
});

it('rows stand as a tree, a callback below the last of its header', () => {
  const { rows, fromMs, toMs, open } = toGantt(relate(CHORD), ['root', 'part2'], 0);
  expect(rows.map(({ task, depth }) => `${' '.repeat(depth)}${task.taskId}`)).toEqual([
    'root',
    ' part1',
    ' part2',
    ' part3',
    '  merge',
    '   tell',
  ]);
  expect(rows.filter(({ critical }) => critical)).toHaveLength(2);
  expect([fromMs, toMs, open]).toEqual([0, 11_000, false]);
});

it.each([
  [10, 5, [0, 2, 4, 6, 8, 10]],
  [950, 4, [0, 500]],
  [3_600_000, 4, [0, 900_000, 1_800_000, 2_700_000, 3_600_000]],
  [40 * 86_400_000, 4, [0, 10, 20, 30, 40].map((days) => days * 86_400_000)],
])('the axis of %d ms has at most %d steps, round ones', (spanMs, most, expected) => {
  expect(ticks(spanMs, most)).toEqual(expected);
});
