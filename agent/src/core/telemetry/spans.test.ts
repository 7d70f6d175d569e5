import { describe, expect, it } from '@jest/globals';
import { MAX_ATTEMPTS } from './attempts.ts';
import { TRACEBACK_LIMIT } from './attributes.ts';
import { spanIdOf } from './ids.ts';
import { attemptSpans, taskSpan } from './spans.ts';
import { after, afterRestart, PLACE, ROOT_ID, TASK_ID, taskEvent, type Told } from './telemetry.testkit.ts';

const BODY = { name: 'shop.pay', root_id: ROOT_ID, parent_id: 'parent' };
const LOST = { exception: "OSError('gone')", traceback: 'Traceback (most recent call last):\n  …\nOSError: gone\n' };

/** Two attempts; as in Celery the second is published before the first tells that it is retried. */
const RETRIED = [
  taskEvent('sent', 100, { ...BODY, retries: 0, hostname: 'gen1@web', queue: 'orders' }),
  taskEvent('received', 101, { ...BODY, retries: 0 }),
  taskEvent('started', 103),
  taskEvent('sent', 104, { ...BODY, retries: 1, eta: '1970-01-01T00:01:50+00:00', hostname: 'gen2@a' }),
  taskEvent('retried', 105, LOST),
  taskEvent('received', 106, { ...BODY, retries: 1, eta: '1970-01-01T00:01:50+00:00', hostname: 'celery@b' }),
  taskEvent('started', 112, { hostname: 'celery@b' }),
  taskEvent('succeeded', 115, { hostname: 'celery@b', runtime: 2.5 }),
];

const spansOf = ({ task, attempts }: Told) => [
  ...attempts.flatMap((attempt) => attemptSpans(task, attempt, PLACE)),
  taskSpan(task, attempts, PLACE),
];
const brief = (told: Told) => spansOf(told).map(({ name, start, end, error }) => [name, start, end, error]);
const gone = 'OSError: gone';

