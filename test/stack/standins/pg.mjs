// Runs statements over the Unix socket as the superuser: the package of Postgres has no psql and no pg_isready.
import pg from 'pg';

const client = new pg.Client({ host: '/tmp', user: process.env.POSTGRES_USER ?? 'umbel', database: 'postgres' });
try {
  await client.connect();
  for (const sql of process.argv.slice(2)) await client.query(sql);
  await client.end();
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
