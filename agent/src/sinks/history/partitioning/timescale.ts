import { dayFromIso, isoDay } from '../days.ts';
import type { Partitioning, PartitioningDeps } from './port.ts';
import type { PartitionedTable } from './tables.ts';

/** Chunks of the roll-ups; months are no interval that TimescaleDB can cut by. */
const ROLLUP_CHUNK = '7 days';

/** TimescaleDB's hypertables: it makes a chunk when the first row of its time comes, and finds it by itself. */
export function timescalePartitioning({ pool, logger }: PartitioningDeps): Partitioning {
  return {
    kind: 'timescale',
    create: () => Promise.resolve(),
    dropBefore: async (spec, day) => {
      try {
        // Rows of 1970 are those whose own time was no time: they go by when they were received.
        const { rows } = await pool.query<{ name: string }>(
          `select drop_chunks($1::regclass, older_than => $2::${spec.type}, newer_than => $3::${spec.type})::text as name`,
          [spec.table, bound(spec, day), bound(spec, 1)],
        );
        return rows.map(({ name }) => name);
      } catch (error) {
        if (pool.ending) throw error;
        logger.warn({ err: error, table: spec.table }, 'old chunks could not be dropped yet');
        return [];
      }
    },
    oldestDay: async ({ table }) => {
      const { rows } = await pool.query<{ day: string | null }>(
        `select to_char(min(range_start) at time zone 'UTC', 'YYYY-MM-DD') as day
         from timescaledb_information.chunks where hypertable_name = $1 and range_start > '1970-01-02 00:00:00+00'`,
        [table],
      );
      const day = rows[0]?.day ?? null;
      return day === null ? undefined : dayFromIso(day);
    },
    defaultOf: () => undefined,
  };
}

/** Statements that put a hypertable with the same columns, keys, indexes and rows in the place of the partitioned table. */
export function hypertableSql({ table, column, by, storage }: PartitionedTable): string[] {
  const span = by === 'day' ? '1 day' : ROLLUP_CHUNK;
  return [
    `alter table ${table} rename to ${table}_plain`,
    `create table ${table} (like ${table}_plain including all) ${storage === undefined ? '' : `with (${storage})`}`,
    `select create_hypertable('${table}', by_range('${column}', interval '${span}'), create_default_indexes => false)`,
    `insert into ${table} select * from ${table}_plain`,
    `drop table ${table}_plain`,
  ];
}

/** Bounds are written with their zone: the session's time zone must not move them. */
function bound({ type }: PartitionedTable, day: number): string {
  return type === 'date' ? isoDay(day) : `${isoDay(day)} 00:00:00+00`;
}
