import { beforeAll, describe, expect, it } from '@jest/globals';
import { keyId } from './safe-values.ts';
import { batch, event, type HistoryKit, life, NOON, openHistoryKit } from './history.testkit.ts';

let kit: HistoryKit;
beforeAll(async () => {
  kit = await openHistoryKit();
});

async function stored(uuid: string, fields: Record<string, unknown>, type = 'task-received') {
  const report = await kit
    .open()
    .write(batch(...life(`${uuid}-before`, 1), event(type, uuid, 5, fields), ...life(`${uuid}-after`, 2)));
  expect(report).toMatchObject({ events: 9, inserted: 9, poisoned: 0, tasks: 3 });
  const [task] = await kit.rows(`select *, seen_on::text from celery_tasks where task_id = $1`, [keyId(uuid)]);
  const [kept] = await kit.rows<{ fields: Record<string, unknown> }>(
    `select fields from celery_task_events where task_id = $1`,
    [keyId(uuid)],
  );
  return { task, fields: kept?.fields };
}

describe('values that columns cannot hold', () => {
  it('keeps values of other types as they were sent', async () => {
    const odd = {
      name: 5,
      args: ['a', { b: 1 }],
      retries: 'two',
      eta: { at: 1 },
      root_id: 17,
      pid: 2 ** 60,
      runtime: 'x',
    };
    const { task, fields } = await stored('types', odd, 'task-succeeded');
    expect(task).toMatchObject({
      name: null,
      args: null,
      retries: null,
      eta: null,
      root_id: null,
      pid: null,
      runtime: null,
    });
    expect(task?.['oddities']).toEqual(odd);
    expect(fields).toEqual(odd);
  });

  it('keeps NaN, infinities and huge numbers', async () => {
    const { task } = await stored('nan', { runtime: NaN, retries: 1e300, pid: -Infinity }, 'task-succeeded');
    expect(task).toMatchObject({
      runtime: null,
      retries: null,
      oddities: { runtime: 'NaN', retries: 1e300, pid: '-Infinity' },
    });
    const clock = await stored('clock', { clock: 1e300 });
    expect(clock.task?.['clock']).toBe(String(Number.MAX_SAFE_INTEGER));
  });

  it('makes NUL characters and lone surrogates storable, in columns and in JSON', async () => {
    const args = "('a\0b', '\ud800x', '\udc00', '\\u0000', 'ü€😀')";
    const clean = "('a\ufffdb', '\ufffdx', '\ufffd', '\\u0000', 'ü€😀')";
    await stored('nul\0id', { name: 'n\0', args, deep: { 'k\0': ['\0', '\ud800'] } });
    const id = keyId('nul\0id');
    expect(id).toMatch(/^nul\ufffdid~[0-9a-f]+$/);
    const [row] = await kit.rows(`select name, args from celery_tasks where task_id = $1`, [id]);
    expect(row).toEqual({ name: 'n\ufffd', args: clean });
    // `->>` fails on anything in JSON that is no storable text.
    const [json] = await kit.rows(`select fields ->> 'args' as args, fields -> 'deep' -> $2 ->> 1 as deep, fields ->> 'uuid' as uuid
      from celery_task_events where task_id = $1`, [id, 'k\ufffd']); // prettier-ignore
    expect(json).toEqual({ args: clean, deep: '\ufffd', uuid: 'nul\ufffdid' });
  });

  it.each<[string, Record<string, string>, Record<string, string>]>([
    ['task names', { name: 'a\ud800' }, { name: 'a\udc80' }],
    ['task names, one with a NUL', { name: 'b\0' }, { name: 'b\udc80' }],
    ['node names', { hostname: 'w\udce4@h' }, { hostname: 'w\udcf6@h' }],
    ['queues', { queue: 'q\udce4' }, { queue: 'q\udcf6' }],
  ])('stores two %s that Postgres cannot tell apart in one write', async (what, one, other) => {
    const events = [one, other].flatMap((fields, index) => [
      event('worker-online', fields['hostname'] ?? 'celery@one', 4),
      event('task-sent', `${what}-${index}`, 5, fields),
      event('task-received', `${what}-${index}`, 6, fields),
    ]);
    const report = await kit.open().write(batch(...events, ...life(`${what}-after`, 7)));
    expect(report).toMatchObject({ inserted: 10, poisoned: 0, tasks: 3 });
  });

  it('keeps ids apart that Postgres cannot tell apart', async () => {
    const report = await kit.open().write(batch(...life('x\udce4', 1), ...life('x\udcf6', 1)));
    expect(report).toMatchObject({ inserted: 8, poisoned: 0, tasks: 2 });
  });

  it('finds the event that cannot be encoded, and stores the others whole', async () => {
    const broken = event('task-received', 'broken', 5);
    Object.defineProperty(broken.fields, 'args', {
      enumerable: true,
      get: () => {
        throw new TypeError('no such value');
      },
    });
    const writer = kit.open();
    const writes = [batch(...life('whole', 1), broken, ...life('next', 2)), batch(...life('last', 3))];
    const [first, second] = await Promise.all(writes.map((some) => writer.write(some)));
    expect(first).toMatchObject({ inserted: 9, poisoned: 1 });
    expect(second).toMatchObject({ inserted: 4, poisoned: 0 });
    const [kept] = await kit.rows(`select fields ->> 'umbel:refused' as refused from celery_task_events
      where task_id = 'broken'`);
    expect(kept).toEqual({ refused: 'error: no such value' });
  });

  it('keeps cyclic and bigint values from breaking anything', async () => {
    const cycle: unknown[] = [];
    cycle.push(cycle);
    const { fields } = await stored('cycle', { cycle, big: 12345678901234567890n });
    expect(fields).toMatchObject({ cycle: { 'umbel:unwritable': true }, big: '12345678901234567890' });
  });
});

