import type pg from 'pg';
import type { Logger } from '../../../lib/logger.ts';
import { nativePartitioning } from './native.ts';
import { type Partitioning, type PartitioningDeps, withPartitionsLock } from './port.ts';
import { type PartitionedTable, TABLES } from './tables.ts';
import { hypertableSql, timescalePartitioning } from './timescale.ts';

type Extension = 'TimescaleDB' | 'Citus';

interface Found {
  readonly extension: Extension | undefined;
  /** Tables that the extension does not have yet. */
  readonly plain: readonly PartitionedTable[];
}

/**
 * Uses the extension that the database has: TimescaleDB's hypertables take the place of the partitioned tables, Citus
 * distributes these. A history that has rows is not moved, which may take hours, but a table that a newer release adds to
 * a moved one is. Safe to run by several agents.
 */
export async function setUpPartitioning(pool: pg.Pool, logger: Logger): Promise<void> {
  const { extension, plain } = await look(pool);
  if (extension === undefined || plain.length === 0) return;
  const done = await withPartitionsLock(pool, async (client) => {
    // Another agent may have done it meanwhile.
    const found = await look(client);
    if (found.plain.length === 0) return 'before';
    if (found.plain.length === TABLES.length && !(await isEmpty(client))) return 'not empty';
    for (const sql of found.plain.flatMap(extension === 'Citus' ? distributedSql : hypertableSql))
      await client.query(sql);
    return 'now';
  });
  if (done === 'now') logger.info(`the history uses ${extension}`);
  if (done === 'not empty') {
    logger.warn(
      `the database has ${extension}, but the history has rows: it stays on Postgres' own partitions; docs/scale.md says how to move it`,
    );
  }
}

/** How the tables are cut that the database has. */
export async function openPartitioning(deps: PartitioningDeps): Promise<Partitioning> {
  const { rowCount } = await deps.pool.query(
    `select from pg_class where oid = to_regclass('celery_tasks') and relkind <> 'p'`,
  );
  return rowCount === 0 ? nativePartitioning(deps) : timescalePartitioning(deps);
}

async function look(client: pg.Pool | pg.ClientBase): Promise<Found> {
  const extensions = await client.query<{ name: string }>(
    `select extname as name from pg_extension where extname in ('timescaledb', 'citus')`,
  );
  const names = extensions.rows.map(({ name }) => name);
  const extension = names.includes('timescaledb') ? 'TimescaleDB' : names.includes('citus') ? 'Citus' : undefined;
  if (extension === undefined) return { extension, plain: [] };
  const { rows } = await client.query<{ table: string }>(
    `select c.relname as "table" from pg_class c where c.oid in (select to_regclass(name) from unnest($1::text[]) name)
       and c.relkind = 'p' ${extension === 'Citus' ? 'and not exists (select from pg_dist_partition where logicalrelid = c.oid)' : ''}`,
    [TABLES.map(({ table }) => table)],
  );
  const plain = new Set(rows.map(({ table }) => table));
  return { extension, plain: TABLES.filter(({ table }) => plain.has(table)) };
}

async function isEmpty(client: pg.ClientBase): Promise<boolean> {
  const any = TABLES.map(({ table }) => `exists (select from ${table})`).join(' or ');
  const { rows } = await client.query<{ any: boolean }>(`select ${any} as any`);
  return rows[0]?.any !== true;
}

/** Rows of one task stay together; the small tables (workers, names, audit, gaps) stay on the coordinator. */
function distributedSql({ table, distributedBy }: PartitionedTable): string[] {
  return [`select create_distributed_table('${table}', '${distributedBy}')`];
}
