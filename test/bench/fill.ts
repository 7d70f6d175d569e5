import pg from 'pg';
import { RUNTIME_BUCKETS } from '../../agent/src/core/query/runtime-buckets.ts';
import { systemClock } from '../../agent/src/lib/clock.ts';
import type { Logger } from '../../agent/src/lib/logger.ts';
import { migrate, openPool } from '../../agent/src/sinks/history/database.ts';
import { dayOf } from '../../agent/src/sinks/history/days.ts';
import { Partitions } from '../../agent/src/sinks/history/partitions.ts';

/** How much history to make up. */
export interface FillOptions {
  /** Tasks, spread evenly over the days; four events each. */
  readonly tasks: number;
  /** Days back from the end, one partition each. */
  readonly days: number;
  /** Epoch ms of a time today; default: now. */
  readonly endMs?: number;
}

const NAMES = 200;
const WORKERS = 50;
/** A power of two. */
const QUEUES = 8;
/** Rows an insert makes: small enough that progress can be told and a sort stays in memory. */
const CHUNK = 100_000;

/**
 * Makes the history's tables and fills them by server-side SQL: 200 names and 50 workers of uneven share, 1 % failures with
 * tracebacks, argument and result texts, workflows of ten tasks, roll-ups that agree with the tasks. The same
 * numbers give the same rows, but for the instants, which count back from the end.
 *
 * @param onProgress told the tasks written so far
 */
export async function fillHistory(
  databaseUrl: string,
  { tasks, days, endMs = systemClock.now() }: FillOptions,
  onProgress?: (written: number) => void,
): Promise<void> {
  await prepare(databaseUrl, days);
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query('set synchronous_commit = off');
    await client.query("set timezone = 'UTC'");
    await client.query(`create temp table fill_clock as select ${endMs / 1000}::float8 as now`);
    for (let from = 0; from < tasks; from += CHUNK) {
      const to = Math.min(from + CHUNK, tasks);
      await client.query(seedSql(from, to, tasks, days));
      await client.query(TASKS_SQL);
      await client.query(EVENTS_SQL);
      await client.query(ROLLUPS_SQL);
      await client.query('drop table fill_seed');
      onProgress?.(to);
    }
    await client.query(HOURLY_SQL);
    await client.query(OTHERS_SQL);
    await client.query('vacuum analyze');
  } finally {
    await client.end();
  }
}

/** The tables and the partitions of these days, by the agent's own code. */
async function prepare(databaseUrl: string, days: number): Promise<void> {
  await migrate(databaseUrl, quiet);
  const pool = openPool({ databaseUrl, logger: quiet, maxConnections: 1 });
  try {
    const today = dayOf(systemClock.now() / 1000);
    const partitions = new Partitions({ pool, clock: systemClock, logger: quiet, retentionDays: days + 1 });
    await partitions.ensure(Array.from({ length: days + 2 }, (_, n) => today - days + n));
  } finally {
    await pool.end();
  }
}

const quiet: Logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

function seedSql(from: number, to: number, tasks: number, days: number): string {
  const spread = (salt: number): string => `(hashint4extended(i, ${salt}) & 1048575) / 1048576.0::float8`;
  return `
    create temp table fill_seed as
    select s.*, 'queue-' || (hashtext(s.name) & ${QUEUES - 1}) as queue, to_timestamp(s.t) as at, to_timestamp(s.t + wait + runtime) as done_at
    from (
      select i,
        overlay(overlay(md5('task' || i)::uuid::text placing '4' from 15) placing '8' from 20) as task_id,
        overlay(overlay(md5('task' || (i - i % 10))::uuid::text placing '4' from 15) placing '8' from 20) as root,
        ${spread(1)} as share, ${spread(2)} as fate, i % 100 < 10 as in_flow,
        'app.module_' || lpad(floor(${NAMES / 10} * power(${spread(3)}, 2))::text, 2, '0')
          || '.task_' || floor(10 * ${spread(4)}) as name,
        'celery@worker-' || lpad(floor(${WORKERS} * power(${spread(5)}, 1.5))::text, 2, '0') || '.example' as worker,
        0.005 + 0.2 * ${spread(7)} as wait,
        exp(ln(0.08) + 1.4 * (${spread(8)} + ${spread(9)} + ${spread(10)} - 1.5) * 2) as runtime,
        c.now - ${days} * 86400.0 + i * (${days} * 86400.0 / ${tasks}) - 10 as t
      from generate_series(${from}, ${to - 1}) i, fill_clock c
    ) s`;
}