describe('texts that are too long', () => {
  it('cuts values with a mark, and still after a restart', async () => {
    const args = `('${'x'.repeat(200_000)}',)`;
    const { task, fields } = await stored('long', { name: 'app.long', args, kwargs: '{}' });
    expect((task?.['args'] as string).length).toBe(65_536);
    expect(task?.['oddities']).toEqual({ args: { cut: args.length } });
    expect(fields?.['args']).toBe(args);
    await kit.open().write(batch(event('task-started', 'long', 6)));
    const [again] = await kit.rows(`select state, oddities from celery_tasks where task_id = 'long'`);
    expect(again).toEqual({ state: 'STARTED', oddities: { args: { cut: args.length } } });
    await kit.open().write(batch(event('task-received', 'long', 7, { args: '()' })));
    expect(await kit.rows(`select args, oddities from celery_tasks where task_id = 'long'`)).toEqual([
      { args: '()', oddities: null },
    ]);
  });

  it('keeps the end of a traceback and the failure that its whole text told', async () => {
    const traceback = `Traceback (most recent call last):\n${'  File "x"\n'.repeat(60_000)}app.Deep: at 17\n`;
    const { task } = await stored('deep', { exception: 'ExceptionWithTraceback()', traceback }, 'task-failed');
    expect(task).toMatchObject({
      exception_type: 'Deep',
      failure_message: 'at <n>',
      oddities: { traceback: { cut: traceback.length } },
    });
    expect((task?.['traceback'] as string).endsWith('app.Deep: at 17\n')).toBe(true);
    await kit.open().write(batch(event('task-custom', 'deep', 8)));
    expect(await kit.rows(`select exception_type, fingerprint from celery_tasks where task_id = 'deep'`)).toEqual([
      { exception_type: 'Deep', fingerprint: task?.['fingerprint'] },
    ]);
  });

  it('bounds the fields of an event of 20 MB', async () => {
    const args = 'a'.repeat(20 * 1024 * 1024);
    const { fields } = await stored('huge', { name: 'app.huge', args, list: Array(300_000).fill(1), small: 'kept' });
    expect(fields).toMatchObject({
      name: 'app.huge',
      small: 'kept',
      'umbel:cut': { args: args.length + 2, list: 600_001 },
    });
    const [size] = await kit.rows(`select length(fields::text) as n from celery_task_events where task_id = 'huge'`);
    expect(size?.['n']).toBeLessThanOrEqual(1_048_576);
  });

  it('keeps long ids apart and long names out of the way of the indexes', async () => {
    const long = '€'.repeat(2000);
    const names = { name: long, hostname: long, queue: long, root_id: long, parent_id: long };
    const events = ['1', '2'].map((end) => event('task-sent', long + end, 3, names));
    expect(await kit.open().write(batch(...events))).toMatchObject({ inserted: 2, tasks: 2, poisoned: 0 });
    const rows = await kit.rows(`select name, oddities from celery_tasks where task_id like '€%'`);
    expect(rows).toHaveLength(2);
    expect(rows[0]).toMatchObject({ name: '€'.repeat(255), oddities: { name: { cut: 2000 }, queue: { cut: 2000 } } });
    const [kept] = await kit.rows(
      `select fields ->> 'hostname' as hostname from celery_task_events where task_id like '€%'`,
    );
    expect(kept).toEqual({ hostname: long });
  });
});

