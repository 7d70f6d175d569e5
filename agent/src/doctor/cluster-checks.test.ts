import { describe, expect, it } from '@jest/globals';
import type { WorkerAnswer } from '../core/control/command.ts';
import type { Finding } from './check.ts';
import { type ClusterContext, clusterChecks } from './cluster-checks.ts';
import type { HeardWorker, Observation, Outcome } from './observation.ts';

const CONTEXT: ClusterContext = { displayUrl: 'redis://h/0', eventExchange: 'celeryev', enablesEvents: false };

function answers(...given: readonly (readonly [worker: string, reply: unknown])[]): Outcome {
  return {
    answers: new Map(given.map(([worker, reply]): [string, WorkerAnswer] => [worker, { worker, ok: true, reply }])),
  };
}

function heard(...workers: readonly (readonly [worker: string, behindSeconds: number])[]): Observation['heard'] {
  const entry = ([worker, behindSeconds]: readonly [string, number]): [string, HeardWorker] => [
    worker,
    { worker, heartbeats: 1, taskEvents: 0, behindSeconds },
  ];
  return new Map(workers.map(entry));
}

const FINE: Observation = {
  health: { connected: true, sinceMs: 0, reconnects: 0 },
  heard: heard(['w@h', 0.01]),
  taskSentEvents: 1,
  rejects: new Map(),
  listenedMs: 10_000,
  ping: answers(['w@h', { ok: 'pong' }]),
  events: answers(['w@h', { ok: 'task events already enabled' }]),
  conf: answers(['w@h', { task_send_sent_event: true }]),
};

async function look(
  name: string,
  seen: Partial<Observation>,
  context: Partial<ClusterContext> = {},
): Promise<readonly Finding[]> {
  const checks = clusterChecks(() => Promise.resolve({ ...FINE, ...seen }), { ...CONTEXT, ...context });
  return (await checks.find((check) => check.name === name)?.run()) ?? [];
}

it.each([
  ['broker', 'redis://h/0 takes the connection.'],
  ['events', '1 worker heard: w@h.'],
  ['task events', '1 worker sends task events.'],
  ['remote control', '1 worker answers: w@h.'],
  ['clocks', 'The clocks of 1 worker agree with this one.'],
])('%s: all is well', async (name, found) => {
  expect(await look(name, {})).toEqual([{ verdict: 'ok', found }]);
});

describe('a broker that is away', () => {
  it('is one failure; the other checks are passed over', async () => {
    const health = { connected: false, sinceMs: 0, reconnects: 0, problem: 'Redis wants a password.' };
    expect(await look('broker', { health })).toMatchObject([
      { verdict: 'failed', found: 'redis://h/0 cannot be reached: Redis wants a password.' },
    ]);
    expect(await look('remote control', { health })).toEqual([{ verdict: 'skipped', found: 'Needs the broker.' }]);
  });

  it('that is simulated is no broker', async () => {
    expect(await look('broker', {}, { displayUrl: 'demo://' })).toMatchObject([{ verdict: 'warning' }]);
  });
});

describe('events', () => {
  it('of nobody: whether there is no worker, or the events go elsewhere', async () => {
    const nobody = { heard: heard(), taskSentEvents: 0, conf: answers() };
    expect(await look('events', { ...nobody, ping: answers() })).toEqual([
      {
        verdict: 'failed',
        found: 'No worker sent an event within 10 s.',
        advice: expect.stringMatching(/^Start a worker/) as unknown,
      },
    ]);
    expect(await look('events', nobody)).toEqual([
      {
        verdict: 'failed',
        found: 'No worker sent an event within 10 s.',
        advice: expect.stringMatching(/^w@h answers, so the events go elsewhere.*celeryev/) as unknown,
      },
    ]);
  });

  it('of some workers only, unreadable ones, and none of publishers', async () => {
    const findings = await look('events', {
      ping: answers(['w@h', 1], ['x@h', 1]),
      rejects: new Map([
        ['pickle', 2],
        ['ignored', 5],
      ]),
      taskSentEvents: 0,
      conf: answers(['w@h', { ok: { task_send_sent_event: false } }]),
    });
    expect(findings.map(({ verdict, found }) => `${verdict}: ${found}`)).toEqual([
      'ok: 1 worker heard: w@h.',
      'warning: 2 messages could not be used (pickle).',
      'warning: x@h answers but sent no event within 10 s.',
      expect.stringMatching(/^warning: No task-sent events/),
    ]);
  });
});

describe('task events', () => {
  const off = {
    events: answers(['w@h', { ok: 'task events enabled' }], ['x@h', { ok: 'task events already enabled' }]),
  };

  it('that are off fail, or warn where the agent switches them on', async () => {
    expect(await look('task events', off)).toEqual([
      { verdict: 'ok', found: '1 worker sends task events.' },
      {
        verdict: 'failed',
        found: 'Task events were off at w@h.',
        advice:
          'Start it with -E, or set worker_send_task_events = True; or let the agent switch them on: --enable-events.',
      },
    ]);
    expect(await look('task events', off, { enablesEvents: true })).toMatchObject([{}, { verdict: 'warning' }]);
  });

  it('nobody can tell about', async () => {
    expect(await look('task events', { events: answers(), ping: answers() })).toEqual([
      { verdict: 'skipped', found: 'No worker answers.' },
    ]);
    expect(await look('task events', { events: { problem: 'NOPERM' } })).toMatchObject([{ verdict: 'failed' }]);
  });
});

describe('remote control', () => {
  it('names workers that send events but do not answer', async () => {
    expect(await look('remote control', { heard: heard(['w@h', 0], ['deaf@h', 0]) })).toMatchObject([
      { verdict: 'ok' },
      { verdict: 'warning', found: 'deaf@h sends events but does not answer.' },
    ]);
  });

  it('fails when nobody is there', async () => {
    expect(await look('remote control', { heard: heard(), ping: answers() })).toMatchObject([{ verdict: 'failed' }]);
  });

  it('passes on why an answer cannot be read', async () => {
    const ping: Outcome = { answers: new Map([['w@h', { worker: 'w@h', ok: false, error: 'pickled' }]]) };
    expect((await look('remote control', { ping })).at(-1)).toMatchObject({
      verdict: 'warning',
      found: 'w@h answers "pickled".',
    });
  });
});

describe('clocks', () => {
  it('that differ are named with the side', async () => {
    const findings = await look('clocks', { heard: heard(['a@h', 2.5], ['b@h', -40], ['c@h', 0.5]) });
    expect(findings.map(({ verdict, found }) => `${verdict}: ${found}`)).toEqual([
      'warning: The clock of a@h is 2.5 s behind, or its events are late.',
      'failed: The clock of b@h is 40.0 s ahead.',
    ]);
  });

  it('of nobody are not judged', async () => {
    expect(await look('clocks', { heard: heard() })).toEqual([{ verdict: 'skipped', found: 'No worker was heard.' }]);
  });
});
