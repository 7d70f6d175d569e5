import { describe, expect, it } from '@jest/globals';
import type { ControlRequest, WorkerAnswer } from '../core/control/command.ts';
import { FakeBroker, NO_LOGGER, settled, StillClock, worker } from './control.testkit.ts';
import type { KnownWorker } from './deps.ts';
import { openControl } from './open.ts';

const REPLIES: Readonly<Record<string, unknown>> = {
  stats: { pid: 1, broker: { alternates: ['redis://:pw@h'] } },
  active_queues: [{ name: 'q' }],
  registered: ['app.add', 'app.mail [rate_limit=10/m]'],
  conf: { x: 1 },
  scheduled: [],
  active: [{ id: 't' }],
  reserved: [],
  revoked: ['r'],
};

function answersOf(...workers: string[]) {
  return ({ method, target }: ControlRequest): readonly WorkerAnswer[] =>
    workers
      .filter((name) => target.kind !== 'workers' || target.workers.includes(name))
      .map((name) => ({ worker: name, ok: true, reply: REPLIES[method] }));
}

function setUp(workers: readonly KnownWorker[], enableEvents = false) {
  const [clock, broker] = [new StillClock(), new FakeBroker()];
  const known = [...workers];
  const deps = { transport: broker, workers: () => known, clock, logger: NO_LOGGER, options: { enableEvents } };
  const control = openControl(deps);
  const asked = (): string[] => broker.sent.splice(0).map(({ method }) => method);
  return { clock, broker, known, control, asked };
}

describe('inspections', () => {
  it('are made of workers that come online, and again when they were restarted', async () => {
    const { clock, broker, known, control, asked } = setUp([]);
    broker.reply = answersOf('a@h');
    await clock.pass(3000);
    expect(asked()).toEqual([]);
    known.push(worker('a@h', { pid: null }));
    await clock.pass(1000);
    expect(asked()).toEqual(['stats', 'active_queues', 'registered', 'conf']);
    expect(control.inspector.known().get('a@h')).toMatchObject({ stats: { pid: 1, broker: {} }, conf: { x: 1 } });
    known.splice(0, 1, worker('a@h', { pid: 7 }));
    await clock.pass(3000);
    expect(asked()).toEqual([]);
    known.splice(0, 1, worker('a@h', { pid: 8 }));
    await clock.pass(3000);
    expect(asked()).toHaveLength(4);
  });

  it('of a silent worker are tried again, more and more seldom, and keep what it told before', async () => {
    const { clock, broker, known, control, asked } = setUp([worker('a@h', { pid: 1 })]);
    broker.reply = answersOf('a@h');
    await clock.pass(1000);
    const told = control.inspector.known().get('a@h');
    broker.reply = () => [];
    known.splice(0, 1, worker('a@h', { pid: 2 }));
    asked();
    await clock.pass(60_000);
    expect(asked().filter((method) => method === 'stats')).toHaveLength(4);
    expect(control.inspector.known().get('a@h')).toEqual(told);
  });

  it('on demand are shared, and of one worker tell its tasks too', async () => {
    const { broker, control, asked } = setUp([worker('a@h'), worker('b@h')]);
    broker.reply = answersOf('a@h', 'b@h');
    await Promise.all([control.inspector.refresh(), control.inspector.refresh()]);
    expect(asked()).toHaveLength(4);
    await Promise.all([control.inspector.refresh('a@h'), control.inspector.refresh('a@h')]);
    expect(broker.sent).toHaveLength(8);
    expect(broker.sent.find(({ method }) => method === 'active')?.arguments).toEqual({ safe: true });
    expect(control.inspector.known().get('a@h')).toMatchObject({ active: [{ id: 't' }], revoked: ['r'] });
    expect(control.inspector.known().get('b@h')).not.toHaveProperty('active');
  });

  it('tell which tasks and queues there are', async () => {
    const { broker, control } = setUp([worker('a@h')]);
    expect(control.knowsTask('app.add')).toBeUndefined();
    broker.reply = answersOf('a@h');
    broker.tasks.known = ['from-broker'];
    await control.inspector.refresh();
    expect(['app.add', 'app.mail', 'app.ma', 'celery.chord_unlock'].map((name) => control.knowsTask(name))).toEqual([
      true,
      true,
      false,
      true,
    ]);
    expect((await control.queues()).map(({ name }) => name)).toEqual(['from-broker', 'q']);
  });

  it('are made again of the workers that took a command, before its answer', async () => {
    const { clock, broker, control, asked } = setUp([worker('a@h'), worker('b@h')]);
    const answered = answersOf('a@h');
    broker.reply = (request) =>
      request.method === 'pool_grow'
        ? [...answered(request), { worker: 'b@h', ok: false, error: 'no' }]
        : answered(request);
    await control.call({ method: 'pool_grow', arguments: { n: 1 }, target: { kind: 'all' } });
    expect(broker.sent.slice(1).map(({ target }) => target)).toEqual([
      { kind: 'workers', workers: ['a@h'] },
      { kind: 'workers', workers: ['a@h'] },
    ]);
    expect(asked()).toEqual(['pool_grow', 'stats', 'active_queues']);
    expect(control.inspector.known().get('a@h')).toMatchObject({ stats: { pid: 1 } });
    await control.call({ method: 'rate_limit', arguments: {}, target: { kind: 'workers', workers: ['a@h'] } });
    expect(asked()).toEqual(['rate_limit']);
    // A pool may need a moment to grow.
    const askedOfIt = (): string[] =>
      broker.sent
        .splice(0)
        .flatMap(({ method, target }) => ('workers' in target && target.workers[0] === 'a@h' ? [method] : []));
    await clock.pass(2000);
    expect(askedOfIt()).toEqual(['stats', 'active_queues']);
    await clock.pass(2000);
    expect(askedOfIt()).toEqual([]);
  });

  it('keep nothing of another shape', async () => {
    const { broker, control } = setUp([worker('a@h')]);
    broker.reply = ({ method }) => [{ worker: 'a@h', ok: true, reply: method === 'conf' ? {} : 'odd' }];
    await control.inspector.refresh();
    expect(Object.keys(control.inspector.known().get('a@h') ?? {}).sort()).toEqual(['conf', 'timestampMs']);
  });
});

