-- Up Migration

-- Every primary key carries the column to distribute by (task_id, hostname, name) besides time, so that the same
-- tables can become Citus' distributed tables or TimescaleDB's hypertables. Fixed-width columns stand first:
-- no padding between them. Ids and names are `collate "C"`: index entries are compared by memcmp whatever the database's
-- locale is, `like 'x%'` can use the indexes, and their order is Python's. A default partition takes what lies outside
-- the days that have a partition of their own.

-- One row an event, as sent. `occurred_at` is the event's own timestamp to the microsecond (epoch 0 where it is out
-- of Postgres' range, so that every replica computes the same key); `timestamp` is the wire's float, exact.
create table celery_task_events (
  occurred_at timestamptz not null,
  identity bigint not null,
  received_at timestamptz not null,
  timestamp float8 not null,
  clock bigint not null,
  task_id text collate "C" not null,
  type text collate "C" not null,
  worker text collate "C" not null,
  fields json,
  primary key (task_id, occurred_at, identity)
) partition by range (occurred_at);

create table celery_task_events_default partition of celery_task_events default;

create table celery_worker_events (
  occurred_at timestamptz not null,
  identity bigint not null,
  received_at timestamptz not null,
  timestamp float8 not null,
  clock bigint not null,
  hostname text collate "C" not null,
  type text collate "C" not null,
  fields json,
  primary key (hostname, occurred_at, identity)
) partition by range (occurred_at);

create table celery_worker_events_default partition of celery_worker_events default;

-- One row a task: the state that Celery's own rules give. Times are epoch seconds as on the wire.
create table celery_tasks (
  seen_on date not null, -- UTC day of the first event seen: fixed for the row's life, retention drops by it
  retries integer,
  timestamp float8 not null,
  sent float8,
  received float8,
  started float8,
  succeeded float8,
  failed float8,
  retried float8,
  revoked float8,
  rejected float8,
  runtime float8,
  clock bigint,
  pid bigint,
  task_id text collate "C" not null,
  state text collate "C" not null,
  name text collate "C",
  worker text collate "C",
  client text collate "C",
  queue text collate "C",
  exchange text collate "C",
  routing_key text collate "C",
  root_id text collate "C",
  parent_id text collate "C",
  eta text,
  expires text,
  args text,
  kwargs text,
  result text,
  exception text,
  exception_type text collate "C",
  failure_message text, -- normalised: numbers, ids and quoted texts replaced
  fingerprint text collate "C", -- of (exception_type, failure_message)
  traceback text,
  oddities json, -- values that fit no column, or that were cut
  primary key (task_id, seen_on)
) partition by range (seen_on);

create table celery_tasks_default partition of celery_tasks default;

-- CPU seconds of Postgres per million events (4 a task), all else included: 8.9; without the five indexes on times,
-- name, worker and queue 6.4. Each costs 0.3 to 0.9; the partial ones next to nothing while tasks succeed.
create index celery_tasks_timestamp on celery_tasks (timestamp, task_id);
create index celery_tasks_received on celery_tasks (received);
create index celery_tasks_name on celery_tasks (name, timestamp);
create index celery_tasks_worker on celery_tasks (worker, timestamp);
create index celery_tasks_queue on celery_tasks (queue, timestamp) where queue is not null;
create index celery_tasks_state on celery_tasks (state, timestamp) where state <> 'SUCCESS';
create index celery_tasks_root on celery_tasks (root_id) where root_id <> task_id;
create index celery_tasks_parent on celery_tasks (parent_id) where parent_id is not null;
create index celery_tasks_fingerprint on celery_tasks (fingerprint, timestamp) where fingerprint is not null;

create table celery_workers (
  hostname text collate "C" primary key,
  first_seen_at timestamptz not null,
  last_heartbeat_at timestamptz,
  online boolean not null,
  freq float8,
  active integer,
  processed bigint,
  clock bigint,
  pid bigint,
  loadavg float8[],
  sw_ident text,
  sw_ver text,
  sw_sys text
);

-- Counts of events by the minute of their timestamp; added to in the transaction that stores the events.
-- Unknown name, queue or worker: the empty text.
create table celery_task_rollups (
  minute timestamptz not null,
  name text collate "C" not null,
  queue text collate "C" not null,
  worker text collate "C" not null,
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
  runtime_buckets bigint[], -- counts by core/query/runtime-buckets.ts, null while runtime_count is 0
  primary key (minute, name, queue, worker)
) partition by range (minute);

create table celery_task_rollups_default partition of celery_task_rollups default;

-- Every task name seen, so that lists of names need no scan.
create table celery_task_names (
  name text collate "C" primary key,
  first_seen_at timestamptz not null,
  last_seen_at timestamptz not null
);

-- Times in which events could not be heard.
create table umbel_gaps (
  id bigint generated always as identity primary key,
  agent text not null,
  from_at timestamptz not null,
  to_at timestamptz,
  cause text not null,
  healed jsonb
);
create index umbel_gaps_from on umbel_gaps (from_at);

-- One step a write: a writer that finds a step missing knows that another one wrote, and that what it remembers is old.
create sequence umbel_write_ticks;

-- When each agent was last known to listen: a row that stays behind after a crash.
create table umbel_agents (
  agent text primary key,
  started_at timestamptz not null,
  alive_at timestamptz not null
);

-- Down Migration

drop sequence umbel_write_ticks;
drop table umbel_agents, umbel_gaps, celery_task_names, celery_task_rollups, celery_workers, celery_tasks,
  celery_worker_events, celery_task_events;
