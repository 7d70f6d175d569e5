import { expect, it } from '@jest/globals';
import { makeEvent } from './event.testkit.ts';
import { inHeardOrder } from './heard-order.ts';

const order = (...events: Parameters<typeof makeEvent>[]): string[] =>
  inHeardOrder(events.map((event) => makeEvent(...event))).map(({ subject }) => subject);

it('orders the events of one sender as it sent them, whenever they were received', () => {
  expect(
    order(
      ['task-succeeded', { timestamp: 12, clock: 9 }, 100],
      ['task-started', { timestamp: 12, clock: 8 }, 300],
      ['task-received', { timestamp: 11, clock: 7 }, 200],
    ),
  ).toEqual(['received', 'started', 'succeeded']);
});

it('orders those of several senders by when they were received, whatever their clocks say', () => {
  expect(
    order(
      ['task-received', { hostname: 'celery@b', timestamp: 10 }, 300],
      ['task-sent', { hostname: 'gen1@web', timestamp: 99 }, 100],
      ['task-retried', { hostname: 'celery@a', timestamp: 12 }, 200],
    ),
  ).toEqual(['sent', 'retried', 'received']);
});

it('takes an event as heard when a quicker receiver heard the next one of its sender', () => {
  expect(
    order(
      ['task-received', { hostname: 'celery@b', timestamp: 13 }, 250],
      ['task-started', { hostname: 'celery@a', timestamp: 11 }, 300],
      ['task-retried', { hostname: 'celery@a', timestamp: 12 }, 200],
    ),
  ).toEqual(['started', 'retried', 'received']);
});
