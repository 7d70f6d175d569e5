/**
 * Makes the secrets of the stack where they are missing, each into the volume of the services that read it: nobody can
 * read another one's. What is there stays; rotation is in docs/operations.md.
 *
 * `node make.mjs` makes all; `node make.mjs demo` then points the agent to the demo's Redis unless a broker was given (by
 * CELERY_BROKER_URL, now or in an earlier run). `node make.mjs show` prints the password of Grafana's first user,
 * `node make.mjs renew PATH` makes one secret anew. `node make.mjs existing` and `node make.mjs existing renew PATH` do the
 * same for docker-compose.existing.yml.
 */
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const ROOT = process.env.SECRETS_DIR ?? '/secrets';
const { CELERY_BROKER_URL = '', CELERY_RESULT_BACKEND = '' } = process.env;
const BROKER = 'agent/broker';
const RESULTS = 'agent/result_backend';
/** The simulated cluster: no broker was given. */
const NO_BROKER = 'demo://';

/** Writes beside the old file and renames: a reader sees the old text or the new one. */
function write(path, text) {
  const file = join(ROOT, path);
  mkdirSync(dirname(file), { recursive: true, mode: 0o755 });
  writeFileSync(`${file}.new`, text, { mode: 0o444 });
  chmodSync(`${file}.new`, 0o444);
  renameSync(`${file}.new`, file);
}

const read = (path) => readFileSync(join(ROOT, path), 'utf8').trim();

/** The secret of that file, made when it is missing. Hex digits: they need no escape in any URL or file. */
function secret(path) {
  if (!existsSync(join(ROOT, path))) {
    write(path, randomBytes(24).toString('hex'));
    console.log(`made ${path}`);
  }
  return read(path);
}

function make() {
  secret('grafana/grafana_admin_password');
  secret('grafana/grafana_secret_key');
  const token = secret('grafana/umbel_grafana_token');
  const postgres = secret('postgres/postgres_password');
  const redis = secret('demo/redis_password');
  const rabbitmq = secret('demo/rabbitmq_password');
  // Made from the ones above at each start: they follow when one is renewed.
  write('agent/tokens', `grafana:admin:${token}\n`);
  write('agent/database_url', `postgres://umbel:${postgres}@postgres:5432/umbel`);
  write('agent/database_url_rabbitmq', `postgres://umbel:${postgres}@postgres:5432/umbel_rabbitmq`);
  write('agent/rabbitmq_broker', `amqp://umbel:${rabbitmq}@rabbitmq:5672//`);
  write('agent/rabbitmq_api', `http://umbel:${rabbitmq}@rabbitmq:15672/api/`);
  write('demo/redis.conf', `requirepass ${redis}\n`);
  write('demo/redis_url', `redis://:${redis}@redis:6379/0`);
  write('demo/redis_results', `redis://:${redis}@redis:6379/1`);
  write('demo/redis_exporter.json', JSON.stringify({ 'redis://redis:6379': redis }));
  write('demo/rabbitmq_url', `amqp://umbel:${rabbitmq}@rabbitmq:5672//`);
  write('demo/rabbitmq.conf', `default_user = umbel\ndefault_pass = ${rabbitmq}\nloopback_users = none\n`);
}

/** For docker-compose.existing.yml: the URLs that were given, and the token between Grafana and the agent. */
function makeForExisting() {
  write('agent/tokens', `grafana:admin:${secret('grafana/umbel_grafana_token')}\n`);
  write('agent/database_url', process.env.UMBEL_DATABASE_URL ?? '');
  useGivenBroker();
}

function useGivenBroker() {
  write(BROKER, CELERY_BROKER_URL || NO_BROKER);
  write(RESULTS, CELERY_RESULT_BACKEND);
}

const usesDemo = () => existsSync(join(ROOT, BROKER)) && read(BROKER) === read('demo/redis_url');

/** A broker that was given stays until another is. The demo's goes; where its profile is on it comes again. */
function useBroker() {
  const isFirst = !existsSync(join(ROOT, BROKER));
  if (isFirst || CELERY_BROKER_URL !== '' || usesDemo()) useGivenBroker();
}

function useDemo() {
  write(BROKER, read('demo/redis_url'));
  write(RESULTS, read('demo/redis_results'));
}

/** Makes one secret anew, e.g. `grafana/umbel_grafana_token`, and by `makeAll` what is made from it. */
function renew(path, makeAll) {
  if (path === undefined) throw new Error('renew needs the path of a secret, e.g. grafana/umbel_grafana_token');
  if (!existsSync(join(ROOT, path))) throw new Error(`there is no secret ${path}, so it cannot be renewed`);
  rmSync(join(ROOT, path));
  makeAll();
}

function renewOne(path) {
  const wasDemo = usesDemo();
  renew(path, make);
  if (wasDemo) useDemo();
}

function existing(subtask, path) {
  if (subtask === undefined) makeForExisting();
  else if (subtask === 'renew') renew(path, makeForExisting);
  else throw new Error(`existing: ${subtask} is unknown; it knows renew PATH`);
}

const [, , task = 'make', ...rest] = process.argv;
if (task === 'demo') {
  if (read(BROKER) === NO_BROKER) useDemo();
} else if (task === 'renew') renewOne(...rest);
else if (task === 'existing') existing(...rest);
else if (task === 'show') console.log(`Grafana: user admin, password ${read('grafana/grafana_admin_password')}`);
else {
  make();
  useBroker();
}
