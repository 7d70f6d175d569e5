import { beforeEach, describe, expect, it } from '@jest/globals';
import type { CeleryEvent } from '../../core/events/event.ts';
import { applyFinding, basisOf, type Finding } from '../../core/heal/finding.ts';
import { ClusterState } from '../../core/state/cluster.ts';
import { makeEvent } from '../../core/state/event.testkit.ts';
import { TaskState } from '../../core/state/task.ts';
import type { LogEntry } from '../../core/telemetry/logs.ts';
import type { Span } from '../../core/telemetry/spans.ts';
import { StepClock, TestExporter, testLogger } from './otlp.testkit.ts';
import { type OtlpDeps, OtlpSink } from './sink.ts';

/** Time to linger, and to gather a batch. */
const TOLD_MS = 2500;
const FAILURE = { exception: "ValueError('x')", traceback: 'Traceback …' };

/** An agent's live model in front of the sink. */
class Bench {
  readonly clock = new StepClock();
  readonly spans = new TestExporter<Span>();
  readonly logs = new TestExporter<LogEntry>();
  readonly sink: OtlpSink;
  #seconds = 100;
  readonly #cluster = new ClusterState({ openTasks: 100, finishedTasks: 100, workers: 10, recentEvents: 100 });

  constructor(given: Partial<OtlpDeps> = {}, sampleRatio = 1) {
    this.sink = new OtlpSink({
      ...{ clock: this.clock, logger: testLogger(), spans: this.spans, logs: this.logs, system: 'redis' },
      options: { sampleRatio, queueBytes: 2 ** 20, maxTasks: 100 },
      queueOf: () => 'orders',
      isShared: false,
      ...given,
    });
  }

  hear(type: string, timestamp: number, body: Record<string, unknown> = {}): CeleryEvent {
    const event = makeEvent(type, { timestamp, ...body }, this.clock.nowMs);
    const change = this.#cluster.apply(event, this.clock.nowMs);
    if (change !== undefined) this.sink.onChange(change);
    return event;
  }

