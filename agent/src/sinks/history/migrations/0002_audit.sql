-- Up Migration

-- Who did what, and who was refused. Rows are only ever added; retention takes the old ones away.
create table umbel_audit (
  id bigint generated always as identity primary key,
  entry_id uuid not null unique, -- made by the agent: an entry that is sent again after a lost answer stays one row
  at timestamptz not null,
  user_name text not null,
  role text not null,
  via text not null,
  verified boolean not null,
  grafana_login text,
  grafana_verified boolean,
  address text not null,
  action text collate "C" not null,
  target text not null,
  arguments jsonb not null, -- secrets masked
  outcome text not null,
  detail text
);
create index umbel_audit_at on umbel_audit (at);

create function umbel_audit_refuse_update() returns trigger language plpgsql as $$
begin
  raise exception 'rows of umbel_audit are never changed';
end
$$;
create trigger umbel_audit_no_update before update on umbel_audit
  for each statement execute function umbel_audit_refuse_update();
