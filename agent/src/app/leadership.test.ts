import { afterEach, describe, expect, it } from '@jest/globals';
import { closeAtEnd } from '../../../test/support/cleanup.ts';
import { freshDatabase, queryRows } from '../../../test/support/database.ts';
import { startPostgres } from '../../../test/support/postgres.ts';
import { waitFor } from '../../../test/support/wait.ts';
import { type Slice, sliceText, WHOLE } from '../core/events/slice.ts';
import { systemClock } from '../lib/clock.ts';
import { quietLogger } from '../sinks/history/history.testkit.ts';
import { SessionLocks } from '../sinks/history/session-locks.ts';
import { type Hearing, type Leadership, startLeadership } from './leadership.ts';

const joined: Leadership[] = [];
afterEach(async () => {
  for (const leadership of joined.splice(0)) await leadership.close();
});

async function join(
  databaseUrl: string,
  warnings: object[] = [],
  hearing: Hearing = { kind: 'all', slice: WHOLE },
): Promise<Leadership> {
  const logger = { ...quietLogger, warn: (details: object | string) => warnings.push(Object(details) as object) };
  const leadership = startLeadership({ databaseUrl, hearing, clock: systemClock, logger });
  joined.push(leadership);
  await leadership.firstTry;
  return leadership;
}

const leaders = (...all: readonly Leadership[]): Leadership[] => all.filter((one) => one.leads());

describe('of several agents on one database', () => {
  it('one leads, and another one as soon as it leaves', async () => {
    const { url } = await freshDatabase();
    const [one, two, three] = [await join(url), await join(url), await join(url)];
    expect(leaders(one, two, three)).toEqual([one]);
    await one.close();
    await waitFor(() => leaders(two, three).length === 1, 5000, 'another one leading');
    expect(one.leads()).toBe(false);
  });

  it('the one whose connection breaks leads no more at once, and another one takes over', async () => {
    const { url } = await freshDatabase();
    const [one, two] = [await join(url), await join(url)];
    const heard: boolean[] = [];
    two.onChange((leads) => heard.push(leads));
    const [locks] = await queryRows<{ pid: number }>(
      url,
      `select pid from pg_locks where locktype = 'advisory' and classid = 5549012
       and database = (select oid from pg_database where datname = current_database())`,
    );
    await queryRows(url, 'select pg_terminate_backend($1)', [locks?.pid]);
    await waitFor(() => !one.leads(), 1000, 'the leader knowing');
    await waitFor(() => two.leads(), 5000, 'the other one leading');
    await waitFor(() => heard.length > 0, 1000, 'it being told');
    expect(heard).toEqual([true]);
    expect(one.leads()).toBe(false);
  });

  it('a restart of Postgres does not change the leader', async () => {
    const postgres = await startPostgres();
    const { url } = await freshDatabase(postgres.url);
    const [one, two] = [await join(url), await join(url)];
    await postgres.stop();
    await waitFor(() => !one.leads(), 5000, 'nobody leading');
    expect(two.leads()).toBe(false);
    // Metrics go on, of the same agent.
    expect([one.showsCluster(), two.showsCluster()]).toEqual([true, false]);
    await postgres.start();
    await waitFor(() => one.leads() || two.leads(), 15_000, 'one leading');
    expect(leaders(one, two)).toEqual([one]);
  }, 60_000);

  it('each schema has its own leader', async () => {
    const { url } = await freshDatabase();
    await queryRows(url, 'create schema other');
    const other = `${url}?options=${encodeURIComponent('-c search_path=other')}`;
    const [one, two] = [await join(url), await join(other)];
    expect(leaders(one, two)).toEqual([one, two]);
  });
});

