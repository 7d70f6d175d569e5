import { expect } from '@jest/globals';
import { Redis } from 'ioredis';
import { amqpMessages, envelope } from '../celery-app/publish.mjs';
import type { AmqpEventMessage } from '../celery-app/publish.mjs';
import { askCelery, type CeleryAnswer, celeryRows, type Row } from '../differential/compare.testkit.ts';
import type { Chance } from '../differential/streams.testkit.ts';
import type { RunningAgent } from '../support/agent.ts';
import { closeAtEnd } from '../support/cleanup.ts';
import { queryRows } from '../support/database.ts';
import { getText } from '../support/http.ts';
import { pause, waitFor } from '../support/wait.ts';

type Event = Readonly<Record<string, unknown>>;

export interface Stream {
  readonly messages: readonly AmqpEventMessage[];
  readonly events: readonly Event[];
}

/** Three events a task, as four workers send them. */
export function makeStream(tasks: number): Stream {
  const messages = [...amqpMessages({ tasks })];
  return { messages, events: messages.flatMap(({ payload }) => JSON.parse(payload.toString()) as Event[]) };
}

/** Something that is done to the scene once so many events are stored. */
export interface Blow {
  readonly atEvents: number;
  readonly what: string;
  strike(): Promise<void>;
}

/** The publisher may be this far ahead of the next blow: the blows are spread over the stream whatever the machine's pace. */
const LEAD_EVENTS = 2500;

/** Strikes one blow after the other while the stream flows. */
export class Fire {
  readonly #blows: Blow[];
  readonly #databaseUrl: string;
  readonly struck: string[] = [];

  constructor(databaseUrl: string, blows: readonly Blow[]) {
    this.#databaseUrl = databaseUrl;
    this.#blows = [...blows].sort((a, b) => a.atEvents - b.atEvents);
  }

