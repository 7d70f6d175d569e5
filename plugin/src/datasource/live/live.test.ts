import { NEVER, Observable, of, Subject, throwError } from 'rxjs';
import type { LiveTask, Task } from '../../shared/api';
import { follow, type Tick } from './follow';
import { Ring } from './ring';
import { sseParser } from './sse';
import { LiveStream } from './stream';
import { applyMessages, replaceRows, verdictOf } from './tasks';
import { applyWorkerMessages } from './workers';

const message = (change: Partial<LiveTask> = {}): LiveTask => ({
  ...{ kind: 'task', type: 'task-started', timestampMs: 100, taskId: 'a', name: 'app.add', state: 'STARTED' },
  ...{ previousState: null, worker: 'w@h', queue: null, rootId: null, parentId: null, retries: null },
  ...{ args: null, kwargs: null, runtimeMs: null, result: null, exception: null },
  ...change,
});
const row = (taskId: string, change: Partial<Task> = {}) =>
  ({ taskId, name: 'app.add', state: 'RECEIVED', timestampMs: 50, args: '(1,)', queue: 'q', ...change }) as Task;
const ids = (tasks: readonly Task[]) => tasks.map(({ taskId }) => taskId);

describe('the text of an event stream', () => {
  it('gives the messages that are whole, wherever it is cut', () => {
    const text = 'retry: 3000\n\n: heartbeat\n\nevent: task\ndata: {"a":1}\n\nevent: dropped\r\ndata: {}\r\n\r\n';
    for (let cut = 0; cut <= text.length; cut += 1) {
      const parse = sseParser();
      expect([...parse(text.slice(0, cut)), ...parse(text.slice(cut))]).toEqual([
        { event: 'task', data: '{"a":1}' },
        { event: 'dropped', data: '{}' },
      ]);
    }
  });
});

describe('the ring', () => {
  it('keeps the newest entries and tells each reader what it missed', () => {
    const ring = new Ring<number>(3);
    [1, 2].forEach((one) => ring.push(one));
    expect(ring.since(0)).toEqual({ entries: [1, 2], missed: 0 });
    [3, 4, 5].forEach((one) => ring.push(one));
    expect(ring.since(1)).toEqual({ entries: [3, 4, 5], missed: 1 });
    expect(ring.since(ring.next)).toEqual({ entries: [], missed: 0 });
  });
});

describe('rows after messages', () => {
  const order = { limit: 3 };

  it('change, keep what the stream does not tell, and come to the top', () => {
    const told = message({ args: '(1', result: '2' });
    const after = applyMessages([row('b', { timestampMs: 60 }), row('a')], [told], {}, order);
    expect(after.changed).toBe(true);
    expect(ids(after.tasks)).toEqual(['a', 'b']);
    expect(after.tasks[0]).toMatchObject({
      state: 'STARTED',
      startedMs: 100,
      args: '(1,)',
      result: '2',
      queue: 'q',
      timestampMs: 100,
    });
  });

  it('go when they no longer pass, and new ones that pass come, within the limit', () => {
    const rows = [row('a'), row('b', { timestampMs: 40 }), row('c', { timestampMs: 30 })];
    const filter = { states: ['STARTED', 'RECEIVED'] };
    const done = message({ state: 'SUCCESS', type: 'task-succeeded' });
    const told = [done, message({ taskId: 'd' }), message({ taskId: 'e', timestampMs: 101 })];
    expect(ids(applyMessages(rows, told, filter, order).tasks)).toEqual(['e', 'd', 'b']);
  });

  it('are as the last message of a task says, whatever the clocks of its senders', () => {
    const told = [message({ state: 'SUCCESS', timestampMs: 200 }), message({ state: 'FAILURE', timestampMs: 150 })];
    expect(applyMessages([row('a')], told, {}, order).tasks[0]).toMatchObject({ state: 'FAILURE', timestampMs: 200 });
  });

  it('keep their places in another order than time', () => {
    const after = applyMessages(
      [row('b'), row('a')],
      [message(), message({ taskId: 'n' })],
      {},
      { ...order, sort: 'name' },
    );
    expect(ids(after.tasks)).toEqual(['n', 'b', 'a']);
  });

  it('ask the history where the stream cannot tell', () => {
    const after = applyMessages([row('a')], [message({ taskId: 'z' })], { search: 'x' }, order);
    expect(after).toMatchObject({ uncertain: true, changed: false });
  });

  it('are what the history tells, but for what is newer', () => {
    const read = [row('a', { state: 'STARTED', timestampMs: 60, result: '1' }), row('n', { timestampMs: 70 })];
    const rows = [row('a', { state: 'SUCCESS', timestampMs: 80 }), row('b')];
    const union = replaceRows(rows, read, order, false);
    expect(ids(union)).toEqual(['a', 'n', 'b']);
    expect(union[0]).toMatchObject({ state: 'SUCCESS', result: '1' });
    expect(ids(replaceRows(rows, read, order, true))).toEqual(['a', 'n']);
  });

  it.each([
    [{ names: ['app.*'] }, 'in'],
    [{ names: ['*.mail'] }, 'out'],
    [{ workers: ['w@h'], states: ['STARTED'] }, 'in'],
    [{ queues: ['q'] }, 'out'],
    [{ from: '101' }, 'out'],
    [{ to: '100' }, 'out'],
    [{ runtimeMin: '1s' }, 'unknown'],
    [{ states: ['FAILURE'], search: 'x' }, 'out'],
  ] as const)('%j: %s', (filter, verdict) => {
    expect(verdictOf(message(), filter as never)).toBe(verdict);
  });
});

