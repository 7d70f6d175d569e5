import { dayOf, isoDay, monthStart } from '../days.ts';
import { type Partitioning, type PartitioningDeps, withPartitionsLock } from './port.ts';
import type { PartitionedTable } from './tables.ts';

/** Postgres' own partitions, named after the day or month they hold, and a default one for the rest. */
export function nativePartitioning({ pool, logger }: PartitioningDeps): Partitioning {
  async function names({ table }: PartitionedTable): Promise<string[]> {
    const { rows } = await pool.query<{ name: string }>(
      `select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
       where i.inhparent = to_regclass($1) order by 1`,
      [table],
    );
    return rows.map(({ name }) => name);
  }

  async function drop(name: string): Promise<boolean> {
    try {
      await withPartitionsLock(pool, (client) => client.query(`drop table if exists ${name}`));
      return true;
    } catch (error) {
      if (pool.ending) throw error;
      logger.warn({ err: error, partition: name }, 'old partition could not be dropped yet');
      return false;
    }
  }

  return {
    kind: 'native',
    create: (spec, day) => create(pool, spec, day),
    dropBefore: async (spec, day) => {
      const dropped: string[] = [];
      for (const name of await names(spec)) {
        const end = partitionEnd(spec, name);
        if (end !== undefined && end <= day && (await drop(name))) dropped.push(name);
      }
      return dropped;
    },
    oldestDay: async (spec) => {
      const ends = (await names(spec)).flatMap((name) => partitionEnd(spec, name) ?? []);
      if (ends.length === 0) return undefined;
      return spec.by === 'day' ? Math.min(...ends) - 1 : monthStart(Math.min(...ends), -1);
    },
    defaultOf: ({ table }) => `${table}_default`,
  };
}

async function create(pool: PartitioningDeps['pool'], spec: PartitionedTable, day: number): Promise<void> {
  const { table, column } = spec;
  const name = partitionName(spec, day);
  const from = bound(spec, day);
  const to = bound(spec, spec.by === 'day' ? day + 1 : monthStart(day, 1));
  const isOfIt = `${column} >= ${from} and ${column} < ${to}`;
  await withPartitionsLock(pool, async (client) => {
    const { rowCount } = await client.query(
      'select from pg_inherits where inhrelid = to_regclass($1) and inhparent = to_regclass($2)',
      [name, table],
    );
    if (rowCount !== 0) return;
    // Attached rather than made in place: attaching leaves readers and writers of the other partitions alone.
    // No row may slip into the default partition between the move and the attachment.
    await client.query(`lock table ${table}_default in share row exclusive mode`);
    await client.query(
      `create table ${name} (like ${table} including all) ${spec.storage === undefined ? '' : `with (${spec.storage})`}`,
    );
    await client.query(`insert into ${name} select * from ${table}_default where ${isOfIt}`);
    await client.query(`delete from ${table}_default where ${isOfIt}`);
    await client.query(`alter table ${table} attach partition ${name} for values from (${from}) to (${to})`);
  });
}

function partitionName({ table, by }: PartitionedTable, day: number): string {
  const digits = isoDay(day).replaceAll('-', '');
  return `${table}_p${by === 'day' ? digits : digits.slice(0, 6)}`;
}

function partitionEnd({ by }: PartitionedTable, name: string): number | undefined {
  const digits = /_p(\d{4})(\d\d)(\d\d)?$/.exec(name);
  if (digits === null) return undefined;
  const [, year, month, day] = digits;
  const first = dayOf(Date.UTC(Number(year), Number(month) - 1, Number(day ?? 1)) / 1000);
  return by === 'day' ? first + 1 : monthStart(first, 1);
}

/** Bounds are written with their zone: the session's time zone must not move them. */
function bound({ type }: PartitionedTable, day: number): string {
  return type === 'date' ? `'${isoDay(day)}'` : `'${isoDay(day)} 00:00:00+00'`;
}