  async burn(): Promise<void> {
    for (let blow = this.#blows[0]; blow !== undefined; blow = this.#blows[0]) {
      const { atEvents, what } = blow;
      await waitFor(
        async () => (await storedEvents(this.#databaseUrl)) >= atEvents,
        300_000,
        `${atEvents} events stored, for: ${what}`,
      );
      await blow.strike();
      this.struck.push(`${what} at ${atEvents}`);
      this.#blows.shift();
    }
  }

  /** Resolves when the publisher may go on. */
  async mayGo(published: number): Promise<void> {
    while (published > (this.#blows[0]?.atEvents ?? Infinity) + LEAD_EVENTS) await pause(10);
  }
}

/** What the agents say of themselves, for the message of a failure. */
export async function standingOf(agents: readonly RunningAgent[]): Promise<string> {
  const texts = agents.map(async (agent) => {
    const status = await getText(`${agent.url}/api/v1/status`).catch((error: unknown) => ({ body: String(error) }));
    return `${status.body}\n${agent.process().output().slice(-4000)}`;
  });
  return (await Promise.all(texts)).join('\n');
}

/** `count` moments at random within the first nine tenths of the stream, one in each part of it. */
export function moments(chance: Chance, count: number, events: number): number[] {
  return Array.from({ length: count }, (_, index) => Math.floor(((index + chance.next()) / count) * 0.9 * events));
}

export async function storedEvents(databaseUrl: string): Promise<number> {
  const rows = await queryRows<{ n: number }>(databaseUrl, 'select count(*)::int as n from celery_task_events');
  return rows[0]?.n ?? 0;
}

/** SIGKILL at once or some milliseconds later, and the next start without waiting for it. */
export async function killAndLaunch(agent: RunningAgent, chance: Chance): Promise<void> {
  await pause(chance.below(300));
  await agent.kill('SIGKILL');
  agent.launch();
}

/**
 * Publishes each message on Redis until at least one subscriber has it, one after the other. Redis forgets what nobody
 * heard, so no agent can be asked for it.
 */
export class RedisFlow {
  readonly #client: Redis;
  published = 0;

  constructor(url: string) {
    const again = (): number => 50;
    this.#client = new Redis(url, { maxRetriesPerRequest: 0, retryStrategy: again, enableOfflineQueue: false });
    this.#client.on('error', () => undefined);
    closeAtEnd({ close: () => this.#client.disconnect() });
  }

  /** Agents that listen now. */
  async listening(): Promise<number> {
    const list = String(await this.#client.call('CLIENT', 'LIST', 'TYPE', 'PUBSUB').catch(() => ''));
    return list.split('\n').filter((line) => / psub=[1-9]/.test(line)).length;
  }

  async send({ messages }: Stream, mayGo: (published: number) => Promise<void>): Promise<void> {
    for (const { routingKey, payload, events } of messages) {
      await mayGo(this.published);
      const text = envelope(JSON.parse(payload.toString()), routingKey);
      while (!(await this.#isHeard(`/0.celeryev/${routingKey}`, text))) await pause(20);
      this.published += events;
    }
  }

  async #isHeard(channel: string, text: string): Promise<boolean> {
    return (await this.#client.publish(channel, text).catch(() => 0)) > 0;
  }
}

/** Each event of the stream is there exactly once, and nothing else; the counts of the roll-ups say the same. */
export async function expectEachOnce(databaseUrl: string, { events }: Stream): Promise<void> {
  await waitFor(
    async () => (await storedEvents(databaseUrl)) >= events.length,
    120_000,
    `${events.length} events stored`,
  );
  const rows = await queryRows<{ key: string }>(
    databaseUrl,
    `select concat_ws(' ', task_id, type, worker, clock) as key from celery_task_events`,
  );
  const stored = rows.map(({ key }) => key).sort();
  const sent = events.map(({ uuid, type, hostname, clock }) => [uuid, type, hostname, clock].join(' ')).sort();
  expect(stored.length).toBe(sent.length);
  expect(stored.filter((key, index) => key !== sent[index])).toEqual([]);
  const [counted] = await queryRows<{ n: number }>(
    databaseUrl,
    'select sum(sent + received + started + succeeded + failed + retried + other)::int as n from celery_task_rollups',
  );
  expect(counted?.n).toBe(sent.length);
}

/** Celery's own model drops tasks beyond 10,000. */
const TASKS_AT_ONCE = 9000;
const COLUMNS = (
  'name state received sent started rejected succeeded failed retried revoked args kwargs eta expires retries worker ' +
  'result exception timestamp runtime traceback exchange routing_key clock client root_id parent_id pid'
).split(' ');

/** Every task is stored as `celery.events.state` has it after the same stream. */
export async function expectCelerysStates(databaseUrl: string, { events }: Stream): Promise<void> {
  const parts: Event[][] = [];
  const partOf = new Map<unknown, Event[]>();
  for (const event of events) {
    let part = partOf.get(event['uuid']);
    if (part === undefined) {
      if (partOf.size % TASKS_AT_ONCE === 0) parts.push([]);
      part = parts.at(-1) ?? [];
      partOf.set(event['uuid'], part);
    }
    part.push(event);
  }
  const answers: CeleryAnswer[] = [];
  for (const part of parts) {
    const sent = part.map((event) => ({ body: JSON.stringify(event), receivedMs: Date.now() }));
    answers.push(...(await askCelery([sent])));
  }
  expect(answers.flatMap(({ refused }) => refused)).toEqual([]);
  const theirs = answers.flatMap((answer) => celeryRows(answer).tasks);
  const ours = await queryRows<Row>(databaseUrl, `select task_id as uuid, ${COLUMNS.join(', ')} from celery_tasks`);
  const stored = new Map(ours.map((row) => [row['uuid'], normal(row)]));
  expect(stored.size).toBe(theirs.length);
  const differing = theirs.filter((row) => JSON.stringify(normal(row)) !== JSON.stringify(stored.get(row['uuid'])));
  expect(differing.slice(0, 3).map((row) => [normal(row), stored.get(row['uuid'])])).toEqual([]);
  expect(differing.length).toBe(0);
}

/** bigint comes as text. */
function normal(row: Row): Row {
  const value = (column: string): unknown =>
    column === 'clock' || column === 'pid' ? Number(row[column]) : row[column];
  return Object.fromEntries(COLUMNS.map((column) => [column, value(column) ?? null]));
}
