import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { closeAtEnd } from './cleanup.ts';
import { testDatabaseUrl } from './environment.ts';

export interface FreshDatabase {
  readonly url: string;
  /** Cuts its connections and removes it; done at the end of the test file in any case. */
  drop(): Promise<void>;
}

async function administer(serverUrl: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: serverUrl });
  client.on('error', () => undefined);
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

/**
 * An empty database of its own, on the test's Postgres or on the one given. With an extension (default: the one that
 * `UMBEL_TEST_DATABASE_EXTENSION` names, to run tests of the history on TimescaleDB or Citus) it has that already.
 */
export async function freshDatabase(
  serverUrl = testDatabaseUrl(),
  extension = process.env['UMBEL_TEST_DATABASE_EXTENSION'],
): Promise<FreshDatabase> {
  const name = `umbel_test_${randomBytes(6).toString('hex')}`;
  await administer(serverUrl, `create database ${name}`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  if (extension !== undefined) await administer(url.href, `create extension ${extension}`);
  const database = {
    url: url.href,
    drop: () => administer(serverUrl, `drop database if exists ${name} with (force)`),
  };
  // A server that the test itself has stopped takes its databases along.
  closeAtEnd({ close: () => database.drop().catch(() => undefined) });
  return database;
}

/** Rows of one query on a connection of its own. */
export async function queryRows<T extends pg.QueryResultRow>(
  url: string,
  text: string,
  values: unknown[] = [],
): Promise<T[]> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined); // told by the query, too
  await client.connect();
  try {
    return (await client.query<T>(text, values)).rows;
  } finally {
    await client.end();
  }
}
