import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { closeEverything } from './cleanup.ts';
import { ROOT } from './paths.ts';
import { startPostgres } from './postgres.ts';
import { prepareRabbitMq } from './rabbitmq.ts';
import { startRedis } from './redis.ts';

/** Test files that use the shared RabbitMQ; a run without them starts none. */
const WITH_RABBITMQ = ['rabbitmq', 'contract', 'faults', 'harness'];

function wantsRabbitMq({ patterns }: { readonly patterns?: readonly string[] }): boolean {
  if (patterns === undefined || patterns.length === 0) return true;
  return patterns.some((pattern) => WITH_RABBITMQ.some((name) => pattern.includes(name)));
}

/**
 * One Redis, one Postgres and one RabbitMQ for all test files, unless the environment names others. RabbitMQ boots
 * while the first tests run.
 */
export default async function setup(config: {
  readonly testPathPatterns?: { readonly patterns?: readonly string[] };
}): Promise<void> {
  const python = join(ROOT, 'node_modules', '.cache', 'umbel', 'venv', 'bin', 'python');
  if (existsSync(python)) process.env['UMBEL_TEST_PYTHON'] ||= python;
  try {
    const [redis, postgres] = await Promise.all([
      process.env['UMBEL_TEST_REDIS_URL'] ?? startRedis().then((server) => server.url),
      process.env['UMBEL_TEST_DATABASE_URL'] ?? startPostgres().then((server) => server.url),
    ]);
    if (process.env['UMBEL_TEST_AMQP_URL'] === undefined && wantsRabbitMq(config.testPathPatterns ?? {})) {
      const { server, booted } = await prepareRabbitMq();
      booted.catch((error: unknown) => process.stderr.write(`${String(error)}\n`));
      process.env['UMBEL_TEST_AMQP_URL'] = server.url;
    }
    process.env['UMBEL_TEST_REDIS_URL'] = redis;
    process.env['UMBEL_TEST_DATABASE_URL'] = postgres;
  } catch (error) {
    await closeEverything();
    throw error;
  }
}