it('what was stored in part only is counted once, and what could not be stored not at all', async () => {
  const writer = kit.open();
  const long = 'x'.repeat(70_000);
  await writer.write(batch(event('task-received', 'counted', 5, { args: long, kwargs: long })));
  await writer.write(batch(event('task-started', 'counted', 6)));
  expect(writer.stats().cut).toEqual({ texts: 2, fields: 0 });
  const huge = 'x'.repeat(1_100_000);
  const failed = event('task-failed', 'counted', 7, { exception: huge, traceback: huge });
  await kit.rows('alter table celery_tasks rename to away');
  try {
    await expect(writer.write(batch(failed))).rejects.toThrow('"celery_tasks" does not exist');
  } finally {
    await kit.rows('alter table away rename to celery_tasks');
  }
  expect(writer.stats().cut).toEqual({ texts: 2, fields: 0 });
  await writer.write(batch(failed));
  expect(writer.stats().cut).toEqual({ texts: 4, fields: 1 });
});

describe('instants that are none', () => {
  it.each([0, -1e18, 1e12, 1.7e12, 4.2e9])('stores timestamp %d in the default partition', async (timestamp) => {
    const id = `at-${timestamp}`;
    const report = await kit.open().write(batch({ ...event('task-received', id, 5, { name: 'app.late' }), timestamp }));
    expect(report).toMatchObject({ inserted: 1, poisoned: 0 });
    expect(
      await kit.rows(`select tableoid::regclass::text as at, extract(epoch from occurred_at)::int as occurred, timestamp
        from celery_task_events where task_id = $1`, [id]),
    ).toEqual([{ at: 'celery_task_events_default', occurred: 0, timestamp }]); // prettier-ignore
    expect(await kit.rows(`select seen_on::text, timestamp from celery_tasks where task_id = $1`, [id])).toEqual([
      { seen_on: '1970-01-01', timestamp },
    ]);
  });

  it('keeps microseconds', async () => {
    const timestamp = NOON + 0.123457;
    await kit.open().write(batch({ ...event('task-started', 'micro', 5), timestamp }));
    expect(
      await kit.rows(
        `select extract(epoch from occurred_at)::text as at from celery_task_events where task_id = 'micro'`,
      ),
    ).toEqual([{ at: timestamp.toFixed(6) }]);
  });
});

describe('workers', () => {
  it('keeps the last values, never an older one, and the numbers that a requested heartbeat lacks', async () => {
    const writer = kit.open();
    const beat = (at: number, fields: Record<string, unknown>, type = 'worker-heartbeat') =>
      event(type, 'celery@w', at, fields);
    const loadavg = [1.5, 1, 0.5];
    await writer.write(
      batch(
        beat(1, { freq: 2, active: 1, processed: 10, loadavg, sw_ident: 'py-celery', sw_ver: '5.7', sw_sys: 'Linux' }),
      ),
    );
    await writer.write(batch(beat(3, { freq: 5 }), beat(2, { freq: 2, active: 9, processed: 9 })));
    await kit.open().write(batch(beat(2.5, { freq: 2, active: 8, processed: 8 }, 'worker-offline')));
    const select = `select online, freq, active, processed::int, loadavg, sw_ver, extract(epoch from last_heartbeat_at)::float8 as at
      from celery_workers where hostname = 'celery@w'`;
    expect(await kit.rows(select)).toEqual([
      { online: true, freq: 5, active: 1, processed: 10, loadavg, sw_ver: '5.7', at: NOON + 3.005 },
    ]);
    await writer.write(
      batch(beat(4, { active: 'many', processed: 1e30, loadavg: 'high', pid: 'x' }, 'worker-offline')),
    );
    expect(await kit.rows(select)).toMatchObject([{ online: false, active: 1, processed: 10, loadavg }]);
    expect(await kit.rows(`select count(*)::int as n from celery_worker_events where hostname = 'celery@w'`)).toEqual([
      { n: 5 },
    ]);
    expect(await writer.write(batch(beat(4.5, {}), beat(4.6, {})))).toMatchObject({ inserted: 2 });
    // What the agent itself tells is an event of the worker, but no sign of life, and nothing against a later one.
    expect(await writer.write(batch(beat(3.5, {}, 'worker-lost')))).toMatchObject({ inserted: 1 });
    expect(await kit.rows(select)).toMatchObject([{ online: true, at: NOON + 4.605 }]);
    expect(await writer.write(batch(beat(20, {}, 'worker-lost')))).toMatchObject({ inserted: 1 });
    expect(await kit.rows(select)).toMatchObject([{ online: false, at: NOON + 4.605 }]);
  });
});
