import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { freshDatabase } from '../../../../test/support/database.ts';
import { closeAtEnd } from '../../../../test/support/cleanup.ts';
import { waitFor } from '../../../../test/support/wait.ts';
import type { AuditEntry, StoredAuditEntry } from '../../core/identity/audit.ts';
import { HistoryUnavailable } from '../../core/query/reader.ts';
import { openAuditTrail } from './audit.ts';
import { migrate, openPool } from './database.ts';
import { type HistoryKit, openHistoryKit, quietLogger, settableClock } from './history.testkit.ts';

const NOW_S = 1_795_442_400;

function entry(members: Partial<AuditEntry> = {}): AuditEntry {
  return {
    atMs: NOW_S * 1000,
    principal: { name: 'ops', role: 'admin', via: 'basic', verified: true },
    address: '127.0.0.1',
    action: 'worker.pool_grow',
    target: 'w1@h',
    arguments: { n: 2 },
    outcome: 'ok',
    detail: 'w1@h: pool will grow',
    ...members,
  };
}

function withoutId({ principal, ...rest }: StoredAuditEntry): AuditEntry {
  return { ...Object.fromEntries(Object.entries(rest).filter(([key]) => key !== 'id')), principal } as AuditEntry;
}

describe('the audit in Postgres', () => {
  let kit: HistoryKit;
  beforeAll(async () => {
    kit = await openHistoryKit();
  });
  beforeEach(async () => {
    await kit.rows('delete from umbel_audit');
  });

  const open = (options: { retentionDays?: number; nowS?: number } = {}) => {
    const { nowS = NOW_S, ...rest } = options;
    const audit = openAuditTrail({ pool: kit.pool, clock: settableClock(nowS), logger: quietLogger, ...rest });
    closeAtEnd(audit);
    return audit;
  };

  it('gives back what it was told, the newest first, and pages by id', async () => {
    const audit = open();
    const grafana = { ...entry().principal, grafanaUser: { login: 'ada', verified: true } };
    const told = [entry(), entry({ principal: grafana, outcome: 'failed', detail: null }), entry({ target: 'w2@h' })];
    for (const one of told) await audit.record(one);
    const read = await audit.read({}, 10);
    expect(read.map(withoutId)).toEqual(told.toReversed());
    const [first] = await audit.read({}, 1);
    expect((await audit.read({}, 10, first?.id)).map(withoutId)).toEqual(told.slice(0, 2).toReversed());
  });

  it('filters by time, user or Grafana user, action, outcome and part of the target', async () => {
    const audit = open();
    const principal = { ...entry().principal, name: 'grafana', grafanaUser: { login: 'ada', verified: false } };
    await audit.record(entry({ atMs: NOW_S * 1000 - 5000, target: 'old' }));
    await audit.record(entry({ principal, target: 'by ada' }));
    await audit.record(entry({ action: 'task.revoke', outcome: 'refused', target: 'id-1, id-2' }));
    const targets = async (filter: Parameters<typeof audit.read>[0]) =>
      (await audit.read(filter, 10)).map(({ target }) => target);
    expect(await targets({ toMs: NOW_S * 1000 })).toEqual(['old']);
    expect(await targets({ fromMs: NOW_S * 1000 })).toEqual(['id-1, id-2', 'by ada']);
    expect(await targets({ user: 'ada' })).toEqual(['by ada']);
    expect(await targets({ user: 'grafana' })).toEqual(['by ada']);
    expect(await targets({ actions: ['task.revoke', 'x'] })).toEqual(['id-1, id-2']);
    expect(await targets({ outcomes: ['refused'] })).toEqual(['id-1, id-2']);
    expect(await targets({ target: 'id-2' })).toEqual(['id-1, id-2']);
    expect(await targets({ target: '%' })).toEqual([]);
  });

  it('takes texts that Postgres would not, and cuts endless ones', async () => {
    const audit = open();
    await audit.record(entry({ target: 'a\0b\ud800', arguments: { 'k\0': 'v\0\udc00' }, detail: 'x'.repeat(9000) }));
    await audit.record(entry({ arguments: { long: 'y'.repeat(50_000) } }));
    const [long, odd] = await audit.read({}, 2);
    expect(odd).toMatchObject({ target: 'a b\ufffd', arguments: { 'k ': 'v \ufffd' } });
    expect(odd?.detail).toMatch(/^x{4000}… \(9000 characters\)$/);
    expect(long?.arguments).toMatchObject({ cut: 50_011 });
    expect(audit.waiting()).toBe(0);
    expect(await audit.read({ target: 'a\0b', user: 'ops' }, 10)).toEqual([odd]);
    expect(await audit.read({ user: 'no\0body', actions: ['\0'] }, 10)).toEqual([]);
  });

  it('lets no row be changed, and removes only what is older than the retention', async () => {
    const audit = open({ retentionDays: 30 });
    await audit.record(entry({ atMs: (NOW_S - 31 * 86_400) * 1000, target: 'old' }));
    await audit.record(entry({ atMs: (NOW_S - 29 * 86_400) * 1000, target: 'young' }));
    await expect(kit.rows(`update umbel_audit set user_name = 'nobody'`)).rejects.toThrow(/never changed/);
    expect(await open({ retentionDays: 0 }).removeOld()).toBe(0);
    expect(await audit.removeOld()).toBe(1);
    expect((await audit.read({}, 10)).map(({ target }) => target)).toEqual(['young']);
  });
});

describe('while the database is away', () => {
  it('entries wait in order, are logged, and are stored once it is there', async () => {
    const { url } = await freshDatabase();
    const pool = openPool({ databaseUrl: url, logger: quietLogger });
    closeAtEnd({ close: () => pool.end() });
    const logged: unknown[] = [];
    const logger = {
      ...quietLogger,
      warn: (first: unknown) => logged.push(first),
      error: (x: unknown) => logged.push(x),
    };
    const ticks: (() => void)[] = [];
    const clock = {
      ...settableClock(NOW_S),
      every: (_ms: number, task: () => void) => (ticks.push(task), () => undefined),
    };
    const audit = openAuditTrail({ pool, clock, logger, maxWaiting: 2 });
    closeAtEnd(audit);
    // No table yet: as good as away.
    for (const target of ['one', 'two', 'three']) await audit.record(entry({ target }));
    expect(audit.waiting()).toBe(2);
    const targets = logged.flatMap((line) => (line as { audit?: AuditEntry }).audit?.target ?? []);
    expect(targets).toEqual(['one', 'two', 'one', 'three']);
    await expect(audit.read({}, 1)).rejects.toBeInstanceOf(HistoryUnavailable);
    await migrate(url, quietLogger);
    ticks[0]?.();
    await waitFor(() => audit.waiting() === 0, 5000, 'the entries stored');
    expect((await audit.read({}, 10)).map(({ target }) => target)).toEqual(['three', 'two']);
  });
});
