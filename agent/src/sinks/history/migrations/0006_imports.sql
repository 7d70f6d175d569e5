-- Up Migration

-- How far the rows of a result backend's table were imported: an import that was stopped goes on from there.
create table umbel_imports (
  source text collate "C" primary key, -- the table and where it lies, without password
  last_id bigint not null,
  read bigint not null,
  added bigint not null,
  started_at timestamptz not null,
  finished_at timestamptz
);

-- Where a task is known from when not by events; see 0004.
alter table celery_tasks
  add column if not exists mark text collate "C",
  add column if not exists mark_detail text collate "C",
  add column if not exists marked float8;

-- Down Migration

drop table umbel_imports;
