import { describe, expect, it } from '@jest/globals';
import type { CeleryEvent } from '../../core/events/event.ts';
import { ClusterState } from '../../core/state/cluster.ts';
import type { LiveMessage } from '../../http/ports.ts';
import { systemClock } from '../../lib/clock.ts';
import { createLiveHub } from './hub.ts';

const MANY = { maxQueue: 1000 };

class Scene {
  readonly hub = createLiveHub({ clock: systemClock });
  readonly #state = new ClusterState({ openTasks: 1000, finishedTasks: 1000, workers: 10, recentEvents: 1000 });
  #clock = 0;

  send(type: string, uuid: string, fields: Readonly<Record<string, unknown>> = {}, hostname = 'celery@a'): void {
    const [group = '', ...subject] = type.split('-');
    this.#clock += 1;
    const event: CeleryEvent = {
      type,
      group: group === 'worker' ? 'worker' : 'task',
      subject: subject.join('-'),
      hostname,
      uuid,
      timestamp: 1000 + this.#clock,
      clock: this.#clock,
      identity: this.#clock,
      receivedMs: 1_000_000,
      fields: { type, uuid, hostname, ...fields },
    };
    const change = this.#state.apply(event, 1_000_000);
    if (change !== undefined) this.hub.publish(change);
  }

