import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { freshDatabase, queryRows } from '../../../../test/support/database.ts';
import { AgentLog } from './agent-log.ts';
import { GapHealing } from './gap-healing.ts';
import { migrate, openPool } from './database.ts';
import { HistoryDown } from './errors.ts';
import { NOON, openHistoryKit, quietLogger } from './history.testkit.ts';

describe('migrate', () => {
  it('may be run by several agents at once, and again', async () => {
    const { url } = await freshDatabase();
    await Promise.all([1, 2, 3].map(() => migrate(url, quietLogger)));
    await migrate(url, quietLogger);
    expect(await queryRows(url, 'select name from umbel_migrations')).toEqual([
      { name: '0001_history' },
      { name: '0002_audit' },
      { name: '0003_events_by_time' },
      { name: '0004_healing' },
      { name: '0006_imports' },
      { name: '0007_hourly_rollups' },
    ]);
    expect(await queryRows(url, 'select count(*)::int as n from celery_tasks')).toEqual([{ n: 0 }]);
  });

  it('says that the server is away', async () => {
    await expect(migrate('postgres://nobody@127.0.0.1:1/none', quietLogger)).rejects.toThrow(HistoryDown);
    const { url } = await freshDatabase();
    await expect(migrate(url.replace(/umbel_test_\w+/, 'umbel_missing'), quietLogger)).rejects.toMatchObject({
      code: '3D000',
    });
  });

  it('says what is wrong with a database that cannot be used, and what to do', async () => {
    const { url } = await freshDatabase();
    const [name, user] = [new URL(url).pathname.slice(1), `limited_${randomBytes(4).toString('hex')}`];
    const other = new URL(`/${name}_latin`, url).href;
    await queryRows(url, `create database ${name}_latin encoding 'LATIN1' locale 'C' template template0`);
    await expect(migrate(other, quietLogger)).rejects.toThrow(
      /is encoded in LATIN1, .* encoding 'UTF8' template template0$/,
    );
    await queryRows(url, `drop database ${name}_latin`);

    await queryRows(url, `create role ${user} login password 'x'`);
    await queryRows(url, 'revoke create on schema public from public');
    const limited = Object.assign(new URL(url), { username: user, password: 'x' }).href;
    const grant = `grant create on schema "public" to "${user}"`;
    await expect(migrate(limited, quietLogger)).rejects.toThrow(
      new RegExp(`"${user}" may not create tables .*: ${grant}$`),
    );
    await queryRows(url, grant);
    await migrate(limited, quietLogger);
    await queryRows(url, `drop owned by ${user}`);
    await queryRows(url, `drop role ${user}`);
  });
});

describe('openPool', () => {
  it('names itself and limits statements', async () => {
    const { url } = await freshDatabase();
    const pool = openPool({
      databaseUrl: url,
      statementTimeoutMs: 50,
      applicationName: 'umbel-test',
      logger: quietLogger,
    });
    await expect(pool.query('select pg_sleep(10)')).rejects.toMatchObject({ code: '57014' });
    expect((await pool.query('show application_name')).rows).toEqual([{ application_name: 'umbel-test' }]);
    await pool.end();
  });
});

