import { closeAtEnd } from '../../../../../test/support/cleanup.ts';
import type { TaskFilter, TaskSort } from '../../../core/query/filter.ts';
import type { HistoryReader } from '../../../core/query/reader.ts';
import { type HistoryKit, NOON, openHistoryKit, quietLogger, settableClock } from '../history.testkit.ts';
import { openPool } from '../database.ts';
import { dayOf } from '../days.ts';
import { Partitions } from '../partitions.ts';
import { openHistoryReader } from './reader.ts';

export const NEWEST: TaskSort = { key: 'timestamp', descending: true };

export interface ReadKit extends HistoryKit {
  readonly reader: HistoryReader;
  /** Rows of celery_tasks by column; `seen_on`, `timestamp` and `state` have defaults. */
  insertTasks(tasks: readonly Readonly<Record<string, unknown>>[]): Promise<void>;
  insert(table: string, rows: readonly Readonly<Record<string, unknown>>[]): Promise<void>;
  /** A reader of its own on the same database. */
  openReader(statementTimeoutMs: number, url?: string): HistoryReader;
}

/** A migrated database with tasks in two partitions, and a reader whose clock stands at noon. */
export async function openReadKit(): Promise<ReadKit> {
  const kit = await openHistoryKit();
  await new Partitions({ pool: kit.pool, clock: settableClock(), logger: quietLogger }).ensure([dayOf(NOON)]);
  const insert = async (table: string, rows: readonly object[]): Promise<void> => {
    if (rows.length === 0) return;
    const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))].join(', ');
    // Materialised, and every column by its type: Citus cannot send the function to its nodes.
    const [types] = await kit.rows<{ list: string }>(
      `select string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ') as list from pg_attribute
       where attrelid = $1::regclass and attname = any($2)`,
      [table, columns.split(', ')],
    );
    await kit.rows(
      `with given as materialized (select * from json_to_recordset($1::json) as t(${types?.list ?? ''}))
       insert into ${table} (${columns}) select ${columns} from given`,
      [JSON.stringify(rows)],
    );
  };
  const openReader = (statementTimeoutMs: number, url = kit.url): HistoryReader => {
    const pool = openPool({ databaseUrl: url, logger: quietLogger });
    closeAtEnd({ close: () => pool.end() });
    return openHistoryReader({ pool, clock: settableClock(), logger: quietLogger, statementTimeoutMs });
  };
  return {
    ...kit,
    insert,
    insertTasks: (tasks) =>
      insert(
        'celery_tasks',
        tasks.map((task, index) => ({
          seen_on: index % 2 === 0 ? '2026-03-10' : '2026-03-09',
          timestamp: NOON,
          state: 'SUCCESS',
          ...task,
        })),
      ),
    openReader,
    reader: openHistoryReader({
      pool: kit.pool,
      clock: settableClock(),
      logger: quietLogger,
      statementTimeoutMs: 30_000,
    }),
  };
}

/** Ids of the first page. */
export async function idsOf(reader: HistoryReader, filter: TaskFilter, sort = NEWEST, limit = 1000): Promise<string[]> {
  return (await reader.searchTasks(filter, sort, limit)).tasks.map((task) => task.taskId);
}
