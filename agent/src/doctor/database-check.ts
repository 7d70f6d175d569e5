import { type Check, counted, failed, type Finding, listed, ok, reasonOf, skipped, warning } from './check.ts';

/** A connection to the history's database. */
export interface SqlSession {
  query(text: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
  close(): Promise<void>;
}

export interface DatabaseContext {
  /** Password hidden; undefined for the embedded Postgres. */
  readonly displayUrl: string | undefined;
  /** Rejects when it cannot be reached; resolves to undefined for an embedded Postgres that does not run. */
  readonly connect: () => Promise<SqlSession | undefined>;
  /** Names of this release's migrations, in order. */
  readonly migrations: readonly string[];
  /** Days kept, by table that is cut by time. */
  readonly retention: Readonly<Record<'celery_task_events' | 'celery_tasks' | 'celery_task_rollups', number>>;
  readonly nowMs: () => number;
}

const MINIMUM_VERSION = 140_000;
const DAY_MS = 86_400_000;
/** Partitions go once an hour, and only when the whole day is over. */
const RETENTION_SLACK_DAYS = 2;
const GiB = 1024 ** 3;

/** Version, rights, migrations, partitions and retention of the history. `context` undefined: --no-history. */
export function databaseCheck(context: DatabaseContext | undefined): Check {
  return { name: 'database', run: () => (context === undefined ? off() : look(context)) };
}

function off(): Promise<Finding[]> {
  return Promise.resolve([skipped('The history is switched off (--no-history).')]);
}

async function look(context: DatabaseContext): Promise<Finding[]> {
  const { displayUrl, connect } = context;
  const where = displayUrl ?? 'the embedded Postgres';
  let session: SqlSession | undefined;
  try {
    session = await connect();
  } catch (error) {
    return [
      failed(
        `${where} cannot be reached: ${reasonOf(error)}.`,
        'Check --database-url: host, port, user, password and database.',
      ),
    ];
  }
  if (session === undefined)
    return [skipped('The embedded Postgres does not run: it starts and stops with the agent.')];
  try {
    const version = await versionFindings(session, where);
    if (version.verdict === 'failed') return [version];
    return [version, ...(await rightsFindings(session)), ...(await schemaFindings(session, context))];
  } finally {
    await session.close();
  }
}

async function versionFindings(session: SqlSession, where: string): Promise<Finding> {
  const [row] = await session.query(
    `select current_setting('server_version') as version, current_setting('server_version_num')::int as number,
            pg_database_size(current_database())::float8 as bytes`,
  );
  const { version, number, bytes } = { ...row };
  if (typeof number === 'number' && number < MINIMUM_VERSION) {
    return failed(`${where} is Postgres ${String(version)}.`, 'Use Postgres 14 or newer.');
  }
  return ok(`${where} is Postgres ${String(version)} and holds ${(Number(bytes) / GiB).toFixed(2)} GiB.`);
}

async function rightsFindings(session: SqlSession): Promise<Finding[]> {
  const [row] = await session.query(
    `select current_user::text as name, current_schema() as schema, pg_is_in_recovery() as standby,
            coalesce(has_schema_privilege(current_schema(), 'create'), false) as may`,
  );
  const { name, schema, standby, may } = { ...row };
  if (standby === true)
    return [failed('It is a standby: nothing can be written.', 'Give --database-url of the primary server.')];
  if (may === true) return [];
  const advice = `grant create on schema ${typeof schema === 'string' ? schema : 'public'} to ${String(name)}; partitions are made every day.`;
  return [failed(`The user ${String(name)} may not create tables.`, advice)];
}

async function schemaFindings(session: SqlSession, context: DatabaseContext): Promise<Finding[]> {
  const [row] = await session.query(`select to_regclass('umbel_migrations') is not null as there`);
  const missing = 'Start the agent: it brings the schema up to date.';
  if (row?.['there'] !== true) return [warning('The schema is not there yet.', missing)];
  const done = (await session.query('select name from umbel_migrations order by id')).map(({ name }) => String(name));
  const left = context.migrations.filter((name) => !done.includes(name));
  const newer = done.filter((name) => !context.migrations.includes(name));
  const findings: Finding[] = [];
  if (newer.length > 0) {
    findings.push(failed(`The schema is of a newer release (${listed(newer)}).`, 'Use that release of the agent.'));
  } else if (left.length > 0) findings.push(warning(`Migrations are missing: ${listed(left)}.`, missing));
  else findings.push(ok(`The schema is up to date (${counted(done.length, 'migration')}).`));
  if (await isHypertable(session))
    return [...findings, ok('TimescaleDB keeps the history: it makes chunks by itself.')];
  return [...findings, ...partitionFindings(await partitions(session), context)];
}

interface Partition {
  readonly table: string;
  readonly fromMs: number;
  readonly toMs: number;
}

async function partitions(session: SqlSession): Promise<Partition[]> {
  const rows = await session.query(
    `select p.relname::text as "table", pg_get_expr(c.relpartbound, c.oid) as bound
       from pg_inherits join pg_class c on c.oid = inhrelid join pg_class p on p.oid = inhparent
      where p.oid in (to_regclass('celery_task_events'), to_regclass('celery_tasks'), to_regclass('celery_task_rollups'))`,
  );
  return rows.flatMap(({ table, bound }) => {
    const match = /FROM \('([^']+)'\) TO \('([^']+)'\)/.exec(String(bound));
    const [fromMs, toMs] = [instant(match?.[1]), instant(match?.[2])];
    return Number.isFinite(fromMs) && Number.isFinite(toMs) ? [{ table: String(table), fromMs, toMs }] : [];
  });
}

/** TimescaleDB makes chunks as rows come, and has no default one: nothing can be missing. */
async function isHypertable(session: SqlSession): Promise<boolean> {
  const [row] = await session.query(
    `select relkind::text as kind from pg_class where oid = to_regclass('celery_tasks')`,
  );
  return row?.['kind'] === 'r';
}

/** Of a bound as Postgres prints it in UTC: `2026-11-23`, `2026-11-23 00:00:00+00`. */
function instant(text: string | undefined): number {
  const match = /^(\d{4}-\d\d-\d\d)(?: (\d\d:\d\d:\d\d))?/.exec(text ?? '');
  return match === null ? NaN : Date.parse(`${match[1] ?? ''}T${match[2] ?? '00:00:00'}Z`);
}

function partitionFindings(all: readonly Partition[], context: DatabaseContext): Finding[] {
  const nowMs = context.nowMs();
  if (all.length === 0) return [warning('There are no partitions yet.', 'Start the agent: it makes those of today.')];
  const findings: Finding[] = [];
  const uncovered = ['celery_task_events', 'celery_tasks'].filter(
    (table) => !all.some((part) => part.table === table && part.fromMs <= nowMs && nowMs < part.toMs),
  );
  if (uncovered.length > 0) {
    const advice = 'Is the agent running? It makes them every day; its log says what is in the way.';
    findings.push(warning(`No partition of today for ${listed(uncovered)}: rows go to the default partition.`, advice));
  }
  const late = all.filter(({ table, toMs }) => {
    const days = Object.entries(context.retention).find(([name]) => name === table)?.[1] ?? Infinity;
    return nowMs - toMs > (days + RETENTION_SLACK_DAYS) * DAY_MS;
  });
  if (late.length > 0) {
    findings.push(
      warning(
        `${counted(late.length, 'partition')} older than the retention (${context.retention.celery_task_events} days) ${late.length === 1 ? 'is' : 'are'} still there.`,
        'Is the agent running? It drops them once an hour; a long query on the table may be in the way.',
      ),
    );
  }
  const oldest = Math.min(...all.map(({ fromMs }) => fromMs));
  if (findings.length === 0) {
    const since = new Date(oldest).toISOString().slice(0, 10);
    findings.push(
      ok(
        `Retention works: the oldest of ${counted(all.length, 'partition')} begins ${since}, ${context.retention.celery_task_events} days are kept.`,
      ),
    );
  }
  return findings;
}