const TASKS_SQL = `
  insert into celery_tasks (seen_on, retries, timestamp, sent, received, started, succeeded, failed, runtime, clock,
    pid, task_id, state, name, worker, client, queue, exchange, routing_key, root_id, parent_id, args, kwargs, result,
    exception, exception_type, failure_message, fingerprint, traceback)
  select at::date, 0, t + wait + runtime, t, t + wait / 2, t + wait,
    case when fate >= 0.01 then t + wait + runtime end, case when fate < 0.01 then t + wait + runtime end,
    case when fate >= 0.01 then runtime end, i * 3, 1000 + i % 8, task_id,
    case when fate < 0.01 then 'FAILURE' else 'SUCCESS' end, name, worker, 'gen' || 20 + i % 4 || '@web-1.example',
    queue, '', queue, case when in_flow then root else task_id end,
    case when in_flow and root <> task_id then root end,
    format('(%s, ''customer-%s@example.org'', [1, 2, 3])', i, floor(share * 50000)),
    format('{''order_id'': ''%s'', ''run'': ''r%s'', ''dry'': False, ''amount'': %s}', md5('order' || i)::uuid, i % 1000,
      round(share::numeric * 1000, 2)),
    case when fate >= 0.01 then format('{''ok'': True, ''rows'': %s}', i % 977) end,
    case when fate < 0.01 then format('ValueError(''bad value %s in row %s'')', i % 13, i) end,
    case when fate < 0.01 then case i % 3 when 0 then 'ValueError' when 1 then 'KeyError' else 'TimeoutError' end end,
    case when fate < 0.01 then format('bad value in %s', i % 40) end,
    case when fate < 0.01 then md5(format('%s %s', i % 3, i % 40)) end,
    case when fate < 0.01 then 'Traceback (most recent call last):' || repeat(
      format(E'\\n  File "/srv/app/module.py", line %s, in run\\n    return self.call(order)', i % 500), 8)
      || E'\\nValueError: bad value' end
  from fill_seed`;

const EVENTS_SQL = `
  insert into celery_task_events (occurred_at, identity, received_at, timestamp, clock, task_id, type, worker, fields)
  select to_timestamp(e.ts), hashint8extended(i * 4 + n, 7) & 9007199254740991, to_timestamp(e.ts + 0.004), e.ts,
    i * 3 + n, task_id, e.type, case n when 0 then 'gen20@web-1.example' else worker end, e.fields
  from fill_seed, lateral (values
    (0, 'task-sent', t, json_build_object('uuid', task_id, 'name', name, 'queue', queue, 'retries', 0,
      'args', format('(%s, ''customer'')', i), 'kwargs', '{}', 'root_id', root, 'utcoffset', 0, 'pid', 20)),
    (1, 'task-received', t + wait / 2, json_build_object('uuid', task_id, 'name', name, 'retries', 0, 'eta', null,
      'args', format('(%s, ''customer'')', i), 'kwargs', '{}', 'root_id', root, 'utcoffset', 0, 'pid', 1000 + i % 8)),
    (2, 'task-started', t + wait, json_build_object('uuid', task_id, 'utcoffset', 0, 'pid', 1000 + i % 8)),
    (3, case when fate < 0.01 then 'task-failed' else 'task-succeeded' end, t + wait + runtime,
      case when fate < 0.01 then json_build_object('uuid', task_id, 'exception', 'ValueError(''bad value'')')
      else json_build_object('uuid', task_id, 'runtime', runtime, 'result', '{''ok'': True}') end)
  ) as e(n, type, ts, fields)
  where to_timestamp(e.ts)::date <= (now() at time zone 'UTC')::date`;

