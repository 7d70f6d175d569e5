import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { closeEverything } from './cleanup.ts';
import { ROOT } from './paths.ts';
import { startPostgres } from './postgres.ts';
import { startRedis } from './redis.ts';

/** One Redis and one Postgres for all test files, unless the environment names others. */
export default async function setup(): Promise<void> {
  const python = join(ROOT, 'node_modules', '.cache', 'umbel', 'venv', 'bin', 'python');
  if (existsSync(python)) process.env['UMBEL_TEST_PYTHON'] ??= python;
  try {
    const [redis, postgres] = await Promise.all([
      process.env['UMBEL_TEST_REDIS_URL'] ?? startRedis().then((server) => server.url),
      process.env['UMBEL_TEST_DATABASE_URL'] ?? startPostgres().then((server) => server.url),
    ]);
    process.env['UMBEL_TEST_REDIS_URL'] = redis;
    process.env['UMBEL_TEST_DATABASE_URL'] = postgres;
  } catch (error) {
    await closeEverything();
    throw error;
  }
}
