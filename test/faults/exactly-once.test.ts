import { expect, it } from '@jest/globals';
import { Chance } from '../differential/streams.testkit.ts';
import { type RunningAgent, startAgent } from '../support/agent.ts';
import { publishPrepared } from '../support/amqp-events.ts';
import { freshDatabase } from '../support/database.ts';
import { type PostgresServer, startPostgres } from '../support/postgres.ts';
import { startRabbitMq, testRabbitMq } from '../support/rabbitmq.ts';
import { startRedis } from '../support/redis.ts';
import { pause, waitFor } from '../support/wait.ts';
import {
  type Blow,
  expectCelerysStates,
  expectEachOnce,
  Fire,
  killAndLaunch,
  makeStream,
  moments,
  RedisFlow,
  standingOf,
  storedEvents,
  type Stream,
} from './fire.testkit.ts';

/**
 * Short enough for the suite: a stream with a handful of kills. With UMBEL_TEST_LONG=1 also 200,000 events under ten kills,
 * a restart of Postgres and one of the broker, and a hundred kills in one run.
 */
const isLong = process.env['UMBEL_TEST_LONG'] === '1';

interface Ordeal {
  readonly tasks: number;
  readonly kills: number;
  /** Postgres and the broker are restarted once each. */
  readonly restarts: boolean;
}

const SHORT: Ordeal = { tasks: 7000, kills: 4, restarts: false };
const ORDEALS: readonly (readonly [string, Ordeal])[] = [
  ['20,000 events, four kills', SHORT],
  ...(isLong
    ? ([
        ['200,000 events, ten kills, a restart of Postgres and of the broker', longOrdeal(10, true)],
        ['200,000 events, a hundred kills', longOrdeal(100, false)],
      ] as const)
    : []),
];

function longOrdeal(kills: number, restarts: boolean): Ordeal {
  return { tasks: 66_700, kills, restarts };
}

const seed = Number(process.env['UMBEL_TEST_SEED'] ?? Math.floor(Math.random() * 1e6));

interface Scene {
  readonly postgres: PostgresServer;
  readonly agents: readonly RunningAgent[];
  readonly databaseUrl: string;
}

async function openScene(brokerUrl: string, names: readonly string[], args: readonly string[] = []): Promise<Scene> {
  const postgres = await startPostgres();
  const { url: databaseUrl } = await freshDatabase(postgres.url);
  const agents = await Promise.all(
    names.map((name) => startAgent({ brokerUrl, databaseUrl, args: ['--agent-name', name, ...args] })),
  );
  for (const agent of agents) {
    await waitFor(
      async () => (await agent.metrics()).sum('umbel_broker_connected') === 1,
      60_000,
      'an agent listening',
    );
  }
  return { postgres, agents, databaseUrl };
}

function blows(
  { kills, restarts }: Ordeal,
  events: number,
  { kill, postgres, broker }: { kill: () => Promise<void>; postgres: PostgresServer; broker: () => Promise<void> },
): Blow[] {
  const chance = new Chance(seed);
  const killing = moments(chance, kills, events).map((atEvents) => ({ atEvents, what: 'SIGKILL', strike: kill }));
  if (!restarts) return killing;
  const restart = async (): Promise<void> => {
    await postgres.stop();
    await pause(1000);
    await postgres.start();
  };
  const [early = 0, late = 0] = moments(chance, 2, events);
  return [
    ...killing,
    { atEvents: early, what: 'restart of Postgres', strike: restart },
    { atEvents: late, what: 'restart of the broker', strike: broker },
  ];
}

async function toTheEnd(work: readonly Promise<unknown>[], agents: readonly RunningAgent[]): Promise<void> {
  await Promise.all(work).catch(async (error: unknown) => {
    throw new Error(`seed ${seed}: ${String(error)}\n${await standingOf(agents)}`, { cause: error });
  });
}

async function expectTheSame(databaseUrl: string, stream: Stream, fire: Fire, ordeal: Ordeal): Promise<void> {
  expect(fire.struck.length).toBe(ordeal.kills + (ordeal.restarts ? 2 : 0));
  try {
    await expectEachOnce(databaseUrl, stream);
    await expectCelerysStates(databaseUrl, stream);
  } catch (error) {
    throw new Error(`seed ${seed}: ${fire.struck.join(', ')}: ${String(error)}`, { cause: error });
  }
}

it.each(ORDEALS)(
  'on RabbitMQ, two agents: %s: each event once, each task as Celery has it',
  async (_, ordeal) => {
    const own = ordeal.restarts ? await startRabbitMq() : undefined;
    const url = own?.url ?? (await testRabbitMq());
    const exchange = `ev-fire-${Date.now()}`;
    const { postgres, agents, databaseUrl } = await openScene(url, ['one', 'two'], ['--event-exchange', exchange]);
    const stream = makeStream(ordeal.tasks);
    const chance = new Chance(seed + 1);
    const [first, second] = agents;
    if (first === undefined || second === undefined) throw new Error('two agents are needed');
    const fire = new Fire(
      databaseUrl,
      blows(ordeal, stream.events.length, {
        kill: () => killAndLaunch(chance.pick([first, second]), chance),
        postgres,
        broker: async () => {
          await own?.stop();
          await own?.start();
        },
      }),
    );
    const flow = publishPrepared(url, { exchange, messages: stream.messages, mayGo: (events) => fire.mayGo(events) });
    await toTheEnd([flow, fire.burn()], agents);
    await expectTheSame(databaseUrl, stream, fire, ordeal);
  },
  isLong ? 3_600_000 : 240_000,
);

it.each(ORDEALS)(
  'on Redis, two replicas: %s: each event that one of them could hear once, each task as Celery has it',
  async (_, ordeal) => {
    const redis = await startRedis();
    const { postgres, agents, databaseUrl } = await openScene(`${redis.url}/0`, ['one', 'two']);
    const stream = makeStream(ordeal.tasks);
    const chance = new Chance(seed + 1);
    const [first, second] = agents;
    if (first === undefined || second === undefined) throw new Error('two agents are needed');
    const flow = new RedisFlow(redis.url);
    /** What one heard alone dies with it: nobody is killed before both listen and what was sent until then is stored. */
    const bothHear = async (): Promise<void> => {
      await waitFor(async () => (await flow.listening()) === 2, 180_000, 'both agents listening');
      const sent = flow.published;
      await waitFor(async () => (await storedEvents(databaseUrl)) >= sent, 180_000, `${sent} events stored`);
    };
    const fire = new Fire(
      databaseUrl,
      blows(ordeal, stream.events.length, {
        kill: async () => {
          await bothHear();
          await killAndLaunch(chance.pick([first, second]), chance);
        },
        postgres,
        broker: async () => {
          await bothHear();
          await redis.restart();
        },
      }),
    );
    await toTheEnd([flow.send(stream, (published) => fire.mayGo(published)), fire.burn()], agents);
    await expectTheSame(databaseUrl, stream, fire, ordeal);
  },
  isLong ? 3_600_000 : 240_000,
);
