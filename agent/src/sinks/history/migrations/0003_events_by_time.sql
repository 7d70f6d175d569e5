-- Up Migration

-- The newest events first, of all tasks and workers: read backwards, day by day, until enough are found. Keys come in
-- rising order, so the index grows at its end and costs the writer little beside the primary key.
create index celery_task_events_time on celery_task_events (occurred_at, identity);
create index celery_worker_events_time on celery_worker_events (occurred_at, identity);
