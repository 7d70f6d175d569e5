import type pg from 'pg';
import { MAX_STORED, readValue } from './stored-value.ts';
import type { StoredValue } from './stored-value.ts';

/** Types of a table's columns by their names. */
export type Columns = ReadonlyMap<string, string>;
export type Row = Readonly<Record<string, unknown>>;

/** Columns that tell of a task; which of them there are depends on Celery's version and on `result_extended`. */
const META = 'task_id status result date_done traceback name args kwargs worker retries queue'.split(' ');
/** Those without which a table holds no results. */
const NEEDED = ['task_id', 'status', 'result'];
/** Serialized values (celery/backends/database/models.py). */
const VALUES = new Set(['result', 'args', 'kwargs']);

/** Columns of the table, whose name is quoted; none where there is no such table. Rejects as pg does. */
export async function columnsOf(client: pg.ClientBase | pg.Pool, table: string): Promise<Columns> {
  const { rows } = await client.query<{ name: string; type: string }>(
    `select attname as name, atttypid::regtype::text as type from pg_attribute
     where attrelid = to_regclass($1) and attnum > 0 and not attisdropped`,
    [table],
  );
  return new Map(rows.map(({ name, type }) => [name, type]));
}

/** Columns that the table lacks for one of results. */
export function missingFrom(columns: Columns): string[] {
  return NEEDED.filter((name) => !columns.has(name));
}

/**
 * What to select for `membersOf`. Large values are cut in the database; times leave it as text, naive ones being UTC.
 *
 * @param columnOf column by the name that Celery's own table has for it
 */
export function selectionOf(columns: Columns, columnOf = (name: string): string => name): string {
  const selected = META.flatMap((name) => {
    const column = columnOf(name);
    const type = columns.get(column);
    if (type === undefined) return [];
    if (VALUES.has(name)) {
      const cut = `substring(${column} from 1 for ${MAX_STORED}) as ${name}`;
      return [cut, `octet_length(${column}) as ${name}_size`];
    }
    if (name !== 'date_done') return [`${column} as ${name}`];
    const utc = type === 'timestamp with time zone' ? `(${column} at time zone 'UTC')` : column;
    return [`to_char(${utc}, 'YYYY-MM-DD"T"HH24:MI:SS.US') as ${name}`];
  });
  return selected.join(', ');
}

/** The members of a selected row; `readText` reads a serialized value that is stored as a text. */
export function membersOf(
  row: Row,
  readText: (name: string, text: string) => StoredValue = (_, text) => plain(text),
): Map<string, StoredValue> {
  const members = new Map<string, StoredValue>();
  for (const name of META) {
    const value = row[name];
    if (value === undefined) continue;
    if (!VALUES.has(name) || !(Buffer.isBuffer(value) || typeof value === 'string')) members.set(name, plain(value));
    else if (Number(row[`${name}_size`]) > MAX_STORED) members.set(name, cut(value, Number(row[`${name}_size`])));
    else members.set(name, Buffer.isBuffer(value) ? readValue(value) : readText(name, value));
  }
  return members;
}

function plain(value: unknown): StoredValue {
  return { json: JSON.stringify(value), repr: null };
}

function cut(value: Buffer | string, bytes: number): StoredValue {
  const start = typeof value === 'string' ? value.slice(0, 1000) : value.toString('utf8', 0, 1000);
  return { json: null, repr: `${start}… (cut: ${bytes} bytes in all)` };
}
