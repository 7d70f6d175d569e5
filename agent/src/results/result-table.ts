import pg from 'pg';
import { jsonRepr } from '../core/wire/json-repr.ts';
import { storedResult } from './stored-result.ts';
import type { StoredResult } from './port.ts';
import { readValue, type StoredValue } from './stored-value.ts';
import { type Columns, columnsOf, membersOf, missingFrom, type Row, selectionOf } from './task-columns.ts';

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
    const columns = await columnsOf(client, quoted);
    if (columns.size > 0) return reader(client, quoted, columns);
  }
  throw new Error(
    `there is no table ${tried.join(' and no ')}${schema === undefined ? '' : ` in schema ${schema}`}: give --result-backend-table and --result-backend-schema`,
  );
}

function reader(client: pg.Client, table: string, columns: Columns): ResultTable {
  const missing = [...(columns.has('id') ? [] : ['id']), ...missingFrom(columns)];
  if (missing.length > 0)
    throw new Error(`the table ${table} has no ${missing.join(', ')}: it holds no Celery results`);
  const isDjango = columns.has('task_name');
  const selection = [
    'id::float8 as id',
    selectionOf(columns, (name) => (isDjango ? (DJANGO[name] ?? name) : name)),
    ...(columns.has('date_started') ? ['extract(epoch from date_started)::float8 * 1000 as started_ms'] : []),
  ];
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
        `select ${selection.join(', ')} from ${table} where id > $1 order by id limit $2`,
        [id, limit],
      );
      const last = rows.at(-1)?.['id'];
      const lastId = last === undefined ? undefined : Number(last);
      return { rows: rows.flatMap((row) => storedRow(row, isDjango)), read: rows.length, lastId };
    },
    close: () => client.end(),
  };
}

function storedRow(row: Row, isDjango: boolean): StoredRow[] {
  const values = isDjango ? membersOf(row, djangoValue) : membersOf(row);
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

/**
 * django-celery-results stores texts: JSON for results; for arguments JSON, or the JSON of a repr, or a repr.
 */
function djangoValue(name: string, text: string): StoredValue {
  const value = readValue(Buffer.from(text));
  if (name === 'result') return value;
  if (value.json === null) return { json: null, repr: text };
  const inner: unknown = JSON.parse(value.json);
  return typeof inner === 'string' ? { json: null, repr: inner } : value;
}
