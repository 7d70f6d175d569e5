import { beforeAll, describe, expect, it } from '@jest/globals';
import { hostname } from 'node:os';
import { freshDatabase, queryRows } from '../../../test/support/database.ts';
import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/config.ts';
import { systemClock } from '../lib/clock.ts';
import { storedByWorker, type StoredIds } from '../results/celery.testkit.ts';
import { batch, event, quietLogger } from '../sinks/history/history.testkit.ts';
import { migrate, openPool } from '../sinks/history/database.ts';
import { openHistoryWriter } from '../sinks/history/writer.ts';
import { runImportCommand } from './import.ts';

const backendOf = (url: string): string => url.replace(/^postgres(ql)?:/, 'db+postgresql+psycopg2:');

function config(databaseUrl: string, backend: string, ...more: string[]): Config {
  const argv = ['--database-url', databaseUrl, '--result-backend', backend, ...more];
  return loadConfig(argv, {}, { hostname: hostname(), readFile: () => '' }).config;
}

async function run(settings: Config, options: { batch?: number; line?: (text: string) => void } = {}) {
  const lines: string[] = [];
  const line = (text: string): void => {
    options.line?.(text);
    lines.push(text);
  };
  const code = await runImportCommand(settings, { clock: systemClock, logger: quietLogger, ...options, line });
  return { code, lines };
}

describe('the import of what a real worker stored in celery_taskmeta', () => {
  let source: string;
  let ids: StoredIds;
  beforeAll(async () => {
    source = (await freshDatabase()).url;
    ids = await storedByWorker({ backend: backendOf(source), serializer: 'json' });
    await queryRows(
      source,
      `insert into celery_taskmeta (id, task_id, status, date_done) values
        (100, 'running', 'STARTED', now()), (101, 'ancient', 'SUCCESS', now() - interval '40 days'), (102, 'open', 'PENDING', null)`,
    );
  });

  it('makes ended tasks rows of the history, marked, with names and counts, once', async () => {
    const { url } = await freshDatabase();
    const settings = config(url, backendOf(source));
    const { code, lines } = await run(settings);
    expect({ code, last: lines.at(-1) }).toEqual({
      code: 0,
      last: expect.stringMatching(/^done: 3 tasks of db\+postgresql:.* added; 2 rows of .* 1 older than/),
    });
    const rows = await queryRows(
      url,
      `select task_id, state, name, args, kwargs, result, exception, exception_type, mark, succeeded is not null as succeeded,
         traceback like 'Traceback%' as traced, abs(timestamp - extract(epoch from now())) < 600 as timely
       from celery_tasks order by name`,
    );
    expect(rows).toMatchObject([
      {
        ...{ task_id: ids.add, state: 'SUCCESS', name: 'kept.add', mark: 'imported', succeeded: true, timely: true },
        ...{ args: '(9007199254740992, 1000000000000000)', kwargs: "{'big': 1099511627776}", exception: null },
        result: "{'sum': 10007199254740992, 'text': 'ünï'}",
      },
      {
        ...{ task_id: ids.fail, state: 'FAILURE', name: 'kept.fail', exception: "ValueError('boom', 7)", traced: true },
        ...{ exception_type: 'ValueError', result: null, succeeded: false },
      },
      { task_id: ids.odd, state: 'SUCCESS', result: 'None' },
    ]);
    const counts = await queryRows(
      url,
      'select name, sum(succeeded)::int as good, sum(failed)::int as bad from celery_task_rollups group by name order by name',
    );
    expect(counts).toEqual([
      { name: 'kept.add', good: 1, bad: 0 },
      { name: 'kept.fail', good: 0, bad: 1 },
      { name: 'kept.odd', good: 1, bad: 0 },
    ]);

    expect((await run(settings)).lines.at(-1)).toMatch(/^done: 0 tasks/);
    expect(await queryRows(url, 'select sum(succeeded + failed)::int as n from celery_task_rollups')).toEqual([
      { n: 3 },
    ]);
  });

  it('leaves what events told as it is, and events go on with what was imported', async () => {
    const { url } = await freshDatabase();
    await migrate(url, quietLogger);
    const pool = openPool({ databaseUrl: url, logger: quietLogger });
    const writer = openHistoryWriter({ pool, clock: systemClock, logger: quietLogger });
    const at = Date.now() / 1000;
    await writer.write(batch(event('task-received', ids.add, at, { name: 'heard.of', args: '(1, 2)' })));
    expect((await run(config(url, backendOf(source)))).lines.at(-1)).toMatch(/^done: 2 tasks/);
    expect(await queryRows(url, 'select name, mark from celery_tasks where task_id = $1', [ids.add])).toEqual([
      { name: 'heard.of', mark: null },
    ]);
    await writer.write(batch(event('task-custom', ids.fail, at + 1)));
    expect(
      await queryRows(url, 'select state, name, exception from celery_tasks where task_id = $1', [ids.fail]),
    ).toEqual([{ state: 'FAILURE', name: 'kept.fail', exception: "ValueError('boom', 7)" }]);
    await writer.close();
    await pool.end();
  });

  it('goes on where it was stopped', async () => {
    const { url } = await freshDatabase();
    const settings = config(url, backendOf(source));
    let lines = 0;
    const stopped = await run(settings, {
      batch: 1,
      line: (text) => {
        if (text.startsWith('import:')) return;
        if ((lines += 1) === 2) throw new Error('stopped');
      },
    });
    expect(stopped.code).toBe(1);
    const { code, lines: told } = await run(settings, { batch: 2 });
    expect({ code, first: told[0] }).toEqual({
      code: 0,
      first: 'going on after 2 rows, which an earlier run has read',
    });
    expect(await queryRows(url, 'select count(*)::int as n from celery_tasks')).toEqual([{ n: 3 }]);
    expect(await queryRows(url, 'select read::int, added::int from umbel_imports')).toEqual([{ read: 6, added: 3 }]);
  });

  it('says what is missing, and what to give', async () => {
    const { url } = await freshDatabase();
    const nothing = await run(config(url, backendOf(url)));
    expect(nothing).toEqual({
      code: 1,
      lines: [
        'import: there is no table celery_taskmeta and no django_celery_results_taskresult: give --result-backend-table and --result-backend-schema',
      ],
    });
    for (const other of ['redis://127.0.0.1/0', 'db+mysql://127.0.0.1/x']) {
      expect((await run(config(url, other))).lines).toEqual([
        `import: --result-backend: ${other.split('127')[0] ?? ''} cannot be imported, only the table of a backend in Postgres can: give db+postgresql://…`,
      ]);
    }
  });
});