  lose(): void {
    for (const change of this.#state.sweep(1e15)) this.hub.publish(change);
  }
}

/** Reads so many messages, or until the subscription is closed; then it is. */
async function read(subscription: AsyncIterable<LiveMessage>, count: number): Promise<LiveMessage[]> {
  const messages: LiveMessage[] = [];
  for await (const message of subscription) {
    messages.push(message);
    if (messages.length === count) break;
  }
  return messages;
}

const brief = (message: LiveMessage): string =>
  message.kind === 'task' ? `${message.taskId} ${message.state}` : `${message.worker} ${message.type}`;

describe('the live hub', () => {
  it('sends what happened, in order, to a reader that waits', async () => {
    const scene = new Scene();
    const reading = read(scene.hub.subscribe({}, MANY), 4);
    scene.send('worker-online', '', { pid: 7 });
    scene.send('task-received', 't1', { name: 'app.add', args: '(1,)', root_id: 'r', parent_id: 'p', retries: 1 });
    scene.send('task-succeeded', 't1', { runtime: 0.25, result: 'x'.repeat(1000) });
    scene.lose();
    const [online, received, succeeded, lost] = await reading;
    expect(online).toMatchObject({ kind: 'worker', type: 'worker-online', online: true, wasOnline: false, pid: 7 });
    expect(received).toMatchObject({ kind: 'task', state: 'RECEIVED', previousState: null, runtimeMs: null });
    expect(succeeded).toEqual({
      kind: 'task',
      type: 'task-succeeded',
      timestampMs: 1_003_000,
      taskId: 't1',
      name: 'app.add',
      state: 'SUCCESS',
      previousState: 'RECEIVED',
      worker: 'celery@a',
      queue: null,
      rootId: 'r',
      parentId: 'p',
      args: '(1,)',
      kwargs: null,
      retries: 1,
      runtimeMs: 250,
      result: 'x'.repeat(200),
      exception: null,
    });
    expect(lost).toMatchObject({ kind: 'worker', type: 'worker-lost', online: false, wasOnline: true });
    expect(scene.hub.stats().subscribers).toBe(0);
  });

  it('tells of a worker that a task event brought back', async () => {
    const scene = new Scene();
    const reading = read(scene.hub.subscribe({}, MANY), 2);
    scene.send('task-started', 't1');
    expect((await reading).map(brief)).toEqual(['celery@a task-started', 't1 STARTED']);
  });

  it('keeps messages as they were when they happened', async () => {
    const scene = new Scene();
    const subscription = scene.hub.subscribe({ kinds: ['task'] }, MANY);
    scene.send('task-received', 't1');
    scene.send('task-started', 't1');
    expect((await read(subscription, 2)).map(brief)).toEqual(['t1 RECEIVED', 't1 STARTED']);
  });

  it.each([
    [{ kinds: ['worker'] as const }, ['celery@b worker-heartbeat', 'celery@a task-received']],
    [{ names: ['app.add'] }, ['t1 RECEIVED', 't1 FAILURE']],
    [{ names: ['app.*', '*.other'] }, ['t1 RECEIVED', 't2 RECEIVED', 't1 FAILURE']],
    [{ names: ['*pp.a*'] }, ['t1 RECEIVED', 't1 FAILURE']],
    [{ states: ['FAILURE', 'SUCCESS'] }, ['t1 FAILURE']],
    [{ workers: ['celery@b'] }, ['celery@b worker-heartbeat', 't3 RECEIVED']],
    [{ queues: ['slow'] }, ['t4 PENDING']],
    [{ taskId: 't2' }, ['t2 RECEIVED']],
    [{ rootId: 'root' }, ['t3 RECEIVED']],
    [{ names: ['app.add'], states: ['RECEIVED'] }, ['t1 RECEIVED']],
    [{ kinds: ['worker'] as const, states: ['FAILURE'] }, []],
    [{ names: [] }, []],
  ])('sends only what the filter %j accepts', async (filter, expected) => {
    const scene = new Scene();
    // One more than expected: were there another message, it would be read too.
    const reading = read(scene.hub.subscribe(filter, MANY), expected.length + 1);
    scene.send('worker-heartbeat', '', {}, 'celery@b');
    scene.send('task-received', 't1', { name: 'app.add' });
    scene.send('task-received', 't2', { name: 'app.other' });
    scene.send('task-received', 't3', { root_id: 'root' }, 'celery@b');
    scene.send('task-sent', 't4', { name: 'x', queue: 'slow' }, 'gen1@web');
    scene.send('task-failed', 't1', { exception: 'E()' });
    await new Promise((resolve) => setImmediate(resolve));
    scene.hub.close();
    expect((await reading).map(brief)).toEqual(expected);
  });
});

describe('a slow reader', () => {
  it('gets every message while less than half of its queue waits', async () => {
    const scene = new Scene();
    const subscription = scene.hub.subscribe({ kinds: ['task'] }, { maxQueue: 6 });
    for (const type of ['task-received', 'task-started', 'task-succeeded']) scene.send(type, 't1');
    expect((await read(subscription, 3)).map(brief)).toEqual(['t1 RECEIVED', 't1 STARTED', 't1 SUCCESS']);
    expect(scene.hub.stats()).toEqual({ subscribers: 0, refused: 0, dropped: 0, coalesced: 0 });
  });

  it('gets only the latest state of a task when it is behind', async () => {
    const scene = new Scene();
    const subscription = scene.hub.subscribe({ kinds: ['task'] }, { maxQueue: 4 });
    scene.send('task-received', 't1');
    scene.send('task-received', 't2');
    scene.send('task-started', 't1');
    scene.send('task-succeeded', 't1');
    expect((await read(subscription, 2)).map(brief)).toEqual(['t2 RECEIVED', 't1 SUCCESS']);
    expect(subscription.takeDropped()).toBe(0);
    expect(scene.hub.stats()).toMatchObject({ dropped: 0, coalesced: 2 });
  });

  it('loses the oldest messages when its queue is full, and is told how many', async () => {
    const scene = new Scene();
    const slow = scene.hub.subscribe({ kinds: ['task'] }, { maxQueue: 3 });
    const other = scene.hub.subscribe({ kinds: ['task'] }, MANY);
    for (let i = 0; i < 10; i++) scene.send('task-received', `t${i}`);
    expect(slow.takeDropped()).toBe(7);
    expect(slow.takeDropped()).toBe(0);
    expect((await read(slow, 3)).map(brief)).toEqual(['t7 RECEIVED', 't8 RECEIVED', 't9 RECEIVED']);
    expect(await read(other, 10)).toHaveLength(10);
    expect(scene.hub.stats()).toEqual({ subscribers: 0, refused: 0, dropped: 7, coalesced: 0 });
  });

  it('holds no more than its queue, whatever comes', async () => {
    const scene = new Scene();
    const subscription = scene.hub.subscribe({}, { maxQueue: 5 });
    for (let i = 0; i < 5000; i++) scene.send('task-received', `t${i % 700}`);
    const waiting = read(subscription, 6);
    scene.send('task-received', 'last');
    expect((await waiting).map(brief).at(-1)).toBe('last RECEIVED');
    expect(subscription.takeDropped()).toBeGreaterThan(4900);
  });
});

describe('closing', () => {
  it('ends a reader that waits', async () => {
    const scene = new Scene();
    const subscription = scene.hub.subscribe({}, MANY);
    const reading = read(subscription, 1);
    subscription.close();
    subscription.close();
    expect(await reading).toEqual([]);
    expect(scene.hub.stats().subscribers).toBe(0);
  });

  it('happens by itself when the reader leaves', async () => {
    const scene = new Scene();
    const subscription = scene.hub.subscribe({}, MANY);
    scene.send('worker-online', '');
    expect(await read(subscription, 1)).toHaveLength(1);
    expect(scene.hub.stats().subscribers).toBe(0);
    scene.send('worker-online', '');
    expect(await read(subscription, 1)).toEqual([]);
  });

  it('of the hub ends them all', async () => {
    const scene = new Scene();
    const readings = [read(scene.hub.subscribe({}, MANY), 1), read(scene.hub.subscribe({}, MANY), 1)];
    scene.hub.close();
    expect(await Promise.all(readings)).toEqual([[], []]);
  });
});