describe('AgentLog', () => {
  it('remembers until when an agent listened, and how it ended', async () => {
    const log = new AgentLog((await openHistoryKit()).pool);
    const begin = () => log.begin('one', NOON * 1000);
    expect(await begin()).toBeUndefined();
    expect(await log.beat('one', NOON * 1000 + 5000)).toBe(NOON * 1000);
    expect(await log.beat('one', NOON * 1000 + 1000)).toBe(NOON * 1000 + 5000);
    expect(await log.beat('another', NOON * 1000)).toBeUndefined();
    await log.stop('another', undefined);
    expect(await begin()).toEqual({ aliveMs: NOON * 1000 + 5000, wasStopped: false });
    await log.stop('one', NOON * 1000 + 7000);
    expect(await begin()).toEqual({ aliveMs: NOON * 1000 + 7000, wasStopped: true });
    await log.beat('one', NOON * 1000 + 9000);
    expect(await begin()).toEqual({ aliveMs: NOON * 1000 + 9000, wasStopped: false });
  });

  it('remembers one that was killed before its first beat, and takes it for none that listened', async () => {
    const kit = await openHistoryKit();
    const log = new AgentLog(kit.pool);
    await log.begin('one', NOON * 1000);
    expect(await log.begin('one', NOON * 1000 + 60_000)).toEqual({ aliveMs: NOON * 1000, wasStopped: false });
    expect(await kit.rows("select started_at = 'infinity' as open from umbel_agents")).toEqual([{ open: true }]);
    await log.beat('one', NOON * 1000 + 61_000);
    expect(await kit.rows("select started_at < alive_at + interval '1s' as known from umbel_agents")).toEqual([
      { known: true },
    ]);
  });

  it('takes one of a new name for the heir of the last of its slice, unless another one runs', async () => {
    const { pool } = await openHistoryKit();
    const [log, other] = [new AgentLog(pool), new AgentLog(pool, '1/2')];
    await log.beat('one', NOON * 1000);
    expect(await other.begin('slice', NOON * 1000 + 60_000)).toBeUndefined();
    expect(await log.begin('replica', NOON * 1000 + 1000)).toBeUndefined();
    await log.stop('replica', undefined);
    expect(await log.begin('heir', NOON * 1000 + 60_000)).toEqual({ aliveMs: NOON * 1000 + 1000, wasStopped: true });
    expect(await log.begin('heir', NOON * 1000 + 70_000)).toEqual({ aliveMs: NOON * 1000 + 1000, wasStopped: false });
  });

  it('keeps a gap that lasts, and ends it', async () => {
    const kit = await openHistoryKit();
    const log = new AgentLog(kit.pool);
    const open = { agent: 'one', fromMs: NOON * 1000, cause: 'the broker is away' };
    await log.openGap(open);
    await log.openGap({ ...open, fromMs: NOON * 1000 + 1000 });
    const rows = () =>
      kit.rows('select extract(epoch from to_at - from_at)::float8 as s, cause from umbel_gaps order by id');
    expect(await rows()).toEqual([{ s: null, cause: 'the broker is away' }]);
    await log.endGap({ ...open, toMs: NOON * 1000 + 9000, cause: 'redis was restarted' });
    expect(await rows()).toEqual([{ s: 9, cause: 'redis was restarted' }]);
    await log.endGap({ ...open, fromMs: NOON * 1000 + 20_000, toMs: NOON * 1000 + 21_000 });
    expect(await rows()).toHaveLength(2);
  });

  it('keeps a gap once, however often it is told', async () => {
    const kit = await openHistoryKit();
    const log = new AgentLog(kit.pool);
    const gap = { agent: 'one', fromMs: NOON * 1000 + 0.25, toMs: NOON * 1000 + 9000, cause: 'connection lost' };
    await log.recordGap(gap);
    await log.recordGap(gap);
    await log.recordGap({ ...gap, agent: 'two' });
    expect(
      await kit.rows('select agent, extract(epoch from to_at - from_at)::float8 as s from umbel_gaps order by id'),
    ).toEqual([
      { agent: 'one', s: 8.99975 },
      { agent: 'two', s: 8.99975 },
    ]);
  });
});

describe('GapHealing', () => {
  /** Seconds after noon, as the log takes them. */
  const at = (seconds: number): number => (NOON + seconds) * 1000;

  it('leaves what another agent covered, and waits for one that has yet to say whether it did', async () => {
    const kit = await openHistoryKit();
    const [log, gaps] = [new AgentLog(kit.pool), new GapHealing(kit.pool)];
    await log.beat('one', at(0));
    await log.beat('two', at(0));
    await log.recordGap({ agent: 'one', fromMs: at(10), toMs: at(20), cause: 'agent was stopped' });
    await log.beat('two', at(19));
    expect(await gaps.take(at(21))).toEqual([]);
    await log.beat('two', at(24));
    expect(await gaps.take(at(25))).toEqual([]);
    expect(await kit.rows('select agent, covered_by from umbel_gaps')).toEqual([{ agent: 'one', covered_by: 'two' }]);
  });

  it('ends the gap of one that never came back where another one of its slice began to listen', async () => {
    const kit = await openHistoryKit();
    const [log, gaps] = [new AgentLog(kit.pool), new GapHealing(kit.pool)];
    await log.beat('one', at(0));
    await log.openGap({ agent: 'one', fromMs: at(10), cause: 'the broker is away' });
    await log.beat('heir', at(100));
    await log.beat('heir', at(1000));
    expect(await gaps.take(at(1010))).toEqual([]);
    await log.beat('heir', at(4000));
    expect(await gaps.take(at(4010))).toEqual([expect.objectContaining({ fromMs: at(10), toMs: at(100) })]);
  });

  it('takes what nobody heard: the other had a gap too, began later, or is gone', async () => {
    const kit = await openHistoryKit();
    const [log, gaps] = [new AgentLog(kit.pool), new GapHealing(kit.pool)];
    await log.beat('one', at(0));
    await log.beat('two', at(0));
    await log.recordGap({ agent: 'one', fromMs: at(10), toMs: at(20), cause: 'a' });
    await log.recordGap({ agent: 'two', fromMs: at(15), toMs: at(16), cause: 'b' });
    await log.beat('two', at(24));
    await log.beat('three', at(12));
    await log.beat('three', at(24));
    const taken = await gaps.take(at(25));
    // `one` stopped beating: its own gap is healed, and it covers nothing of the other's.
    expect(taken.map(({ fromMs, toMs }) => [fromMs - NOON * 1000, toMs - NOON * 1000])).toEqual([[10_000, 20_000]]);
    expect(await kit.rows('select covered_by from umbel_gaps where covered_by is not null')).toEqual([
      { covered_by: 'three' },
    ]);
    const [first] = taken;
    await gaps.close(first?.id ?? 0, { healed: 2 });
    expect(await gaps.take(at(60))).toEqual([]);
    expect(await kit.rows("select healed from umbel_gaps where agent = 'one'")).toEqual([{ healed: { healed: 2 } }]);
  });
});