describe('spans of a task', () => {
  it('tells its attempts apart although the second is published before the first has ended', () => {
    expect(brief(after(...RETRIED))).toEqual([
      ['queue shop.pay', 100, 103, undefined],
      ['run shop.pay', 103, 105, gone],
      ['queue shop.pay', 110, 112, undefined],
      ['run shop.pay', 112, 115, undefined],
      ['shop.pay', 100, 115, undefined],
    ]);
    const workers = spansOf(after(...RETRIED)).map(({ attributes }) => attributes['celery.worker']);
    expect(workers).toEqual(['celery@a', 'celery@a', 'celery@b', 'celery@b', 'celery@b']);
  });

  it('does so too when the next worker takes the task before the first one tells of the retry', () => {
    const [sent, received, started, again, retried, taken, ...rest] = RETRIED;
    const order = [sent, received, started, again, taken, retried, ...rest].flatMap((event) => event ?? []);
    expect(brief(after(...order))).toEqual(brief(after(...RETRIED)));
  });

  it('has the same ids whatever was heard, so that what two agents tell is one', () => {
    const ids = (told: Told) => spansOf(told).map(({ spanId }) => spanId);
    expect(ids(after(...RETRIED))).toEqual([
      ...[spanIdOf(TASK_ID, 'queue 0'), spanIdOf(TASK_ID, 'run 0'), spanIdOf(TASK_ID, 'queue 1')],
      ...[spanIdOf(TASK_ID, 'run 1'), spanIdOf(TASK_ID, 'task')],
    ]);
    expect(ids(after(...RETRIED))).toEqual(expect.arrayContaining(ids(afterRestart(6, ...RETRIED))));
  });

  it('goes on after a restart with what the history knows of the attempt under way', () => {
    expect(brief(afterRestart(6, ...RETRIED))).toEqual([
      ['queue shop.pay', 110, 112, undefined],
      ['run shop.pay', 112, 115, undefined],
      ['shop.pay', 106, 115, undefined],
    ]);
    expect(brief(afterRestart(3, ...RETRIED.slice(0, 3), taskEvent('failed', 109, LOST)))).toEqual([
      ['queue shop.pay', 100, 103, undefined],
      ['run shop.pay', 103, 109, gone],
      ['shop.pay', 100, 109, gone],
    ]);
  });

  it('is below the task that published it, else below the root, else a root itself', () => {
    const parentOf = (body: object): string | undefined => {
      const { task, attempts } = after(taskEvent('received', 1, { ...body }), taskEvent('succeeded', 2));
      return taskSpan(task, attempts, PLACE).parentSpanId;
    };
    expect(parentOf(BODY)).toBe(spanIdOf('parent', 'task'));
    expect(parentOf({ root_id: ROOT_ID })).toBe(spanIdOf(ROOT_ID, 'task'));
    expect(parentOf({ root_id: TASK_ID, parent_id: null })).toBeUndefined();
    expect(parentOf({})).toBeUndefined();
  });

  it('begins its queue where the worker took it when no task-sent was heard, and its run by the runtime', () => {
    const received = taskEvent('received', 5, BODY);
    const succeeded = taskEvent('succeeded', 9, { runtime: 1.5 });
    expect(brief(after(received, taskEvent('started', 7), succeeded))[0]).toEqual(['queue shop.pay', 5, 7, undefined]);
    expect(brief(after(succeeded))).toEqual([
      ['run unknown task', 7.5, 9, undefined],
      ['unknown task', 9, 9, undefined],
    ]);
  });

  it('never ends before it begins, whatever the clocks say', () => {
    const skewed = after(taskEvent('sent', 100, BODY), taskEvent('started', 90), taskEvent('succeeded', 80));
    for (const { start, end } of spansOf(skewed)) expect(end).toBeGreaterThanOrEqual(start);
  });

  it('has no run when it never started, and says how it ended', () => {
    const revoked = after(taskEvent('received', 1, BODY), taskEvent('revoked', 4, { expired: true }));
    expect(brief(revoked)).toEqual([
      ['queue shop.pay', 1, 4, undefined],
      ['shop.pay', 1, 4, 'revoked'],
    ]);
    expect(spansOf(revoked).at(-1)?.attributes).toMatchObject({ 'error.type': 'revoked', 'celery.state': 'REVOKED' });
  });

  it('counts a redelivery anew, from the worker that has it now', () => {
    const [first, again] = [
      { ...BODY, hostname: 'celery@dead' },
      { ...BODY, hostname: 'celery@b' },
    ];
    const redelivered = after(
      ...[taskEvent('received', 1, first), taskEvent('started', 2, { hostname: 'celery@dead' })],
      ...[taskEvent('received', 50, again), taskEvent('started', 51, { hostname: 'celery@b' })],
      taskEvent('succeeded', 53, { hostname: 'celery@b' }),
    );
    expect(brief(redelivered)).toEqual([
      ['queue shop.pay', 50, 51, undefined],
      ['run shop.pay', 51, 53, undefined],
      ['shop.pay', 50, 53, undefined],
    ]);
  });

  it('bounds the attempts and the traceback', () => {
    const many = Array.from({ length: MAX_ATTEMPTS + 50 }, (_, retries) => [
      taskEvent('received', retries, { ...BODY, retries }),
      taskEvent('retried', retries + 0.5, { exception: 'E()', traceback: 'x'.repeat(TRACEBACK_LIMIT + 10) }),
    ]).flat();
    const told = after(...many);
    expect(told.attempts).toHaveLength(MAX_ATTEMPTS);
    const [run] = spansOf(after(...many.slice(0, 2), taskEvent('started', 0.2))).filter(
      ({ events }) => events.length > 0,
    );
    expect(String(run?.events[0]?.attributes['exception.stacktrace'])).toHaveLength(TRACEBACK_LIMIT);
  });

  it('takes values of any type for what they are on the wire', () => {
    const odd = { name: 7, root_id: {}, parent_id: ['x'], retries: 'many', eta: 12, runtime: 'long', queue: null };
    const told = after(taskEvent('received', 1, odd), taskEvent('failed', 2, { exception: { a: 1 }, traceback: 5 }));
    for (const { attributes, events } of spansOf(told)) {
      for (const value of [attributes, ...events.map((event) => event.attributes)].flatMap((one) =>
        Object.values(one),
      )) {
        expect(['string', 'number', 'boolean', 'undefined']).toContain(typeof value);
      }
    }
  });
});
