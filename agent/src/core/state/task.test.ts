import { describe, expect, it } from '@jest/globals';
import type { CeleryEvent } from '../events/event.ts';
import { makeEvent } from './event.testkit.ts';
import { isReady, precedence, stateOfSubject } from './states.ts';
import { mergeTaskEvent, TaskState } from './task.ts';

function merged(...events: CeleryEvent[]): TaskState {
  const task = new TaskState('t-1');
  for (const event of events) mergeTaskEvent(task, event);
  return task;
}

const at = (subject: string, timestamp: number, more: Record<string, unknown> = {}) =>
  makeEvent(`task-${subject}`, { timestamp, ...more });

describe('states', () => {
  it("have Celery's order, custom ones between FAILURE and REVOKED", () => {
    const order = ['PENDING', 'RETRY', 'REJECTED', 'RECEIVED', 'STARTED', 'REVOKED', 'PROGRESS', 'FAILURE', 'SUCCESS'];
    expect([...order].sort((a, b) => precedence(b) - precedence(a))).toEqual(order);
    expect(order.filter(isReady)).toEqual(['REVOKED', 'FAILURE', 'SUCCESS']);
    expect([precedence(null), precedence({}), precedence('constructor')]).toEqual([2, 2, 2]);
  });

  it('follow from the subject', () => {
    expect(['sent', 'retried', 'my-step', 'constructor', ''].map(stateOfSubject)).toEqual(
      ['PENDING', 'RETRY', 'MY-STEP', 'CONSTRUCTOR', ''], // prettier-ignore
    );
  });
});

describe('mergeTaskEvent', () => {
  it('follows a task from its publisher to its end', () => {
    const sent = { hostname: 'gen1@c', name: 'app.add', queue: 'q', exchange: '', routing_key: 'q', clock: 1 };
    expect(
      merged(at('sent', 1, sent), at('received', 2, { args: '(1,)' }), at('started', 3), at('succeeded', 4, { result: '3', runtime: 1 })),
    ).toMatchObject({
      state: 'SUCCESS', client: 'gen1@c', worker: 'celery@a', name: 'app.add', args: '(1,)', queue: 'q', routing_key: 'q',
      sent: 1, received: 2, started: 3, succeeded: 4, timestamp: 4, result: '3', runtime: 1, odd: null,
    }); // prettier-ignore
  });

  it('takes only the call from a late task-received', () => {
    const late = { name: 'n', args: 'a', retries: 1, pid: 9, clock: 99, result: 'no' };
    expect(merged(at('succeeded', 5, { clock: 7, pid: 1 }), at('received', 6, late))).toMatchObject({
      state: 'SUCCESS', timestamp: 5, clock: 7, pid: 1, received: 6, name: 'n', args: 'a', retries: 1, result: null,
    }); // prettier-ignore
  });

  it('lets any other late event move the time, as Celery does', () => {
    expect(merged(at('succeeded', 5), at('started', 4))).toMatchObject({ state: 'SUCCESS', timestamp: 4, started: 4 });
  });

  it('lets a retry go back and forth', () => {
    expect(merged(at('failed', 1), at('retried', 2)).state).toBe('RETRY');
    expect(merged(at('started', 1), at('retried', 2), at('received', 3)).state).toBe('RECEIVED');
  });

  it('overwrites by null, but not by what is absent; the queue by neither', () => {
    const task = merged(
      at('sent', 1, { args: '(1,)', kwargs: '{}', queue: 'q' }),
      at('received', 2, { args: null }),
      at('sent', 3, { queue: null }),
    );
    expect(task).toMatchObject({ args: null, kwargs: '{}', queue: 'q' });
  });

  it('takes the queue from task-sent only', () => {
    expect(merged(at('progress', 1, { queue: 'mine' })).queue).toBeNull();
  });

  it("lets a body's own members win, and sets aside what does not fit", () => {
    const task = merged(at('started', 1), at('progress', 2, { started: 'soon', worker: 5, received: 7, clock: 'x' }));
    expect(task).toMatchObject({ state: 'PROGRESS', started: 1, worker: 'celery@a', received: 7, clock: 0 });
    expect(task.odd).toEqual({ started: 'soon', worker: 5, clock: 'x' });
    mergeTaskEvent(task, at('started', 3));
    expect(task).toMatchObject({ started: 3, worker: 'celery@a', odd: null });
  });

  it('takes a state from the body of a late event', () => {
    expect(merged(at('succeeded', 1), at('progress', 2, { state: 'MINE' })).state).toBe('MINE');
    const odd = merged(at('succeeded', 1), at('progress', 2, { state: 5 }));
    expect(odd).toMatchObject({ state: 'SUCCESS', odd: { state: 5 } });
    mergeTaskEvent(odd, at('failed', 3));
    expect(odd).toMatchObject({ state: 'FAILURE', odd: null });
  });
});
