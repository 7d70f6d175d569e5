import type { AuditEntry, AuditFilter, StoredAuditEntry } from '../../core/identity/audit.ts';
import type { Principal } from '../../core/identity/principal.ts';

/** Longest texts and arguments that are kept; beyond, the entry says how long they were. */
const MAX_TEXT = 4000;
const MAX_ARGUMENTS = 16_000;

/** An entry and the id that keeps it one row however often it is sent. */
export interface WaitingEntry {
  readonly entryId: string;
  readonly entry: AuditEntry;
}

export interface Statement {
  readonly text: string;
  readonly values: unknown[];
}

interface AuditRow {
  readonly id: string;
  readonly at_ms: number;
  readonly user_name: string;
  readonly role: Principal['role'];
  readonly via: Principal['via'];
  readonly verified: boolean;
  readonly grafana_login: string | null;
  readonly grafana_verified: boolean | null;
  readonly address: string;
  readonly action: string;
  readonly target: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly outcome: AuditEntry['outcome'];
  readonly detail: string | null;
}

export function insertSql({ entryId, entry }: WaitingEntry): Statement {
  const { principal } = entry;
  return {
    text: `insert into umbel_audit (entry_id, at, user_name, role, via, verified, grafana_login, grafana_verified,
             address, action, target, arguments, outcome, detail)
           values ($1, to_timestamp($2::float8 / 1000), $3, $4, $5, $6, $7, $8, $9, $10, $11, $12::jsonb, $13, $14)
           on conflict (entry_id) do nothing`,
    values: [
      entryId,
      entry.atMs,
      storable(principal.name),
      principal.role,
      principal.via,
      principal.verified,
      principal.grafanaUser === undefined ? null : storable(principal.grafanaUser.login),
      principal.grafanaUser?.verified ?? null,
      storable(entry.address),
      storable(entry.action),
      storable(entry.target),
      argumentsText(entry.arguments),
      entry.outcome,
      entry.detail === null ? null : storable(entry.detail),
    ],
  };
}

export function selectSql(filter: AuditFilter, limit: number, beforeId: number | undefined): Statement {
  const values: unknown[] = [];
  const conditions: string[] = [];
  const add = (value: unknown, condition: (parameter: string) => string): void => {
    if (value === undefined) return;
    values.push(value);
    conditions.push(condition(`$${values.length}`));
  };
  add(beforeId, (p) => `id < ${p}`);
  add(filter.fromMs, (p) => `at >= to_timestamp(${p}::float8 / 1000)`);
  add(filter.toMs, (p) => `at < to_timestamp(${p}::float8 / 1000)`);
  // As they were stored.
  add(
    filter.user === undefined ? undefined : storable(filter.user),
    (p) => `(user_name = ${p} or grafana_login = ${p})`,
  );
  add(filter.actions?.map(storable), (p) => `action = any(${p}::text[])`);
  add(filter.outcomes, (p) => `outcome = any(${p}::text[])`);
  add(filter.target?.replaceAll('\0', ' '), (p) => `strpos(target, ${p}) > 0`);
  values.push(limit);
  const where = conditions.length === 0 ? '' : `where ${conditions.join(' and ')}`;
  return {
    text: `select id, round(extract(epoch from at) * 1000)::float8 as at_ms, user_name, role, via, verified,
             grafana_login, grafana_verified, address, action, target, arguments, outcome, detail
           from umbel_audit ${where} order by id desc limit $${values.length}`,
    values,
  };
}

export function toStored(row: AuditRow): StoredAuditEntry {
  const { grafana_login: login, grafana_verified: verified } = row;
  return {
    id: Number(row.id),
    atMs: row.at_ms,
    principal: {
      name: row.user_name,
      role: row.role,
      via: row.via,
      verified: row.verified,
      ...(login === null ? {} : { grafanaUser: { login, verified: verified ?? false } }),
    },
    address: row.address,
    action: row.action,
    target: row.target,
    arguments: row.arguments,
    outcome: row.outcome,
    detail: row.detail,
  };
}

export type { AuditRow };

/** Postgres takes neither a zero byte nor half of a surrogate pair. */
function storable(text: string): string {
  const clean = text.replaceAll('\0', ' ').toWellFormed();
  return clean.length <= MAX_TEXT ? clean : `${clean.slice(0, MAX_TEXT).toWellFormed()}… (${clean.length} characters)`;
}

function argumentsText(given: AuditEntry['arguments']): string {
  const text = JSON.stringify(given, (_key, value: unknown) =>
    typeof value === 'string' ? value.replaceAll('\0', ' ').toWellFormed() : value,
  ).replaceAll('\\u0000', ' ');
  if (text.length <= MAX_ARGUMENTS) return text;
  return JSON.stringify({ cut: text.length, begin: text.slice(0, MAX_ARGUMENTS).toWellFormed() });
}