  /** Task `uuid` is received, started and ends so, all later than what was heard of before. */
  run(uuid: string, end: string, body: Record<string, unknown> = {}): CeleryEvent {
    this.hear('task-received', ++this.#seconds, { uuid, name: `n-${uuid}`, ...body });
    this.hear('task-started', ++this.#seconds, { uuid });
    return this.hear(`task-${end}`, ++this.#seconds, { uuid, ...body });
  }

  /** Healing learns this of the task, which is held, or which nobody has heard of. */
  find(uuid: string, verdict: Finding['verdict'], foundAt: number): void {
    const held = this.#cluster.task(uuid);
    const finding = { taskId: uuid, basis: held && basisOf(held), verdict, foundAt };
    const task = Object.assign(new TaskState(uuid), held);
    applyFinding(task, finding);
    this.sink.onFinding({ finding, task });
    this.#cluster.settle(finding);
  }

  sweep(): void {
    for (const change of this.#cluster.sweep(this.clock.nowMs)) this.sink.onChange(change);
  }

  async told(): Promise<void> {
    await this.clock.pass(TOLD_MS);
  }

  get names(): string[] {
    return this.spans.taken.map(({ name }) => name);
  }

  get lines(): string[] {
    return this.logs.taken.map(({ body }) => body.replace(/\[.*?\]/, ''));
  }

  /** Lines about tasks. */
  get troubles(): string[] {
    return this.lines.filter((line) => line.startsWith('Task'));
  }
}

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});

describe('tasks', () => {
  it('are told once they have ended, once', async () => {
    bench.hear('task-received', 1, { name: 'n' });
    bench.hear('task-started', 2);
    await bench.told();
    expect(bench.names).toEqual([]);
    bench.hear('task-succeeded', 3);
    bench.hear('task-succeeded', 3);
    bench.hear('task-succeeded', 4);
    await bench.told();
    bench.hear('task-failed', 5, FAILURE);
    await bench.told();
    expect(bench.names).toEqual(['queue n', 'run n', 'n']);
    expect(bench.spans.taken.map(({ end }) => end)).toEqual([2, 3, 3]);
    expect(bench.lines).toEqual(['Worker celery@a is online']);
  });

  it('take in what comes a moment after their end, as a publisher’s task-sent may', async () => {
    bench.run('a', 'succeeded');
    await bench.clock.pass(500);
    bench.hear('task-sent', 100.5, { uuid: 'a', name: 'n-a', hostname: 'gen1@web' });
    await bench.told();
    expect(bench.spans.taken.map(({ name, start }) => [name, start])).toContainEqual(['queue n-a', 100.5]);
  });

  it('tell of an attempt when it is retried, and of the whole with its retries at the end', async () => {
    bench.run('a', 'retried', FAILURE);
    await bench.told();
    expect(bench.names).toEqual(['queue n-a', 'run n-a']);
    bench.run('a', 'succeeded', { retries: 1 });
    await bench.told();
    expect(bench.names.slice(2)).toEqual(['queue n-a', 'run n-a', 'n-a']);
    expect(bench.spans.taken.at(-1)?.events.map(({ name }) => name)).toEqual(['retry']);
    expect(bench.lines).toContain('Task n-a is retried: ValueError: x');
  });

  it('tell of a retry as such in the log, also when the next attempt has ended before it is told', async () => {
    bench.run('a', 'retried', FAILURE);
    bench.run('a', 'succeeded', { retries: 1 });
    bench.run('b', 'retried', FAILURE);
    bench.run('b', 'failed', { retries: 1, ...FAILURE });
    await bench.told();
    const ofTasks = bench.logs.taken.filter(({ spanId }) => spanId !== undefined);
    expect(ofTasks.map(({ attributes }) => [attributes['celery.event'], attributes['celery.state']])).toEqual([
      ['task-retried', 'RETRY'],
      ['task-retried', 'RETRY'],
      ['task-failed', 'FAILURE'],
    ]);
  });

  it('end with a rejection that nothing follows, or with the failure that does', async () => {
    bench.run('dropped', 'rejected', { requeue: false });
    bench.run('failed', 'rejected', { requeue: false });
    bench.hear('task-failed', 200, { uuid: 'failed', ...FAILURE });
    bench.run('requeued', 'rejected', { requeue: true });
    await bench.told();
    const tasks = bench.spans.taken.filter(({ kind }) => kind === 'consumer');
    expect(tasks.map(({ name, error }) => [name, error])).toEqual([
      ['n-dropped', 'rejected'],
      ['n-failed', 'ValueError: x'],
    ]);
    expect(bench.names.filter((name) => name === 'run n-failed')).toHaveLength(1);
  });

  it('are forgotten when they have ended, and bounded while they have not', async () => {
    const small = new Bench({ options: { sampleRatio: 1, queueBytes: 2 ** 20, maxTasks: 2 } });
    for (const uuid of ['a', 'b', 'c']) small.hear('task-received', 1, { uuid, name: uuid });
    for (const uuid of ['a', 'b', 'c']) small.hear('task-succeeded', 3, { uuid, runtime: 1 });
    await small.told();
    // What was not held any more is as the merged task knows it.
    expect(small.names).toEqual(['queue a', 'run a', 'a', 'queue b', 'run b', 'b', 'queue c', 'run c', 'c']);
  });
});

describe('tasks whose end no event told', () => {
  const healed = { kind: 'healed', source: 'result-backend', at: 9, worker: 'celery@a' } as const;

  it('are told with the end that was read, marked as such, once', async () => {
    bench.hear('task-received', 1, { name: 'n' });
    bench.hear('task-started', 2);
    bench.find('t-1', { ...healed, state: 'FAILURE', ...FAILURE }, 60);
    bench.hear('task-failed', 9, FAILURE);
    await bench.told();
    expect(bench.spans.taken.map(({ name, start, end, error }) => [name, start, end, error])).toEqual([
      ['queue n', 1, 2, undefined],
      ['run n', 2, 9, 'ValueError: x'],
      ['n', 1, 9, 'ValueError: x'],
    ]);
    expect(bench.spans.taken.at(-1)?.attributes).toMatchObject({ 'celery.healed': 'result-backend' });
    expect(bench.troubles).toEqual(['Task n failed: ValueError: x, found out later']);
  });

  it('end the attempt that was under way, also one that nobody heard begin', async () => {
    bench.run('a', 'retried', FAILURE);
    bench.find('a', { ...healed, at: 200, state: 'SUCCESS' }, 260);
    bench.find('never heard of', { ...healed, name: 'm', state: 'SUCCESS' }, 60);
    await bench.told();
    expect(bench.spans.taken.map(({ name, end, events }) => [name, end, events.length])).toEqual([
      ['queue n-a', 102, 0],
      ['run n-a', 103, 1],
      ['n-a', 200, 1],
      ['m', 9, 0],
    ]);
  });

  it('are in error when they are lost with their worker, until they are heard of again', async () => {
    bench.hear('task-received', 1, { name: 'n' });
    bench.hear('task-started', 2);
    bench.find('t-1', { kind: 'orphaned', reason: 'worker-lost' }, 60);
    await bench.told();
    const [, run, task] = bench.spans.taken;
    expect([run?.error, run?.end]).toEqual(['orphaned: worker-lost', 60]);
    expect([task?.error, task?.end]).toEqual(['orphaned: worker-lost', 60]);
    expect(task?.attributes).toMatchObject({ 'error.type': 'orphaned', 'celery.state': 'STARTED' });
    expect(bench.troubles).toEqual(['Task n is orphaned: its worker is gone']);
    bench.hear('task-started', 70, { hostname: 'celery@b' });
    bench.hear('task-succeeded', 71, { hostname: 'celery@b' });
    await bench.told();
    const again = bench.spans.taken.slice(3);
    expect(again.map(({ name, error, end }) => [name, error, end])).toEqual([
      ['queue n', undefined, 70],
      ['run n', undefined, 71],
      ['n', undefined, 71],
    ]);
    expect(again.map(({ spanId }) => spanId)).toEqual(bench.spans.taken.slice(0, 3).map(({ spanId }) => spanId));
  });

  it('are no error while their worker lives, and nothing when they run', async () => {
    bench.hear('task-received', 1, { name: 'n' });
    bench.find('t-1', { ...healed, source: 'inspect', state: 'STARTED' }, 30);
    bench.find('t-1', { kind: 'orphaned', reason: 'end-unheard' }, 60);
    await bench.told();
    expect(bench.names).toEqual([]);
    expect(bench.troubles).toEqual(['Task n is orphaned: its worker does not know it any more']);
  });
});

describe('sampling', () => {
  it('leaves out what went well, counts it, and keeps every failure with its attempts', async () => {
    const none = new Bench({}, 0);
    none.run('fine', 'succeeded');
    none.run('failed', 'failed', FAILURE);
    none.run('flaky', 'retried', FAILURE);
    none.run('flaky', 'succeeded', { retries: 1 });
    none.hear('task-revoked', 1, { uuid: 'revoked', expired: true });
    await none.told();
    const tasks = none.spans.taken.filter(({ kind }) => kind === 'consumer').map(({ name }) => name);
    expect(tasks).toEqual(['n-failed', 'n-flaky', 'unknown task']);
    expect(none.names.filter((name) => name === 'run n-flaky')).toHaveLength(2);
    expect(none.sink.stats().sampledOut).toBe(1);
  });

  it('takes or leaves a workflow as a whole', async () => {
    const half = new Bench({}, 0.5);
    for (let root = 0; root < 20; root++) {
      for (const part of ['x', 'y']) half.run(`${part}${root}`, 'succeeded', { root_id: `root ${root}` });
    }
    await half.told();
    const traces = new Map<string, number>();
    for (const { traceId } of half.spans.taken) traces.set(traceId, (traces.get(traceId) ?? 0) + 1);
    expect([...traces.values()].every((count) => count === 6)).toBe(true);
    expect(traces.size).toBeGreaterThan(0);
    expect(traces.size).toBeLessThan(20);
    expect(half.sink.stats().sampledOut).toBe(2 * (20 - traces.size));
  });
});

describe('agents with one history', () => {
  it('tell what they stored first, and keep silent about the rest', async () => {
    const one = new Bench({ isShared: true });
    const [ours, theirs] = [one.run('ours', 'failed', FAILURE), one.run('theirs', 'failed', FAILURE)];
    one.sink.stored([ours]);
    one.sink.settled([ours, theirs]);
    await one.clock.pass(20_000);
    expect(one.names).toEqual(['queue n-ours', 'run n-ours', 'n-ours']);
    expect(one.troubles).toEqual(['Task n-ours failed: ValueError: x']);
  });

  it('do not tell again at the end of an attempt that another one told', async () => {
    const one = new Bench({ isShared: true });
    one.sink.settled([one.run('a', 'retried', FAILURE)]);
    const end = one.run('a', 'succeeded', { retries: 1 });
    one.sink.stored([end]);
    await one.told();
    expect(one.spans.taken.map(({ name, attributes }) => [name, attributes['celery.retries']])).toEqual([
      ['queue n-a', 1],
      ['run n-a', 1],
      ['n-a', 1],
    ]);
  });

  it('tell when the history has said nothing for ten seconds', async () => {
    const one = new Bench({ isShared: true });
    one.run('a', 'succeeded');
    await one.clock.pass(9000);
    expect(one.names).toEqual([]);
    await one.clock.pass(3000);
    expect(one.names).toEqual(['queue n-a', 'run n-a', 'n-a']);
  });
});

describe('workers', () => {
  it('are told when they come, start again, go, or fall silent', async () => {
    const worker = { hostname: 'w@h', pid: 1 };
    bench.hear('worker-online', 10, worker);
    bench.hear('worker-heartbeat', 11, worker);
    bench.hear('worker-online', 12, { ...worker, pid: 2 });
    bench.hear('worker-offline', 13, { ...worker, pid: 2 });
    bench.hear('worker-heartbeat', 14, { ...worker, pid: 2, freq: 2 });
    await bench.told();
    await bench.clock.pass(60_000);
    bench.sweep();
    bench.hear('task-started', 15, { uuid: 't', hostname: 'w@h' });
    await bench.told();
    expect(bench.lines).toEqual([
      'Worker w@h is online',
      'Worker w@h was started again under another process id',
      'Worker w@h went offline',
      'Worker w@h is online',
      'Worker w@h sends no heartbeats any more',
      'Worker w@h is online',
    ]);
  });
});

describe('signals', () => {
  it('that nobody takes are not made', async () => {
    const onlyLogs = new Bench({ spans: undefined });
    onlyLogs.run('a', 'failed', FAILURE);
    await onlyLogs.told();
    expect(onlyLogs.lines).toContain('Task n-a failed: ValueError: x');
    expect(Object.keys(onlyLogs.sink.stats().signals)).toEqual(['logs']);
    const onlyTraces = new Bench({ logs: undefined });
    onlyTraces.run('a', 'failed', FAILURE);
    await onlyTraces.sink.close(onlyTraces.clock.nowMs + 1000);
    expect(onlyTraces.names).toEqual(['queue n-a', 'run n-a', 'n-a']);
    expect(Object.keys(onlyTraces.sink.stats().signals)).toEqual(['traces']);
  });
});
