import pg from 'pg';
import { jsonRepr } from '../core/wire/json-repr.ts';
import { META_COLUMNS } from './database.ts';
import { storedResult } from './stored-result.ts';
import type { StoredResult } from './port.ts';
import { MAX_STORED, readValue, type StoredValue } from './stored-value.ts';

/** A task's row in a result table. */
export interface StoredRow {
  readonly result: StoredResult;
  /** Epoch ms; django-celery-results alone tells it. */
  readonly startedMs: number | null;
  /** As Python prints them, as events tell them. */
  readonly argsRepr: string | null;
  readonly kwargsRepr: string | null;
}

export interface ResultTableOptions {
  readonly connectionString: string;
  /** Default: Celery's `celery_taskmeta`, or django-celery-results' table where there is only that. */
  readonly table?: string;
  readonly schema?: string;
}

export interface ResultPage {
  readonly rows: readonly StoredRow[];
  /** Rows there were, those included that tell no state. */
  readonly read: number;
  readonly lastId: number | undefined;
}

/** Reads a table of results from its begin to its end. */
export interface ResultTable {
  readonly table: string;
  /** About how many rows there are. */
  count(): Promise<number>;
  /** What can be read of the rows after the id, in the order of their ids. */
  after(id: number, limit: number): Promise<ResultPage>;
  close(): Promise<void>;
}

const CELERY_TABLE = 'celery_taskmeta';
const DJANGO_TABLE = 'django_celery_results_taskresult';
/** Column of the table by the name that Celery's own has for it. */
const DJANGO: Readonly<Record<string, string>> = {
  name: 'task_name',
  args: 'task_args',
  kwargs: 'task_kwargs',
};

/** @throws Error that names the table and the fix, or as pg does */
export async function openResultTable(options: ResultTableOptions): Promise<ResultTable> {
  const client = new pg.Client({
    connectionString: options.connectionString,
    application_name: 'umbel-import',
    connectionTimeoutMillis: 10_000,
  });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await open(client, options);
  } catch (error) {
    await client.end();
    throw error;
  }
}

async function open(client: pg.Client, { table, schema }: ResultTableOptions): Promise<ResultTable> {
  const tried = table === undefined || table === CELERY_TABLE ? [CELERY_TABLE, DJANGO_TABLE] : [table];
  for (const name of tried) {
    const quoted = [...(schema === undefined ? [] : [schema]), name].map((part) => pg.escapeIdentifier(part)).join('.');
    const { rows } = await client.query<{ name: string; type: string }>(
      `select attname as name, atttypid::regtype::text as type from pg_attribute
       where attrelid = to_regclass($1) and attnum > 0 and not attisdropped`,
      [quoted],
    );
    const columns = new Map(rows.map((row) => [row.name, row.type]));
    if (columns.size > 0) return reader(client, quoted, columns);
  }
  throw new Error(
    `there is no table ${tried.join(' and no ')}${schema === undefined ? '' : ` in schema ${schema}`}: give --result-backend-table and --result-backend-schema`,
  );
}

/** Types of the columns by name. */
type Columns = ReadonlyMap<string, string>;

function reader(client: pg.Client, table: string, columns: Columns): ResultTable {
  const missing = ['id', 'task_id', 'status', 'result'].filter((column) => !columns.has(column));
  if (missing.length > 0)
    throw new Error(`the table ${table} has no ${missing.join(', ')}: it holds no Celery results`);
  const isDjango = columns.has('task_name');
  const selected = META_COLUMNS.flatMap((name) => {
    const column = isDjango ? (DJANGO[name] ?? name) : name;
    const type = columns.get(column);
    return type === undefined ? [] : [`${expression(name, column, type)} as "${name}"`];
  });
  if (columns.has('date_started')) selected.push('extract(epoch from date_started)::float8 * 1000 as started_ms');
  return {
    table,
    count: async () => {
      const { rows } = await client.query<{ n: number }>(
        'select reltuples::float8 as n from pg_class where oid = to_regclass($1)',
        [table],
      );
      return Math.max(0, rows[0]?.n ?? 0);
    },
    after: async (id, limit) => {
      const { rows } = await client.query<Row>(
        `select id::float8 as id, ${selected.join(', ')} from ${table} where id > $1 order by id limit $2`,
        [id, limit],
      );
      const last = rows.at(-1)?.['id'];
      const lastId = last === undefined ? undefined : Number(last);
      return { rows: rows.flatMap((row) => storedRow(row, isDjango)), read: rows.length, lastId };
    },
    close: () => client.end(),
  };
}

type Row = Readonly<Record<string, unknown>>;

/** Large values are cut in the database; times leave it as text, naive ones being UTC. */
function expression(name: string, column: string, type: string): string {
  if (name === 'result' || name === 'args' || name === 'kwargs') return `substring(${column} from 1 for ${MAX_STORED})`;
  if (name !== 'date_done') return column;
  const utc = type === 'timestamp with time zone' ? `${column} at time zone 'UTC'` : column;
  return `to_char(${utc}, 'YYYY-MM-DD"T"HH24:MI:SS.US')`;
}

function storedRow(row: Row, isDjango: boolean): StoredRow[] {
  const values = new Map<string, StoredValue>();
  for (const name of META_COLUMNS) {
    if (row[name] !== undefined) values.set(name, stored(name, row[name], isDjango));
  }
  const taskId = row['task_id'];
  const result = typeof taskId === 'string' ? storedResult(taskId, values) : undefined;
  if (result === undefined) return [];
  const startedMs = typeof row['started_ms'] === 'number' ? row['started_ms'] : null;
  const repr = (name: string): string | null => {
    const value = values.get(name);
    if (value === undefined || value.json === 'null') return null;
    return value.json === null ? value.repr : jsonRepr(value.json);
  };
  return [{ result, startedMs, argsRepr: repr('args'), kwargsRepr: repr('kwargs') }];
}

/** Celery's tables hold encoded bytes; django-celery-results' hold text: JSON for results, reprs for arguments. */
function stored(name: string, value: unknown, isDjango: boolean): StoredValue {
  if (Buffer.isBuffer(value)) return readValue(value);
  if (isDjango && typeof value === 'string' && name === 'result') return readValue(Buffer.from(value));
  if (isDjango && typeof value === 'string' && (name === 'args' || name === 'kwargs')) return djangoText(value);
  return { json: JSON.stringify(value), repr: null };
}

/** The JSON of a text that is a repr, as django-celery-results encodes arguments that are no JSON. */
function djangoText(text: string): StoredValue {
  const value = readValue(Buffer.from(text));
  if (value.json === null) return { json: null, repr: text };
  const inner: unknown = JSON.parse(value.json);
  return typeof inner === 'string' ? { json: null, repr: inner } : value;
}
