import type pg from 'pg';
import type { Logger } from '../../../lib/logger.ts';
import { nativePartitioning } from './native.ts';
import { type Partitioning, type PartitioningDeps, withPartitionsLock } from './port.ts';
import { TABLES } from './tables.ts';
import { hypertableSql, timescalePartitioning } from './timescale.ts';

interface Found {
  readonly timescale: boolean;
  readonly citus: boolean;
  /** The tables are Postgres' own partitioned tables. */
  readonly isNative: boolean;
}

/**
 * Uses the extension that the database has, as long as the history is empty: TimescaleDB's hypertables take the place of
 * the partitioned tables, Citus distributes these. A history that has rows stays as it is. Safe to run by several agents.
 */
export async function setUpPartitioning(pool: pg.Pool, logger: Logger): Promise<void> {
  const { timescale, citus, isNative } = await look(pool);
  if (!isNative || !(timescale || citus)) return;
  const extension = timescale ? 'TimescaleDB' : 'Citus';
  const done = await withPartitionsLock(pool, async (client) => {
    // Another agent may have done it meanwhile.
    if (!(await look(client)).isNative || (citus && (await isDistributed(client)))) return 'before';
    if (!(await isEmpty(client))) return 'not empty';
    if (timescale) for (const sql of TABLES.flatMap(hypertableSql)) await client.query(sql);
    else await distribute(client);
    return 'now';
  });
  if (done === 'now') logger.info(`the history uses ${extension}`);
  if (done === 'not empty') {
    logger.info(`the database has ${extension}, but the history has rows: it stays on Postgres' own partitions`);
  }
}

/** How the tables are cut that the database has. */
export async function openPartitioning(deps: PartitioningDeps): Promise<Partitioning> {
  const { isNative } = await look(deps.pool);
  return isNative ? nativePartitioning(deps) : timescalePartitioning(deps);
}

async function look(client: pg.Pool | pg.ClientBase): Promise<Found> {
  const { rows } = await client.query<Found>(
    `select exists (select from pg_extension where extname = 'timescaledb') as timescale,
       exists (select from pg_extension where extname = 'citus') as citus,
       coalesce((select relkind = 'p' from pg_class where oid = to_regclass('celery_tasks')), true) as "isNative"`,
  );
  return rows[0] ?? { timescale: false, citus: false, isNative: true };
}

async function isDistributed(client: pg.ClientBase): Promise<boolean> {
  const { rowCount } = await client.query(
    `select from pg_dist_partition where logicalrelid = to_regclass('celery_tasks')`,
  );
  return rowCount !== 0;
}

async function isEmpty(client: pg.ClientBase): Promise<boolean> {
  const any = TABLES.map(({ table }) => `exists (select from ${table})`).join(' or ');
  const { rows } = await client.query<{ any: boolean }>(`select ${any} as any`);
  return rows[0]?.any !== true;
}

/** Rows of one task stay together; the small tables (workers, names, audit, gaps) stay on the coordinator. */
async function distribute(client: pg.ClientBase): Promise<void> {
  for (const { table, distributedBy } of TABLES) {
    await client.query(`select create_distributed_table('${table}', '${distributedBy}')`);
  }
}