describe('the import of the other tables', () => {
  it('reads pickled values and a table in a schema of its own', async () => {
    const [{ url }, { url: source }] = await Promise.all([freshDatabase(), freshDatabase()]);
    const ids = await storedByWorker({ backend: backendOf(source), serializer: 'pickle' });
    await queryRows(source, 'create schema kept');
    await queryRows(source, 'alter table celery_taskmeta set schema kept');
    await queryRows(source, 'alter table kept.celery_taskmeta rename to results');
    const names = ['--result-backend-schema', 'kept', '--result-backend-table', 'results'];
    expect((await run(config(url, backendOf(source), ...names))).lines.at(-1)).toMatch(/^done: 3 tasks/);
    expect(await queryRows(url, 'select task_id, result, exception from celery_tasks order by name')).toMatchObject([
      { task_id: ids.add, result: "{'sum': 10007199254740992, 'text': 'ünï'}" },
      { task_id: ids.fail, exception: "ValueError('boom', 7)" },
      { task_id: ids.odd, result: '{1, 2}' },
    ]);
  });

  // The table as the migrations of django-celery-results 2.6 make it, filled by hand: Django is no part of the tests.
  it('reads the table of django-celery-results, with runtimes and masked secrets', async () => {
    const [{ url }, { url: source }] = await Promise.all([freshDatabase(), freshDatabase()]);
    await queryRows(
      source,
      `create table django_celery_results_taskresult (id serial primary key, task_id varchar(255) not null unique,
        periodic_task_name varchar(255), task_name varchar(255), task_args text, task_kwargs text, status varchar(50) not null,
        worker varchar(100), content_type varchar(128) not null, content_encoding varchar(64) not null, result text,
        date_created timestamptz not null, date_started timestamptz, date_done timestamptz not null, traceback text, meta text)`,
    );
    await queryRows(
      source,
      `insert into django_celery_results_taskresult (task_id, task_name, task_args, task_kwargs, status, worker, content_type,
        content_encoding, result, date_created, date_started, date_done) values
        ('d', 'shop.pay', '"(5, ''x'')"', '"{''password'': ''s3cret'', ''n'': 1}"', 'SUCCESS', 'celery@web', 'application/json', 'utf-8',
         '{"paid": true}', now(), now() - interval '2 seconds', now())`,
    );
    expect((await run(config(url, backendOf(source)))).lines.at(-1)).toMatch(/^done: 1 tasks/);
    const [row] = await queryRows<Record<string, unknown>>(url, 'select * from celery_tasks');
    expect(row).toMatchObject({ name: 'shop.pay', args: "(5, 'x')", result: "{'paid': True}", worker: 'celery@web' });
    expect(row?.['runtime']).toBeCloseTo(2, 2);
    expect(row?.['kwargs']).not.toContain('s3cret');
  });
});