it('workers change with what the stream tells; a lost one keeps its last heartbeat', () => {
  const known = { hostname: 'w@h', online: true, lastHeartbeatMs: 5, active: 1, pool: 'prefork' } as never;
  const told = {
    kind: 'worker',
    type: 'worker-lost',
    timestampMs: 90,
    worker: 'w@h',
    online: false,
    wasOnline: true,
  } as const;
  const rest = { restarted: false, pid: null, active: null, processed: null, loadavg: null };
  const [after] = applyWorkerMessages([known], [{ ...told, ...rest }]);
  expect(after).toMatchObject({ online: false, lastHeartbeatMs: 5, active: 1, pool: 'prefork' });
  expect(applyWorkerMessages([], [{ ...told, ...rest, worker: 'a@h' }]).map(({ hostname }) => hostname)).toEqual([
    'a@h',
  ]);
});

describe('the stream', () => {
  const bytes = (text: string) => new TextEncoder().encode(text);
  const task = (taskId: string) => bytes(`event: task\ndata: ${JSON.stringify(message({ taskId }))}\n\n`);

  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  it('is one for all readers, and outlives a refresh', () => {
    const body = new Subject<Uint8Array>();
    const connect = jest.fn(() => body.asObservable());
    const stream = new LiveStream({ connect, probe: () => of(1), random: () => 0.5 });
    const ticks: Tick[] = [];
    const first = follow(stream, 0, 250).subscribe((tick) => ticks.push(tick));
    const second = follow(stream, 0, 250).subscribe();
    body.next(task('a'));
    expect(stream.current).toBe('live');
    jest.advanceTimersByTime(250);
    expect(ticks).toContainEqual({ kind: 'messages', messages: [message()] });
    first.unsubscribe();
    second.unsubscribe();
    jest.advanceTimersByTime(5000);
    body.next(task('b'));
    follow(stream, 0, 250).subscribe((tick) => ticks.push(tick));
    jest.advanceTimersByTime(250);
    expect(ticks.at(-1)).toEqual({ kind: 'messages', messages: [message(), message({ taskId: 'b' })] });
    expect(connect).toHaveBeenCalledTimes(1);
  });

  it('ends a while after its last reader', () => {
    const gone = jest.fn();
    const stream = new LiveStream({ connect: () => new Observable(() => gone), probe: () => of(1) });
    stream.news$.subscribe().unsubscribe();
    jest.advanceTimersByTime(14_000);
    expect(gone).not.toHaveBeenCalled();
    jest.advanceTimersByTime(2000);
    expect(gone).toHaveBeenCalled();
    expect(stream.current).toBe('stopped');
  });

  it('is behind after a loss, and live again some seconds later', () => {
    const body = new Subject<Uint8Array>();
    const stream = new LiveStream({ connect: () => body, probe: () => of(1) });
    const states: string[] = [];
    stream.state$.subscribe((state) => states.push(state));
    const ticks: Tick[] = [];
    follow(stream, 0, 250).subscribe((tick) => ticks.push(tick));
    body.next(bytes('retry: 3000\n\nevent: dropped\ndata: {"count": 3}\n\n'));
    jest.advanceTimersByTime(6000);
    expect(states).toEqual(['stopped', 'live', 'behind', 'live']);
    expect(ticks).toContainEqual({ kind: 'gap' });
  });

  it('comes back after it was refused or ended, asks for the session first, and tells of the gap', () => {
    const probe = jest.fn(() => throwError(() => new Error('away')));
    const bodies = [throwError(() => new Error('503')), of(task('a')), NEVER];
    const connect = jest.fn((): Observable<Uint8Array> => bodies.shift() ?? NEVER);
    const stream = new LiveStream({ connect, probe, random: () => 0.5 });
    const news: string[] = [];
    stream.news$.subscribe((one) => news.push(one));
    expect(stream.current).toBe('stopped');
    jest.advanceTimersByTime(1100);
    expect(news).toEqual(['messages']);
    jest.advanceTimersByTime(1100);
    expect(connect).toHaveBeenCalledTimes(3);
    expect(probe).toHaveBeenCalledTimes(2);
    expect(stream.current).toBe('stopped');
  });

  it('takes silence for the end of a connection', () => {
    const connect = jest.fn(() => NEVER);
    const stream = new LiveStream({ connect, probe: () => of(1), random: () => 0.5 });
    stream.news$.subscribe();
    jest.advanceTimersByTime(47_000);
    expect(connect).toHaveBeenCalledTimes(2);
  });
});
