-- Up Migration

-- What was found out about a task without an event of it; see docs/decisions/0010-healing.md. Null almost always.
alter table celery_tasks
  add column mark text collate "C", -- healed, orphaned, replaced
  add column mark_detail text collate "C", -- where its state was read; why nobody works on it; the task in its place
  add column marked float8; -- when, epoch seconds
create index celery_tasks_mark on celery_tasks (mark, timestamp) where mark is not null;

-- A gap in which another agent listened all the time: nothing was missed.
alter table umbel_gaps add column covered_by text;
create index umbel_gaps_unhealed on umbel_gaps (to_at) where healed is null and covered_by is null;

-- When the agent was last stopped in good order; and what it listens to: only one of the same slice covers its gaps.
alter table umbel_agents
  add column stopped_at timestamptz,
  add column slice text not null default '1/1';
