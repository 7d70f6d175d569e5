import { isDeepStrictEqual } from 'node:util';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { decodeMessage } from '../../agent/src/core/events/decode.ts';
import type { CeleryEvent } from '../../agent/src/core/events/event.ts';
import { expectedState, recordedMessages, RECORDINGS } from '../recordings/recordings.testkit.ts';
import type { CeleryAnswer, Row, StreamEvent } from './compare.testkit.ts';
import { aliveMismatches, askCelery, celeryRows, decodeBody, distinctKey, ourRows } from './compare.testkit.ts';
import { Chance, makeStream } from './streams.testkit.ts';

const STREAMS = 2000;

/** The distinct events of a stream that the agent takes, with the text they came from. */
interface Taken {
  readonly sent: readonly StreamEvent[];
  readonly source: StreamEvent[];
  readonly events: CeleryEvent[];
}

function take(sent: readonly StreamEvent[]): Taken {
  const seen = new Set<string>();
  const taken: Taken = { sent, source: [], events: [] };
  for (const item of sent) {
    const event = decodeBody(item);
    if (event === undefined || seen.has(distinctKey(event))) continue;
    seen.add(distinctKey(event));
    taken.source.push(item);
    taken.events.push(event);
  }
  return taken;
}

function accepted({ events }: Taken, { refused }: CeleryAnswer): CeleryEvent[] {
  return events.filter((_, index) => !refused.includes(index));
}

/** Each event again somewhere after its first time, some twice. */
function doubled(events: readonly CeleryEvent[], seed: number): CeleryEvent[] {
  const chance = new Chance(seed);
  const stream: CeleryEvent[] = [];
  for (const event of events) {
    stream.push(event);
    while (chance.yes(0.4)) stream.push(stream[chance.below(stream.length)] ?? event);
  }
  return stream;
}

/** Jest's own comparison takes most of the test's time, so it only tells where the two differ. */
function expectSame(seed: number, ours: object, celerys: object): void {
  if (!isDeepStrictEqual(ours, celerys)) expect({ seed, ...ours }).toStrictEqual({ seed, ...celerys });
}

describe('generated streams', () => {
  const streams: Taken[] = [];
  let answers: CeleryAnswer[] = [];

  beforeAll(async () => {
    for (let seed = 1; seed <= STREAMS; seed++) streams.push(take(makeStream(seed)));
    answers = await askCelery(streams.map(({ source }) => source));
  }, 60_000);

  const each = (check: (taken: Taken, answer: CeleryAnswer, seed: number) => void) => {
    streams.forEach((taken, index) => {
      const answer = answers[index];
      if (answer === undefined) throw new Error(`no answer for stream ${index + 1}`);
      check(taken, answer, index + 1);
    });
  };

  it('give Celery every field of every task and worker that they give the agent', () => {
    each((taken, answer, seed) => {
      expectSame(seed, ourRows(accepted(taken, answer)), celeryRows(answer));
    });
  });

  it('give the same when events come again', () => {
    each((taken, answer, seed) => {
      expectSame(seed, ourRows(doubled(accepted(taken, answer), seed)), celeryRows(answer));
    });
  });

  it("keep workers alive as long as Celery's rule does", () => {
    each((taken, answer, seed) => {
      expect({ seed, wrong: aliveMismatches(answer.workers, accepted(taken, answer)) }).toEqual({ seed, wrong: [] });
    });
  });

  it('are taken whole by the agent where Celery fails on an event', () => {
    const failing = streams.filter((_, index) => (answers[index]?.refused.length ?? 0) > 0);
    expect(failing.length).toBeGreaterThan(STREAMS / 50);
    for (const { events } of failing) {
      const tasks = new Set(events.filter((event) => event.group === 'task').map((event) => event.uuid));
      expect(ourRows(events).tasks.map((row) => row['uuid'])).toEqual([...tasks].sort());
    }
  });

  it('compare nearly all that was generated', () => {
    let sent = 0;
    let compared = 0;
    const states = new Map<unknown, number>();
    each((taken, answer) => {
      sent += taken.sent.length;
      compared += taken.events.length - answer.refused.length;
      for (const { state } of answer.tasks) states.set(state, (states.get(state) ?? 0) + 1);
    });
    expect(sent).toBeGreaterThan(STREAMS * 8);
    expect(compared / sent).toBeGreaterThan(0.85);
    for (const state of [
      'PENDING',
      'RECEIVED',
      'STARTED',
      'SUCCESS',
      'FAILURE',
      'RETRY',
      'REVOKED',
      'REJECTED',
      'PROGRESS',
    ]) {
      expect([state, (states.get(state) ?? 0) > 20]).toEqual([state, true]);
    }
  });
});

/** Names of `expected-state.ndjson` that are rows of ours; `t`, `order` and `kind` are the recording's. */
function members(row: Row): string[] {
  return Object.keys(row).filter((name) => !['t', 'order', 'kind', 'heartbeats'].includes(name));
}

describe.each(RECORDINGS)('recording %s', (recording) => {
  const inOrder = recordedMessages(recording)
    .flatMap(({ raw }) => decodeMessage(raw).events)
    .map((event) => ({ ...event, receivedMs: event.timestamp * 1000 }));
  const orders = [
    ['wire', inOrder],
    ['reversed', inOrder.toReversed()],
  ] as const;

  it.each(orders)('gives the recorded state in order: %s', (order, events) => {
    const { tasks, workers } = ourRows(events);
    const ours = new Map([...tasks, ...workers].map((row) => [row['uuid'] ?? row['hostname'], row]));
    const expected = expectedState(recording).filter((row) => row.order === order);
    expect(ours.size).toBe(expected.length);
    for (const row of expected) {
      const mine = ours.get(row['uuid'] ?? row['hostname']) ?? {};
      for (const name of members(row)) expect([name, mine[name]]).toEqual([name, row[name]]);
      const beats = (row['heartbeats'] ?? []) as number[];
      expect(((mine['heartbeats'] ?? []) as number[]).length).toBe(beats.length);
      // The receive time went through milliseconds, which costs a float its last digit.
      beats.forEach((beat, index) => expect((mine['heartbeats'] as number[])[index]).toBeCloseTo(beat, 5));
    }
  });

  it('gives what Celery gives now, in both orders', async () => {
    const streams = orders.map(([, events]) =>
      events.map(({ fields, receivedMs }) => ({ body: JSON.stringify(fields), receivedMs })),
    );
    const answers = await askCelery(streams);
    for (const [index, [, events]] of orders.entries()) {
      const answer = answers[index];
      expect(answer?.refused).toEqual([]);
      if (answer !== undefined) expect(ourRows(events)).toStrictEqual(celeryRows(answer));
    }
  });
});
