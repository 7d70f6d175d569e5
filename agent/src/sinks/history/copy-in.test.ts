import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import { copyIn } from './copy-in.ts';
import { type HistoryKit, openHistoryKit } from './history.testkit.ts';

let kit: HistoryKit;
let client: pg.PoolClient;

beforeAll(async () => {
  kit = await openHistoryKit();
  await kit.rows('create table copied (id integer primary key, word text)');
});

beforeEach(async () => {
  client = await kit.pool.connect();
});

afterEach(async () => {
  await kit.rows('truncate copied');
  client.release();
});

const copy = (rows: string, table = 'copied'): Promise<void> =>
  copyIn(client, `copy ${table} from stdin`, Buffer.from(rows));

const outcomes = async (...sent: readonly Promise<unknown>[]): Promise<unknown[]> =>
  (await Promise.allSettled(sent)).map((one) =>
    one.status === 'fulfilled' ? 'done' : (one.reason as { code?: string }).code,
  );

describe('a COPY whose data are sent at once', () => {
  it('stores what is longer than one message, between the statements before and behind it', async () => {
    const rows = Array.from({ length: 5000 }, (_, id) => `${id}\t${'x'.repeat(100)}\n`).join('');
    const [, , counted] = await Promise.all([
      client.query('begin'),
      copy(rows),
      client.query('select count(*)::int as n, sum(length(word))::int as letters from copied'),
      client.query('commit'),
    ]);

    expect(counted.rows).toEqual([{ n: 5000, letters: 500_000 }]);
    expect(await kit.rows('select count(*)::int as n from copied')).toEqual([{ n: 5000 }]);
  });

  it('may be empty', async () => {
    expect(await outcomes(copy(''))).toEqual(['done']);
  });

  it('refused by Postgres, commits nothing with a commit that was sent behind it', async () => {
    const sent = [
      client.query('begin'),
      copy('1\ta\n'),
      copy('1\tb\n'),
      copy('2\tc\n'),
      client.query('set local synchronous_commit = off; commit'),
    ];

    expect(await outcomes(...sent)).toEqual(['done', 'done', '23505', '25P02', '25P02']);
    expect(await outcomes(client.query('rollback'), copy('3\td\n'))).toEqual(['done', 'done']);
    expect(await kit.rows('select id from copied')).toEqual([{ id: 3 }]);
  });

  it('into a table that is not there, leaves the connection as good as before', async () => {
    expect(await outcomes(copy('1\ta\n', 'nowhere'), client.query('select 1'))).toEqual(['42P01', 'done']);
  });

  it('fails with its connection, and so does what was sent behind it', async () => {
    const broken = await kit.pool.connect();
    broken.on('error', () => undefined);
    const sent = [
      broken.query('select pg_terminate_backend(pg_backend_pid())'),
      copyIn(broken, 'copy copied from stdin', Buffer.from('9\tz\n')),
      broken.query('select 1'),
    ];
    const told = await outcomes(...sent);
    broken.release(true);

    expect(told).not.toContain('done');
    expect(await kit.rows('select id from copied')).toEqual([]);
  });
});