describe('of agents with slices', () => {
  const slices = (...names: string[]): Slice[] =>
    names.map((name) => ({ index: Number(name.split('/')[0]), of: Number(name.split('/')[1]) }));

  it('one of each slice shows its counts, one of those leads and knows which slices are missing', async () => {
    const { url } = await freshDatabase();
    const all: Leadership[] = [];
    for (const slice of slices('1/3', '1/3', '2/3')) all.push(await join(url, [], { kind: 'all', slice }));
    const [first, second, other] = all;
    expect(all.map((one) => [one.leads(), one.showsSlice(), one.showsCluster()])).toEqual([
      [true, true, true],
      [false, false, false],
      [false, true, false],
    ]);
    await waitFor(() => first?.missingSlices().length === 1, 5000, 'the leader having looked after the last joined');
    expect(first?.missingSlices().map(sliceText)).toEqual(['3/3']);
    await first?.close();
    await waitFor(() => second?.showsSlice() === true, 5000, 'its replica showing its slice');
    await waitFor(() => leaders(...all).length === 1, 5000, 'one leading');
    await join(url, [], { kind: 'all', slice: { index: 3, of: 3 } });
    await waitFor(() => leaders(...all)[0]?.missingSlices().length === 0, 5000, 'no slice missing');
    expect(other?.showsSlice()).toBe(true);
  });

  it('the leader knows those that part the stream into another number', async () => {
    const { url } = await freshDatabase();
    const warnings: object[] = [];
    const [half, third, whole] = slices('1/2', '2/3', '1/1').map((slice) => ({ kind: 'all' as const, slice }));
    const leader = await join(url, warnings, half);
    expect(leader.misfitSlices()).toEqual([]);
    const [one, other] = [await join(url, [], third), await join(url, [], whole)];
    await waitFor(() => leader.misfitSlices().length === 2, 5000, 'the leader having looked');
    expect(leader.misfitSlices().map(sliceText)).toEqual(['1/1', '2/3']);
    expect(warnings).toContainEqual({ own: '1/2', slices: ['1/1', '2/3'] });
    await Promise.all([one.close(), other.close()]);
    await waitFor(() => leader.misfitSlices().length === 0, 5000, 'none being left');
  });
});

it('where the broker hands out turns, whoever receives leads and shows the events', async () => {
  const { url } = await freshDatabase();
  const receiving = { one: false, two: false };
  const one = await join(url, [], { kind: 'turns', isReceiving: () => receiving.one });
  const two = await join(url, [], { kind: 'turns', isReceiving: () => receiving.two });
  expect([one.leads(), two.leads()]).toEqual([true, false]); // nothing has come yet
  receiving.two = true;
  expect(two.showsSlice()).toBe(true);
  await waitFor(() => two.leads() && !one.leads(), 10_000, 'the receiver leading');
  await waitFor(() => !one.showsSlice(), 5000, 'the other one not showing');
  receiving.two = false;
  receiving.one = true;
  await waitFor(() => one.leads() && !two.leads(), 10_000, 'the other one leading after its turn came');
});

it('an agent that cannot ask the database does not lead, says so, and leads once it can', async () => {
  const postgres = await startPostgres();
  const { url } = await freshDatabase(postgres.url);
  await postgres.stop();
  const warnings: object[] = [];
  const one = await join(url, warnings);
  expect([one.leads(), one.showsCluster(), one.showsSlice()]).toEqual([false, true, true]);
  expect(warnings).toEqual([{ reason: expect.stringContaining('ECONNREFUSED') as unknown }]);
  await postgres.start();
  await waitFor(() => one.leads(), 15_000, 'it leading');
}, 60_000);

it('a frozen leader loses the lock', async () => {
  const { url } = await freshDatabase();
  const frozen = closeAtEnd(await SessionLocks.open(url)); // asks no more
  expect(await frozen.take('leader')).toBe(true);
  const two = await join(url);
  expect(two.leads()).toBe(false);
  await waitFor(() => two.leads(), 20_000, 'the other one leading');
  expect(frozen.isOver).toBe(true);
}, 40_000);