describe('the event switch', () => {
  const methods = (broker: FakeBroker): string[] => broker.casts.splice(0).map(({ method }) => method);

  it('asks for a heartbeat after each connection and for events every 5 s', async () => {
    const { clock, broker } = setUp([], true);
    await settled();
    expect(methods(broker)).toEqual(['heartbeat', 'enable_events']);
    await clock.pass(10_000);
    expect(methods(broker)).toEqual(['enable_events', 'enable_events']);
    broker.state = { connected: false, sinceMs: 5, reconnects: 0 };
    await clock.pass(10_000);
    expect(methods(broker)).toEqual([]);
    broker.state = { connected: true, sinceMs: 6, reconnects: 1 };
    await clock.pass(1000);
    expect(methods(broker)).toEqual(['heartbeat', 'enable_events']);
  });

  it('leaves those alone that were told by hand to send none', async () => {
    const { clock, broker, control } = setUp([worker('a@h'), worker('b@h')], true);
    broker.reply = answersOf('a@h', 'b@h');
    const target = { kind: 'workers', workers: ['a@h'] } as const;
    await control.call({ method: 'disable_events', arguments: {}, target });
    methods(broker);
    await clock.pass(5000);
    expect(broker.casts).toEqual([
      { method: 'enable_events', arguments: {}, target: { kind: 'workers', workers: ['b@h'] } },
    ]);
    await control.call({ method: 'enable_events', arguments: {}, target: { kind: 'all' } });
    await clock.pass(5000);
    expect(broker.casts.at(-1)?.target).toEqual({ kind: 'all' });
  });

  it('is quiet when switched off, but for the heartbeat', async () => {
    const { clock, broker } = setUp([]);
    await clock.pass(20_000);
    expect(methods(broker)).toEqual(['heartbeat']);
  });
});
