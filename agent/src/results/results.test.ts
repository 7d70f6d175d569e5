import { afterAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { freshDatabase, queryRows } from '../../../test/support/database.ts';
import { testRedisUrl } from '../../../test/support/environment.ts';
import { runPython } from '../../../test/support/python.ts';
import { startRedis } from '../../../test/support/redis.ts';
import { systemClock } from '../lib/clock.ts';
import { storedByWorker } from './celery.testkit.ts';
import type { StoredIds } from './celery.testkit.ts';
import { isUnreadable, openResultBackend } from './open.ts';
import type { ResultBackendDeps } from './open.ts';
import { BackendUnavailable } from './port.ts';
import type { ResultBackend } from './port.ts';
import type { RedisAddress } from './redis.ts';

const opened: ResultBackend[] = [];
afterAll(async () => {
  await Promise.all(opened.map((backend) => backend.close()));
});

/** Enough of a URL reader for one server; the agent hands in its own. */
function parseRedis(urls: string): RedisAddress[] {
  return urls.split(';').map((text) => {
    const url = new URL(text);
    const scheme = url.protocol.slice(0, -1) as RedisAddress['scheme'];
    const db = Number(url.pathname.slice(1));
    return { scheme, host: url.hostname, port: Number(url.port), db, displayUrl: `${scheme}://${url.host}/${db}` };
  });
}

function open(url: string, more: Partial<ResultBackendDeps> = {}): ResultBackend {
  const backend = openResultBackend(url, { clock: systemClock, parseRedis, ...more });
  if (isUnreadable(backend)) throw new Error(backend.unreadable);
  opened.push(backend);
  return backend;
}

const EXTENDED = {
  name: 'kept.add',
  argsJson: '[9007199254740992, 1000000000000000]',
  kwargsJson: '{"big": 1099511627776}',
  retries: 0,
  queue: 'celery',
};

async function expectResults(backend: ResultBackend, ids: StoredIds, pickled: boolean): Promise<void> {
  const found = await backend.getMany([ids.add, 'unknown', ids.fail, ids.odd]);
  expect([...found.keys()].sort()).toEqual([ids.add, ids.fail, ids.odd].sort());
  const add = found.get(ids.add);
  expect(add).toMatchObject({ status: 'SUCCESS', resultRepr: null, traceback: null, extended: EXTENDED });
  expect(add?.resultJson).toMatch(/10007199254740992/);
  expect(JSON.parse(add?.resultJson ?? '')).toMatchObject({ text: 'ünï' });
  expect(Math.abs((add?.dateDoneMs ?? 0) - systemClock.now())).toBeLessThan(60_000);
  const fail = found.get(ids.fail);
  expect(fail?.status).toBe('FAILURE');
  expect(JSON.parse(fail?.resultJson ?? '')).toEqual({
    exc_type: 'ValueError',
    exc_message: ['boom', 7],
    exc_module: 'builtins',
  });
  expect(fail?.traceback).toContain("ValueError: ('boom', 7)");
  expect(found.get(ids.odd)).toMatchObject(
    pickled ? { resultJson: null, resultRepr: '{1, 2}' } : { resultJson: 'null', resultRepr: null },
  );
  expect(await backend.get('unknown')).toBeUndefined();
  expect(backend.health()).toEqual({ connected: true });
}

describe('Redis', () => {
  it.each([
    ['json', undefined],
    ['pickle', undefined],
    ['msgpack', 'gzip'],
    ['yaml', undefined],
  ] as const)(
    "reads what Celery's worker stored as %s, compressed by %s",
    async (serializer, compression) => {
      const url = `${testRedisUrl()}/11`;
      const ids = await storedByWorker({
        backend: url,
        serializer,
        keyPrefix: 'kept',
        ...(compression !== undefined && { compression }),
      });
      const backend = open(url, { keyPrefix: 'kept' });
      await expectResults(backend, ids, serializer === 'pickle');
      expect(await backend.groupsOf?.([ids.add, 'unknown', ids.fail])).toEqual(new Map([[ids.add, 'g1']]));
      expect(await open(url).get(ids.add)).toBeUndefined();
    },
    60_000,
  );

  it('stores ABORTED as Celery reads it, never over a SUCCESS, and keeps the time to live', async () => {
    const redis = await startRedis();
    const backend = open(`${redis.url}/0`);
    const client = new Redis(redis.port, '127.0.0.1');
    await client.set('celery-task-meta-done', '{"status": "SUCCESS", "result": 1, "task_id": "done"}');
    await client.set('celery-task-meta-runs', '{"status": "STARTED", "result": {}, "task_id": "runs"}', 'EX', 500);
    for (const id of ['done', 'runs', 'new']) await backend.storeState(id, 'ABORTED');
    expect(await backend.get('done')).toMatchObject({ status: 'SUCCESS', resultJson: '1' });
    expect(await backend.get('runs')).toMatchObject({ status: 'ABORTED', resultJson: 'null' });
    expect(await client.ttl('celery-task-meta-runs')).toBeLessThanOrEqual(500);
    expect(await client.ttl('celery-task-meta-runs')).toBeGreaterThan(400);
    expect(await client.ttl('celery-task-meta-new')).toBeGreaterThan(80_000);
    const seen = await runPython(`
from celery import Celery
from celery.contrib.abortable import AbortableAsyncResult
app = Celery(broker='memory://', backend='${redis.url}/0')
print([AbortableAsyncResult(id, app=app).is_aborted() for id in ('done', 'runs', 'new')])`);
    expect(seen.trim()).toBe('[False, True, True]');
    client.disconnect();
  }, 60_000);

  it('is unavailable within two seconds when it is away, and is there again by itself', async () => {
    const redis = await startRedis();
    const backend = open(`${redis.url}/0`);
    await backend.storeState('a', 'ABORTED');
    await redis.stop();
    const start = systemClock.now();
    await expect(backend.get('a')).rejects.toThrow(BackendUnavailable);
    await expect(backend.get('a')).rejects.toThrow(/127\.0\.0\.1/);
    expect(systemClock.now() - start).toBeLessThan(5000);
    expect(backend.health()).toMatchObject({ connected: false, problem: expect.stringContaining('cannot be asked') });
    await redis.restart();
    const deadline = systemClock.now() + 20_000;
    let answer = 'none';
    while (answer !== 'there' && systemClock.now() < deadline) {
      answer = await backend.get('a').then(
        () => 'there',
        () => 'away',
      );
    }
    expect(answer).toBe('there');
    expect(backend.health()).toEqual({ connected: true });
  }, 60_000);

  it('cuts what is too large, and names what it cannot read', async () => {
    const redis = await startRedis();
    const client = new Redis(redis.port, '127.0.0.1');
    const meta = (result: string): string => `{"status": "SUCCESS", "result": "${result}", "task_id": "x"}`;
    await client.set('celery-task-meta-large', meta('x'.repeat(2 << 20)));
    await client.set('celery-task-meta-huge', meta('y'.repeat(6 << 20)));
    await client.set('celery-task-meta-broken', Buffer.from('\x80\x04}broken', 'latin1'));
    await client.lpush('celery-task-meta-list', 'x');
    const found = await open(`${redis.url}/0`).getMany(['large', 'huge', 'broken', 'list']);
    expect(found.get('large')?.resultRepr).toMatch(/^"x+… \(cut: 2097154 characters in all\)$/);
    expect(found.get('huge')).toMatchObject({ status: 'SUCCESS', resultJson: null });
    expect(found.get('huge')?.resultRepr).toMatch(/^"y+… \(cut: \d+ bytes in all\)$/);
    expect(found.get('broken')?.resultRepr).toMatch(/^<9 bytes that cannot be read: a pickle/);
    expect(found.has('list')).toBe(false);
    client.disconnect();
  }, 60_000);
});

describe('Postgres', () => {
  const sqlalchemy = (url: string): string => url.replace(/^postgres(ql)?:/, 'db+postgresql+psycopg2:');

  it.each(['json', 'pickle'] as const)(
    "reads what Celery's worker stored as %s",
    async (serializer) => {
      const { url } = await freshDatabase();
      const ids = await storedByWorker({ backend: sqlalchemy(url), serializer });
      const backend = open(sqlalchemy(url));
      await expectResults(backend, ids, serializer === 'pickle');

      // Up to 5.6 the result was a pickle whatever the serializer.
      await queryRows(url, `update celery_taskmeta set result = '\\x80024b2a2e' where task_id = $1`, [ids.odd]);
      expect(await backend.get(ids.odd)).toMatchObject({ status: 'SUCCESS', resultJson: '42' });

      await queryRows(url, `update celery_taskmeta set status = 'STARTED' where task_id = $1`, [ids.odd]);
      for (const id of [ids.add, ids.odd, 'new']) await backend.storeState(id, 'ABORTED');
      expect(await backend.get(ids.add)).toMatchObject({ status: 'SUCCESS' });
      const seen = await runPython(`
from celery import Celery
from celery.contrib.abortable import AbortableAsyncResult
app = Celery(broker='memory://', backend='${sqlalchemy(url)}')
app.conf.update(result_serializer='${serializer}', accept_content=['json', 'pickle'], result_extended=True)
print([(r.state, r.result) for r in (AbortableAsyncResult(id, app=app) for id in ('${ids.odd}', 'new'))])`);
      expect(seen.trim()).toBe("[('ABORTED', None), ('ABORTED', None)]");
    },
    60_000,
  );

  it('walks through all that ended in a time, page after page', async () => {
    const { url } = await freshDatabase();
    await queryRows(
      url,
      `create table celery_taskmeta (id int, task_id text primary key, status text, result bytea, date_done timestamp);
       insert into celery_taskmeta select n, 't' || n, 'SUCCESS', null, '2026-07-01'::timestamp + n * interval '1 ms'
       from generate_series(1, 20010) n`,
    );
    const fromMs = Date.parse('2026-07-01T00:00:00Z') + 6;
    const ids = new Set<string>();
    for await (const page of open(sqlalchemy(url)).endedBetween(fromMs, fromMs + 60_000))
      page.forEach((id) => ids.add(id));
    expect([ids.size, ids.has('t5'), ids.has('t6'), ids.has('t20010')]).toEqual([20_005, false, true, true]);
  }, 60_000);

  it('tells that the table is missing, and finds it once it is there', async () => {
    const { url } = await freshDatabase();
    const backend = open(sqlalchemy(url), { table: 'my_results', schema: 'kept' });
    await expect(backend.get('a')).rejects.toThrow(/no table kept\.my_results.*--result-backend-table/);
    expect(backend.health()).toMatchObject({ connected: true, problem: expect.stringContaining('kept.my_results') });
    await queryRows(
      url,
      `create schema kept; create table kept.my_results (id int, task_id text, status text, result bytea, date_done timestamp);
       insert into kept.my_results values (1, 'a', 'SUCCESS', '1.50', '2026-07-01 02:03:04.5')`,
    );
    expect(await backend.get('a')).toEqual({
      taskId: 'a',
      status: 'SUCCESS',
      resultJson: '1.50',
      resultRepr: null,
      traceback: null,
      dateDoneMs: Date.parse('2026-07-01T02:03:04.500Z'),
    });
    expect(backend.health()).toEqual({ connected: true });
  }, 60_000);

  it('is unavailable when nothing listens', async () => {
    const backend = open('db+postgresql+psycopg://me:secret@127.0.0.1:1/x?connect_timeout=3');
    expect(backend.displayUrl).toBe('db+postgresql://me:**@127.0.0.1:1/x');
    const failed = await backend.get('a').then(String, (error: unknown) => error);
    expect(failed).toBeInstanceOf(BackendUnavailable);
    expect(String(failed)).not.toContain('secret');
    expect(backend.health().connected).toBe(false);
  });
});

describe('kinds', () => {
  it.each([
    ['rpc://', /one who asked/],
    ['disabled://', /keeps no results/],
    ['cache+memcached://127.0.0.1:11211/', /memcached/],
    ['db+sqlite:///results.db', /db\+sqlite:\/\/ is not read/],
    ['db+mysql+pymysql://u:p@h/d', /db\+mysql:\/\/ is not read/],
    ['s3://', /s3:\/\/ is not read/],
    ['mongodb://h/db', /mongodb:\/\/ is not read/],
    ['django-db', /django-celery-results/],
    ['postgresql://h/db', /write db\+postgresql/],
    ['file:///x', /file:\/\/ is not read/],
  ])('%s is named as not readable', (url, reason) => {
    const backend = openResultBackend(url, { clock: systemClock, parseRedis });
    expect(isUnreadable(backend) && backend.unreadable).toMatch(reason);
  });

  it('hands the URLs of Redis on as the broker has them', () => {
    const seen: string[] = [];
    const spy = (urls: string): RedisAddress[] => {
      seen.push(urls);
      return [{ scheme: 'redis', host: 'h', port: 1, db: 0, displayUrl: 'redis://h' }];
    };
    for (const url of [
      'socket:///run/r.sock?virtual_host=2&x=1',
      'redis://h?virtual_host=3&socket_timeout=5',
      'rediss://h/1?ssl_cert_reqs=none&health_check_interval=3',
    ]) {
      open(url, { parseRedis: spy });
    }
    expect(seen).toEqual([
      'redis+socket:///run/r.sock?virtual_host=2',
      'redis://h/3',
      'rediss://h/1?ssl_cert_reqs=none',
    ]);
    expect(() => open('sentinel://127.0.0.1:26379/0')).toThrow(/master_name/);
  });
});
