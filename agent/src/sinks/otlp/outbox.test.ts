import { beforeEach, describe, expect, it } from '@jest/globals';
import { Outbox } from './outbox.ts';
import { StepClock, TestExporter, testLogger } from './otlp.testkit.ts';

const KIB = 1024;
const AWAY = { kind: 'away', reason: 'connect ECONNREFUSED' } as const;

let clock: StepClock;
let exporter: TestExporter<number>;
let logger: ReturnType<typeof testLogger>;
let outbox: Outbox<number>;

beforeEach(() => {
  clock = new StepClock();
  exporter = new TestExporter();
  logger = testLogger();
  const common = { signal: 'logs', exporter, clock, logger, random: () => 1 } as const;
  outbox = new Outbox({ ...common, maxBytes: 1000 * KIB, weigh: () => KIB });
});

const push = (from: number, to: number): void => {
  for (let item = from; item < to; item++) outbox.push(item);
};
const numbers = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, index) => from + index);

describe('sending', () => {
  it('gathers for a second, and sends at once what fills a batch', async () => {
    push(0, 3);
    await clock.pass(900);
    expect(exporter.batches).toEqual([]);
    await clock.pass(100);
    expect(exporter.batches).toEqual([[0, 1, 2]]);
    push(3, 3 + 512 + 1);
    await clock.pass(0);
    expect(exporter.batches.map(({ length }) => length)).toEqual([3, 512]);
    await clock.pass(1000);
    expect(exporter.taken).toEqual(numbers(0, 516));
    expect(outbox.stats()).toMatchObject({ sent: 516, errors: 0, waiting: 0, waitingBytes: 0, problem: undefined });
  });

  it('cuts batches at a megabyte, and sends an item alone that is larger', async () => {
    const big = new Outbox<number>({
      ...{ signal: 'logs', exporter, clock, logger },
      maxBytes: 2 ** 30,
      weigh: (n) => n,
    });
    for (const bytes of [600_000, 600_000, 2_000_000, 10]) big.push(bytes);
    await clock.pass(5000);
    expect(exporter.batches).toEqual([[600_000], [600_000], [2_000_000], [10]]);
  });

  it('has one batch under way at a time', async () => {
    exporter.outcome = 'silent';
    push(0, 600);
    await clock.pass(60_000);
    expect(exporter.batches).toHaveLength(1);
    expect(outbox.stats()).toMatchObject({ sent: 0, waiting: 600, waitingBytes: 600 * KIB });
  });
});

describe('a receiver that is away', () => {
  it('is tried again with the same batch after growing pauses, at most 30 s, and told once', async () => {
    exporter.outcome = AWAY;
    push(0, 2);
    const times: number[] = [];
    const startMs = clock.nowMs;
    for (let tries = 0; tries < 8;) {
      await clock.pass(500);
      for (; tries < exporter.batches.length; tries++) times.push((clock.nowMs - startMs) / 1000);
    }
    expect(times.slice(0, 8)).toEqual([1, 2, 4, 8, 16, 32, 62, 92]);
    expect(exporter.batches.every((batch) => batch.length === 2)).toBe(true);
    expect(outbox.stats()).toMatchObject({ sent: 0, waiting: 2, problem: AWAY.reason, errors: 8 });
    expect(logger.lines).toHaveLength(1);

    exporter.outcome = { kind: 'taken' };
    push(2, 4);
    await clock.pass(31_000);
    expect(exporter.taken).toEqual([0, 1, 2, 3]);
    expect(outbox.stats()).toMatchObject({ sent: 4, waiting: 0, problem: undefined });
    expect(logger.lines).toHaveLength(2);
  });

  it('costs no more memory than was given: the oldest give way, and are counted', async () => {
    exporter.outcome = AWAY;
    push(0, 512);
    await clock.pass(0);
    push(512, 5000);
    const stats = outbox.stats();
    expect(stats.waitingBytes).toBeLessThanOrEqual(1000 * KIB);
    expect(stats.waiting + stats.dropped.overflow).toBe(5000);
    exporter.outcome = { kind: 'taken' };
    await clock.pass(60_000);
    // The batch under way, and the newest.
    expect(exporter.taken.slice(0, 512)).toEqual(numbers(0, 512));
    expect(exporter.taken.slice(512)).toEqual(numbers(5000 - (stats.waiting - 512), 5000));
  });
});

describe('a receiver that refuses', () => {
  it('loses the batch, which is counted and logged, and gets the next one', async () => {
    exporter.outcome = { kind: 'refused', reason: 'HTTP 400 Bad Request' };
    push(0, 3);
    await clock.pass(1000);
    exporter.outcome = { kind: 'taken' };
    push(3, 5);
    await clock.pass(1000);
    expect(outbox.stats()).toMatchObject({
      sent: 2,
      errors: 1,
      waiting: 0,
      dropped: { refused: 3 },
      problem: undefined,
    });
    expect(logger.lines).toEqual([expect.stringContaining('refuses')]);
  });
});

describe('close', () => {
  it('sends what waits, in order, and closes the exporter', async () => {
    push(0, 600);
    await outbox.close(clock.nowMs + 2000);
    expect(exporter.taken).toEqual(numbers(0, 600));
    expect([exporter.isClosed, outbox.stats().dropped.shutdown]).toEqual([true, 0]);
  });

  it('gives a receiver that is away one more chance, then counts what is lost', async () => {
    exporter.outcome = AWAY;
    push(0, 3);
    await clock.pass(10_000);
    const tries = exporter.batches.length;
    await outbox.close(clock.nowMs + 2000);
    expect(exporter.batches.length).toBe(tries + 1);
    expect(outbox.stats().dropped).toEqual({ overflow: 0, refused: 0, shutdown: 3 });
    expect(logger.lines.at(-1)).toContain('not sent before the end');
  });

  it('does not wait longer than allowed for one that says nothing', async () => {
    exporter.outcome = 'silent';
    push(0, 3);
    await clock.pass(1000);
    const closing = outbox.close(clock.nowMs + 2000);
    await clock.pass(2000);
    await closing;
    expect(outbox.stats().dropped.shutdown).toBe(3);
  });
});
