import { beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { CeleryEvent } from '../../core/events/event.ts';
import { makeEvent } from '../../core/state/event.testkit.ts';
import { mergeTaskEvent, TaskState } from '../../core/state/task.ts';
import { batch, type HistoryKit, NOON, openHistoryKit, settableClock } from './history.testkit.ts';

let kit: HistoryKit;
beforeAll(async () => {
  kit = await openHistoryKit();
});

let tasks = 0;
const newId = (): string => `task-${(tasks += 1)}`;

/** Sends the events of one task, each of which is heard a millisecond after it was sent. */
class Sender {
  readonly #uuid: string;
  readonly #hostname: string;
  #clock = 0;

  constructor(uuid: string, hostname = 'celery@a') {
    this.#uuid = uuid;
    this.#hostname = hostname;
  }

  event(subject: string, at: number, body: Record<string, unknown> = {}): CeleryEvent {
    const timestamp = NOON + at;
    const head = { uuid: this.#uuid, hostname: this.#hostname, timestamp, clock: (this.#clock += 1), pid: 7 };
    return makeEvent(`task-${subject}`, { ...head, ...body }, timestamp * 1000 + 1);
  }
}

const MEMBERS = Object.keys(new TaskState('')).filter((key) => !['uuid', 'odd', 'mark'].includes(key));

/** What the row holds, under the names of the task that the core would have. */
async function storedTask(uuid: string): Promise<Record<string, unknown>> {
  const [row = {}] = await kit.rows('select * from celery_tasks where task_id = $1', [uuid]);
  const number = (key: string): unknown => (row[key] === null ? null : Number(row[key]));
  return Object.fromEntries(MEMBERS.map((key) => [key, key === 'clock' || key === 'pid' ? number(key) : row[key]]));
}

function mergedTask(uuid: string, events: readonly CeleryEvent[]): Record<string, unknown> {
  const task = new TaskState(uuid);
  for (const event of events) mergeTaskEvent(task, event);
  return Object.fromEntries(MEMBERS.map((key) => [key, task[key as keyof TaskState]]));
}

describe('of two writers one stores late what the other one did not hear', () => {
  const RECEIVED = { name: 'app.add', args: '(1, 2)', kwargs: '{}', retries: 0 };

  /** The life of a task, and which of its events the quick writer heard and stores before the late one stores all. */
  const lives: readonly (readonly [string, (uuid: string) => CeleryEvent[], readonly number[]])[] = [
    ['the end alone', simpleLife, [3]],
    ['all but the second', simpleLife, [0, 2, 3]],
    ['all but what its publisher sent', simpleLife, [1, 2, 3]],
    ['the second attempt', retriedLife, [3, 4]],
    ['the begin and the second attempt', retriedLife, [0, 3, 4, 5]],
    ['what came after a redelivery', redeliveredLife, [2, 3]],
  ];

  function simpleLife(uuid: string): CeleryEvent[] {
    const worker = new Sender(uuid);
    return [
      new Sender(uuid, 'gen1@web').event('sent', 0.02, { ...RECEIVED, queue: 'high' }),
      worker.event('received', 0.03, RECEIVED),
      worker.event('started', 0.04, { pid: 8 }),
      worker.event('succeeded', 0.05, { result: '3', runtime: 0.01 }),
    ];
  }

  function retriedLife(uuid: string): CeleryEvent[] {
    const [one, two] = [new Sender(uuid), new Sender(uuid, 'celery@b')];
    return [
      one.event('received', 0, RECEIVED),
      one.event('started', 1),
      one.event('retried', 2, { exception: 'OSError()', traceback: 'T' }),
      two.event('received', 3, { ...RECEIVED, retries: 1 }),
      two.event('started', 4),
      two.event('failed', 5, { exception: 'ValueError()', traceback: 'U' }),
    ];
  }

  function redeliveredLife(uuid: string): CeleryEvent[] {
    const [one, two] = [new Sender(uuid), new Sender(uuid, 'celery@b')];
    return [
      one.event('received', 0, RECEIVED),
      one.event('started', 1),
      two.event('received', 300, RECEIVED),
      two.event('started', 301),
    ];
  }

  it.each(lives)('%s was heard: the task is as one who heard everything has it', async (_, makeLife, heard) => {
    const uuid = newId();
    const life = makeLife(uuid);
    const [quick, late] = [kit.open(), kit.open()];
    for (const index of heard) await quick.write(batch(...life.slice(index, index + 1)));
    for (const event of life) await late.write(batch(event));
    expect(await storedTask(uuid)).toEqual(mergedTask(uuid, life));

    const again = newId();
    const more = makeLife(again);
    await kit.open().write(batch(...more.filter((_, index) => heard.includes(index))));
    await kit.open().write(batch(...more));
    expect(await storedTask(again)).toEqual(mergedTask(again, more));
  });

  it.each([[[2]], [[2, 3]], [[0, 1, 2]]])(
    'was frozen when events %j came: those that heard them tell when',
    async (frozen) => {
      const uuid = newId();
      const life = retriedLife(uuid);
      const clock = settableClock(NOON + 30);
      const receivedMs = clock.now();
      const late = life.filter((_, index) => frozen.includes(index)).map((event) => ({ ...event, receivedMs }));
      await kit.open({ clock }).write(batch(...late));
      await kit.open({ clock }).write(batch(...life));
      expect(await storedTask(uuid)).toEqual(mergedTask(uuid, life));
      const received = `select count(*)::int as late from celery_task_events where task_id = $1 and received_at >= to_timestamp($2)`;
      expect(await kit.rows(received, [uuid, NOON + 30])).toEqual([{ late: 0 }]);
    },
  );

  it('keeps what the stored events do not tell any more', async () => {
    const uuid = newId();
    const [sent, received, started, succeeded] = simpleLife(uuid);
    if (!sent || !received || !started || !succeeded) throw new Error('no life');
    await kit.open().write(batch(received, succeeded));
    await kit.rows('delete from celery_task_events where task_id = $1', [uuid]);
    await kit.open().write(batch(started));
    expect(await storedTask(uuid)).toMatchObject({ state: 'SUCCESS', name: 'app.add', result: '3' });
  });

  it('leaves a task of very many events as they came', async () => {
    const uuid = newId();
    const worker = new Sender(uuid);
    const started = worker.event('started', 0);
    await kit.open().write(batch(...Array.from({ length: 300 }, (_, n) => worker.event('progress', 1 + n))));
    await kit.open().write(batch(started));
    expect(await storedTask(uuid)).toMatchObject({ state: 'PROGRESS', started: NOON, timestamp: NOON });
  });
});

/** Bursts of different senders are further apart than the receivers' clocks; the events of one burst are not. */
const BURST_MS = 100;
const MOST_LAG_MS = 45;

/** A writer, and the agent that hears for it. */
interface Replica {
  /** How much later than others it hears, ms. */
  readonly lag: number;
  /** Which events it hears: those with a number above 0; begun again at the end of the list. */
  readonly hears: readonly number[];
  /** Events it writes at once. */
  readonly sizes: readonly number[];
}

interface Case {
  readonly tasks: readonly { readonly isSent: boolean; readonly bursts: readonly (readonly string[])[] }[];
  /** Which task goes on next, and on which worker. */
  readonly turns: readonly number[];
  /** How far the publisher's clock is ahead of the workers', s. */
  readonly skew: number;
  readonly replicas: readonly Replica[];
  /** Which replica writes next, whether it offers events again, and whether it has forgotten what it wrote. */
  readonly order: readonly number[];
}

const subjects = ['received', 'started', 'succeeded', 'failed', 'retried', 'revoked', 'rejected', 'progress'] as const;
const burst = fc.oneof(
  fc.constant(['received', 'started', 'succeeded']),
  fc.constant(['received', 'started', 'retried']),
  fc.array(fc.constantFrom(...subjects), { minLength: 1, maxLength: 3 }),
);
const numbers = (max: number): fc.Arbitrary<number[]> => fc.array(fc.nat(max), { minLength: 1, maxLength: 12 });
const replica: fc.Arbitrary<Replica> = fc.record({
  lag: fc.nat(MOST_LAG_MS),
  hears: numbers(2),
  sizes: fc.array(fc.integer({ min: 3, max: 24 }), { minLength: 1, maxLength: 4 }),
});
const cases: fc.Arbitrary<Case> = fc.record({
  tasks: fc.array(fc.record({ isSent: fc.boolean(), bursts: fc.array(burst, { minLength: 1, maxLength: 4 }) }), {
    minLength: 4,
    maxLength: 12,
  }),
  turns: numbers(100),
  skew: fc.integer({ min: -60, max: 60 }),
  replicas: fc.array(replica, { minLength: 2, maxLength: 3 }),
  order: numbers(100),
});

const at = (values: readonly number[], index: number): number => values[index % values.length] ?? 0;
const pickOpen = <T>(open: readonly T[], number: number): T | undefined => open[number % Math.max(open.length, 1)];

/** The stream as a receiver without a lag hears it. */
function streamOf({ tasks, turns, skew }: Case, ids: readonly string[]): CeleryEvent[] {
  const lives = tasks.map(({ isSent, bursts }, task) => ({
    uuid: ids[task] ?? '',
    left: isSent ? [['sent'], ...bursts] : [...bursts],
    clock: 0,
  }));
  const stream: CeleryEvent[] = [];
  for (let turn = 0; ; turn++) {
    const life = pickOpen(
      lives.filter(({ left }) => left.length > 0),
      at(turns, turn),
    );
    if (life === undefined) return stream;
    for (const [index, subject] of (life.left.shift() ?? []).entries()) {
      const heardMs = NOON * 1000 + turn * BURST_MS + index;
      const [hostname, ahead] = subject === 'sent' ? ['gen1@web', skew] : [`celery@${at(turns, turn) % 2}`, 0];
      const head = { uuid: life.uuid, hostname, timestamp: heardMs / 1000 + ahead, clock: (life.clock += 1) };
      stream.push(makeEvent(`task-${subject}`, { ...head, ...bodyOf(subject, turn) }, heardMs));
    }
  }
}

function bodyOf(subject: string, turn: number): Record<string, unknown> {
  const body = { pid: 100 + turn };
  const told = { name: 'app.add', args: `(${turn},)`, retries: turn };
  if (subject === 'sent') return { ...body, ...told, queue: 'q', routing_key: 'q' };
  if (subject === 'received') return { ...body, ...told };
  if (subject === 'succeeded') return { ...body, result: `${turn}`, runtime: turn };
  if (subject === 'failed' || subject === 'retried') return { ...body, exception: `E(${turn})`, traceback: 'T' };
  return body;
}

async function writeSplit({ replicas, order }: Case, stream: readonly CeleryEvent[]): Promise<void> {
  const queues = replicas.map(({ lag, hears, sizes }, index) => {
    // Whatever nobody hears is no event of the stream: the first one hears it.
    const isUnheard = (n: number): boolean => replicas.every((one) => at(one.hears, n) === 0);
    const heard = stream.filter((_, n) => at(hears, n) > 0 || (index === 0 && isUnheard(n)));
    const events = heard.map((event) => ({ ...event, receivedMs: event.receivedMs + lag }));
    const batches: CeleryEvent[][] = [];
    while (events.length > 0) batches.push(events.splice(0, at(sizes, batches.length)));
    return { batches, written: [] as CeleryEvent[], writer: kit.open() };
  });
  for (let turn = 0; ; turn++) {
    const chance = at(order, turn);
    const queue = pickOpen(
      queues.filter(({ batches }) => batches.length > 0),
      chance,
    );
    if (queue === undefined) return;
    if (chance % 7 === 0) queue.writer = kit.open();
    const next = queue.batches.shift() ?? [];
    await queue.writer.write(batch(...(chance % 5 === 0 ? queue.written : []), ...next));
    queue.written.push(...next);
  }
}

it('any split of a stream over several writers gives the tasks that one writer gives, and Celery', async () => {
  await fc.assert(
    fc.asyncProperty(cases, async (one) => {
      const [split, alone] = [one.tasks.map(newId), one.tasks.map(newId)];
      const stream = streamOf(one, split);
      await writeSplit(one, stream);
      await kit.open().write(batch(...streamOf(one, alone)));
      for (const [index, uuid] of split.entries()) {
        const expected = mergedTask(
          uuid,
          stream.filter((event) => event.uuid === uuid),
        );
        expect(await storedTask(uuid)).toEqual(expected);
        expect(await storedTask(alone[index] ?? '')).toEqual(expected);
      }
    }),
    { numRuns: 25 },
  );
}, 60_000);