/** The histogram's bounds are those of core/query/runtime-buckets.ts: 1 ms growing by the square root of 2. */
const ROLLUPS_SQL = `
  insert into celery_task_rollups as r (minute, name, queue, worker, sent, received, started, succeeded, failed,
    runtime_count, runtime_sum, runtime_buckets)
  select minute, name, queue, worker, sum(n), sum(n), sum(n), sum(good), sum(n - good), sum(good),
    sum(case when good > 0 then runtime else 0 end),
    case when sum(good) > 0 then (select array_agg((select count(*) from unnest(array_agg(bucket)) b where b = k)
      order by k) from generate_series(0, max(bucket)) k) end
  from (
    select date_trunc('minute', done_at) as minute, name, queue, worker, 1 as n, (fate >= 0.01)::int as good, runtime,
      case when fate >= 0.01 then least(56, greatest(0, ceil(ln(runtime / 0.001) / ln(2) * 2)::int)) end as bucket
    from fill_seed where done_at < date_trunc('day', now()) + interval '1 day'
  ) s
  group by minute, name, queue, worker
  on conflict (minute, name, queue, worker) do update set sent = r.sent + excluded.sent,
    received = r.received + excluded.received, started = r.started + excluded.started,
    succeeded = r.succeeded + excluded.succeeded, failed = r.failed + excluded.failed,
    runtime_count = r.runtime_count + excluded.runtime_count, runtime_sum = r.runtime_sum + excluded.runtime_sum,
    runtime_buckets = coalesce(excluded.runtime_buckets, r.runtime_buckets)`;

const HOURLY_SQL = `
  insert into celery_task_rollups_hourly (hour, name, queue, sent, received, started, succeeded, failed, runtime_count,
    runtime_sum, runtime_buckets)
  select date_trunc('hour', minute), name, queue, sum(sent), sum(received), sum(started), sum(succeeded), sum(failed),
    sum(runtime_count), sum(runtime_sum), case when count(runtime_buckets) > 0 then
      array[${RUNTIME_BUCKETS.map((_, index) => `coalesce(sum(runtime_buckets[${index + 1}]), 0)`).join(', ')}]::bigint[] end
  from celery_task_rollups group by 1, 2, 3`;

const OTHERS_SQL = `
  insert into celery_task_names (name, first_seen_at, last_seen_at)
    select name, min(to_timestamp(timestamp)), max(to_timestamp(timestamp)) from celery_tasks where name is not null
    group by name on conflict do nothing;
  insert into celery_workers (hostname, first_seen_at, last_heartbeat_at, online, freq, active, processed, clock, pid,
      loadavg, sw_ident, sw_ver, sw_sys)
    select worker, min(to_timestamp(timestamp)), now(), true, 2, 1, count(*), max(clock), 1000, '{0.5,0.4,0.3}',
      'py-celery', '5.7.0', 'Linux' from celery_tasks where worker is not null group by worker on conflict do nothing;
  insert into celery_worker_events (occurred_at, identity, received_at, timestamp, clock, hostname, type, fields)
    select at, hashint8extended(n * 1000 + k, 3) & 9007199254740991, at, extract(epoch from at), n,
      'celery@worker-' || lpad(k::text, 2, '0') || '.example', 'worker-heartbeat', '{"active":1,"freq":2.0}'
    from generate_series(0, 719) n, generate_series(0, ${WORKERS - 1}) k,
      lateral (select now() - n * interval '2 minutes' as at) a
    on conflict do nothing`;
