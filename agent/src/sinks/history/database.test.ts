import { describe, expect, it } from '@jest/globals';
import { freshDatabase, queryRows } from '../../../../test/support/database.ts';
import { AgentLog } from './agent-log.ts';
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
      { name: '0006_imports' },
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
  it('remembers when an agent was last alive', async () => {
    const log = new AgentLog((await openHistoryKit()).pool);
    expect(await log.lastAlive('one')).toBeNull();
    await log.beat('one', NOON * 1000);
    await log.beat('one', NOON * 1000 + 5000);
    await log.beat('one', NOON * 1000 + 1000);
    expect(await log.lastAlive('one')).toBe(NOON * 1000 + 5000);
    expect(await log.lastAlive('two')).toBeNull();
  });

  it('keeps a gap once, and ends what is open', async () => {
    const kit = await openHistoryKit();
    const log = new AgentLog(kit.pool);
    const gap = { agent: 'one', fromMs: NOON * 1000 + 0.25, toMs: null, cause: 'connection lost: ECONNRESET' };
    const id = await log.recordGap(gap);
    expect(await log.recordGap(gap)).toBe(id);
    await log.recordGap({ ...gap, agent: 'two' });
    expect(await log.closeOpenGap('one', NOON * 1000 + 9000, { tasks: 3 })).toBe(1);
    expect(await log.closeOpenGap('one', NOON * 1000 + 10_000)).toBe(0);
    const other = await log.recordGap({ ...gap, fromMs: 5, toMs: 1005, healed: { tasks: 1 } });
    expect(other).not.toBe(id);
    expect(
      await kit.rows(
        `select agent, extract(epoch from to_at - from_at)::float8 as s, healed from umbel_gaps order by id`,
      ),
    ).toEqual([
      { agent: 'one', s: 8.99975, healed: { tasks: 3 } },
      { agent: 'two', s: null, healed: null },
      { agent: 'one', s: 1, healed: { tasks: 1 } },
    ]);
  });
});
