import { percentOf, type TaskEvent, toTimeline } from './timeline';

const event = (type: string, timestampMs: number, attempt = 1): TaskEvent => ({
  type: `task-${type}`,
  timestampMs,
  attempt,
  receivedMs: timestampMs,
  worker: 'celery@a',
  clock: 1,
  fields: {},
});

it('tells attempts apart, and queueing, waiting and running within each', () => {
  const model = toTimeline(
    [
      event('sent', 0),
      event('received', 10),
      event('started', 15),
      event('retried', 25),
      event('received', 30, 2),
      event('started', 40, 2),
      event('succeeded', 100, 2),
    ],
    500,
    true,
  );
  expect(model.attempts.map(({ number, spans }) => [number, spans])).toEqual([
    [
      1,
      [
        { kind: 'queued', fromMs: 0, toMs: 10, open: false },
        { kind: 'waiting', fromMs: 10, toMs: 15, open: false },
        { kind: 'running', fromMs: 15, toMs: 25, open: false },
      ],
    ],
    [
      2,
      [
        { kind: 'waiting', fromMs: 30, toMs: 40, open: false },
        { kind: 'running', fromMs: 40, toMs: 100, open: false },
      ],
    ],
  ]);
  expect([model.fromMs, model.toMs]).toEqual([0, 100]);
  expect(percentOf(25, model)).toBe(25);
});

it('lets what goes on run until now, but not that of a task that has ended', () => {
  const events = [event('received', 10), event('started', 20)];
  expect(toTimeline(events, 50, false).attempts[0]?.spans.at(-1)).toEqual({
    kind: 'running',
    fromMs: 20,
    toMs: 50,
    open: true,
  });
  expect(toTimeline(events, 50, true).attempts[0]?.spans).toEqual([
    { kind: 'waiting', fromMs: 10, toMs: 20, open: false },
  ]);
});

it('never ends before it begins, whatever the clocks say', () => {
  const model = toTimeline(
    [event('sent', 100), event('received', 60), event('started', 60), event('succeeded', 61)],
    0,
    true,
  );
  expect(model.attempts[0]?.spans.every(({ fromMs, toMs }) => toMs >= fromMs)).toBe(true);
  expect([model.fromMs, model.toMs]).toEqual([60, 100]);
});

it('has a place for a single instant', () => {
  expect(percentOf(5, toTimeline([event('sent', 5)], 5, true))).toBe(0);
});
