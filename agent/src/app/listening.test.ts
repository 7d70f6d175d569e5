import { expect, it } from '@jest/globals';
import { FastClock } from '../../../test/support/fast-clock.ts';
import { quietLogger } from '../sinks/history/history.testkit.ts';
import type { AgentLog } from '../sinks/history/agent-log.ts';
import { startListeningLog } from './listening.ts';

/** A log that notes what it is told; `isUp: false` refuses as a database that is away. */
function bench() {
  const clock = new FastClock(1_000_000);
  const told: unknown[] = [];
  const state: { isUp: boolean; oldestMs?: number; beforeMs?: number | undefined } = { isUp: true };
  const note = (what: string) => (value: object | string, atMs?: number) => {
    if (!state.isUp) return Promise.reject(new Error('the database is away'));
    told.push(typeof value === 'string' ? [what, atMs] : [what, value]);
    return Promise.resolve(what === 'beat' ? state.beforeMs : undefined);
  };
  const methods = ['openGap', 'endGap', 'recordGap', 'beat', 'stop'] as const;
  const log = Object.fromEntries(methods.map((name) => [name, note(name)])) as unknown as AgentLog;
  const listening = startListeningLog({
    ...{ agentName: 'one', clock, logger: quietLogger, log: () => log, oldestUnstoredMs: () => state.oldestMs },
  });
  const settle = async (): Promise<unknown[]> => {
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    return told.splice(0);
  };
  return { clock, listening, state, settle };
}

it('tells an outage as it begins, and when it is over', async () => {
  const { clock, listening, settle } = bench();
  listening.deaf(999_000, 'refused');
  expect(await settle()).toEqual([]); // it never listened
  listening.listening(false);
  expect(await settle()).toEqual([['beat', 1_000_000]]);
  clock.advance(2000);
  listening.deaf(1_001_000, 'refused');
  listening.deaf(1_001_000, 'timed out');
  expect(await settle()).toEqual([['openGap', expect.objectContaining({ fromMs: 1_001_000, cause: 'refused' })]]);
  listening.endGap({ fromMs: 1_000_500, toMs: 1_002_000, cause: 'redis was restarted' });
  listening.listening(false);
  expect(await settle()).toEqual([
    ['endGap', { agent: 'one', fromMs: 1_000_500, toMs: 1_002_000, cause: 'redis was restarted' }],
    ['beat', 1_002_000],
  ]);
});

it('tells the time since the run before as an outage while the broker is away', async () => {
  const { listening, settle } = bench();
  listening.previousRun({ aliveMs: 900_000, wasStopped: true });
  listening.deaf(1_000_000, 'refused');
  const open = { fromMs: 900_000, cause: 'agent was stopped; refused' };
  expect(await settle()).toEqual([['openGap', expect.objectContaining(open)]]);
  listening.listening(false);
  const ended = { agent: 'one', fromMs: 900_000, toMs: 1_000_000, cause: 'agent was stopped' };
  expect(await settle()).toEqual([
    ['endGap', ended],
    ['beat', 1_000_000],
  ]);
});

it('ends the time between two runs when it first listened, however late the database is reached', async () => {
  const { clock, listening, settle, state } = bench();
  state.isUp = false;
  listening.listening(false);
  clock.advance(60_000);
  listening.listening(false);
  state.isUp = true;
  listening.previousRun({ aliveMs: 900_000, wasStopped: false });
  const cause = 'agent was killed, or its machine went down';
  const [gap] = await settle();
  expect(gap).toEqual(['endGap', { agent: 'one', fromMs: 900_000, toMs: 1_000_000, cause }]);
});

it('tells no gap where the broker kept the events', async () => {
  const { listening, settle } = bench();
  listening.previousRun({ aliveMs: 900_000, wasStopped: false });
  listening.listening(true);
  expect(await settle()).toEqual([['beat', 1_000_000]]);
});

it('beats up to what was published, not received, and only once all of it is stored', async () => {
  const { clock, listening, settle, state } = bench();
  listening.listening(false, 999_900);
  expect(await settle()).toEqual([['beat', 999_900]]);
  const beatAfter = async (heardUpToMs: number, oldestMs?: number): Promise<unknown> => {
    clock.advance(5000);
    if (oldestMs === undefined) delete state.oldestMs;
    else state.oldestMs = oldestMs;
    listening.listening(false, heardUpToMs);
    clock.advance(5000);
    return (await settle()).at(-1);
  };
  // It reads at 1 005 000 what may have been published from 1 001 000 on.
  expect(await beatAfter(1_001_000, 1_004_900)).toEqual(['beat', 999_900]);
  expect(await beatAfter(1_002_000, 1_005_000)).toEqual(['beat', 999_900]);
  expect(await beatAfter(1_003_000, 1_005_001)).toEqual(['beat', 1_001_000]);
  expect(await beatAfter(1_004_000)).toEqual(['beat', 1_004_000]);
});

it('tells of another agent of its name, and forgets it once it is gone', async () => {
  const { clock, listening, settle, state } = bench();
  const beat = async (beforeMs?: number): Promise<void> => {
    state.beforeMs = beforeMs;
    listening.listening(false);
    clock.advance(5000);
    await settle();
  };
  // An earlier run of its own may have beaten until just now.
  await beat(999_999);
  await beat(1_000_000.4);
  expect(listening.hasNamesake()).toBe(false);
  await beat(1_007_000);
  expect(listening.hasNamesake()).toBe(true);
  clock.advance(30_000);
  expect(listening.hasNamesake()).toBe(false);
});

it('joins gaps into the last while too many wait for the database, and counts those', async () => {
  const { clock, listening, settle, state } = bench();
  state.isUp = false;
  for (let n = 0; n < 1003; n++) listening.recordGap({ fromMs: n * 10, toMs: n * 10 + 5, cause: `gap ${n}` });
  await settle();
  expect(listening.gaps()).toEqual({ waiting: 1000, joined: 3 });
  state.isUp = true;
  clock.advance(5000);
  let told: unknown[] = [];
  while (listening.gaps().waiting > 0) told = [...told, ...(await settle())];
  expect(told).toHaveLength(1000);
  expect(told.at(-1)).toEqual(['recordGap', { agent: 'one', fromMs: 9990, toMs: 10_025, cause: 'gap 1002' }]);
  expect(listening.gaps()).toEqual({ waiting: 0, joined: 3 });
});
