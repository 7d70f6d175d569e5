/** What the global setup (or the caller, by hand) put into the environment; a missing one fails loudly. */
function required(name: string, how: string): string {
  const value = process.env[name];
  if (value === undefined || value === '') throw new Error(`${name} is not set: ${how}`);
  return value;
}

export const testRedisUrl = (): string => required('UMBEL_TEST_REDIS_URL', 'run the tests through jest or npm test');
/** Of a RabbitMQ that may still be booting: wait with `testRabbitMq()` of rabbitmq.ts. */
export const testAmqpUrl = (): string => required('UMBEL_TEST_AMQP_URL', 'run the tests through jest or npm test');
export const testDatabaseUrl = (): string =>
  required('UMBEL_TEST_DATABASE_URL', 'run the tests through jest or npm test');
export const testPython = (): string =>
  required('UMBEL_TEST_PYTHON', 'npm test makes a venv from test/requirements.txt; or name a python that has those');
