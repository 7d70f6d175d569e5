import type pg from 'pg';
import type { Logger } from '../../../lib/logger.ts';
import type { PartitionedTable } from './tables.ts';

/** Advisory lock under which partitions come and go. */
const PARTITIONS_LOCK = 5_549_012_002;

/** How the database at hand cuts tables by time. Days count from 1970-01-01. Methods reject as pg does. */
export interface Partitioning {
  /** `native` on Citus too: it distributes Postgres' own partitions. */
  readonly kind: 'native' | 'timescale';
  /** Makes the partition that holds the day, with what is stored of it elsewhere; nothing where there is one. */
  create(table: PartitionedTable, day: number): Promise<void>;
  /** Drops what ends by the day, and resolves to its names. What cannot be dropped now is logged and left. */
  dropBefore(table: PartitionedTable, day: number): Promise<string[]>;
  /** First day that has a partition of its own. */
  oldestDay(table: PartitionedTable): Promise<number | undefined>;
  /** The table of rows that have no partition of their own day; undefined where there are no such rows. */
  defaultOf(table: PartitionedTable): string | undefined;
}

export interface PartitioningDeps {
  readonly pool: pg.Pool;
  readonly logger: Logger;
}

/** Runs in a transaction under the partitions' lock; gives up after 5 s of waiting for others. */
export async function withPartitionsLock<T>(pool: pg.Pool, work: (client: pg.ClientBase) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  try {
    await client.query(`begin; set local lock_timeout = '5s'; select pg_advisory_xact_lock(${PARTITIONS_LOCK})`);
    const result = await work(client);
    await client.query('commit');
    client.release();
    return result;
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    client.release(error instanceof Error && !('code' in error));
    throw error;
  }
}
