-- Up Migration

-- The roll-ups once more, by the hour and without the worker: what series over days read. Added to in the same transaction
-- as those by the minute, so that both always tell the same.
create table celery_task_rollups_hourly (
  hour timestamptz not null,
  name text collate "C" not null,
  queue text collate "C" not null,
  sent bigint not null default 0,
  received bigint not null default 0,
  started bigint not null default 0,
  succeeded bigint not null default 0,
  failed bigint not null default 0,
  retried bigint not null default 0,
  revoked bigint not null default 0,
  rejected bigint not null default 0,
  other bigint not null default 0,
  runtime_count bigint not null default 0,
  runtime_sum float8 not null default 0, -- seconds
  runtime_buckets bigint[], -- as in celery_task_rollups
  primary key (hour, name, queue)
) partition by range (hour);

create table celery_task_rollups_hourly_default partition of celery_task_rollups_hourly default;

-- What was counted so far. Hours of UTC, whatever the session's time zone is.
do $$
begin
  execute (
    select format(
      'insert into celery_task_rollups_hourly (hour, name, queue, sent, received, started, succeeded, failed, retried,
         revoked, rejected, other, runtime_count, runtime_sum, runtime_buckets)
       select to_timestamp(floor(extract(epoch from minute) / 3600) * 3600), name, queue, sum(sent), sum(received),
         sum(started), sum(succeeded), sum(failed), sum(retried), sum(revoked), sum(rejected), sum(other),
         sum(runtime_count), sum(runtime_sum), case when count(runtime_buckets) > 0 then array[%s]::bigint[] end
       from celery_task_rollups group by 1, 2, 3',
      string_agg(format('coalesce(sum(runtime_buckets[%s]), 0)', bucket), ', ' order by bucket))
    from generate_series(1, 57) bucket);
end $$;

-- Down Migration

drop table celery_task_rollups_hourly;
