/** What the tests need besides npm's packages: Redis, RabbitMQ, nginx and Prometheus' programs from apt, Python packages in a venv of their own. */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Program → Debian package. */
const PROGRAMS = {
  'redis-server': 'redis-server',
  'rabbitmq-server': 'rabbitmq-server',
  chromium: 'chromium',
  promtool: 'prometheus',
  amtool: 'prometheus-alertmanager',
  nginx: 'nginx-light',
  'prometheus-redis-exporter': 'prometheus-redis-exporter',
  python3: 'python3',
};

/** @param {string} program */
const isInstalled = (program) => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;

/** ensurepip comes with python3-venv on Debian. */
const hasVenv = () => spawnSync('python3', ['-c', 'import ensurepip, venv']).status === 0;

/** @returns {string[]} Debian packages that are missing */
export function missingPackages() {
  const missing = Object.entries(PROGRAMS).filter(([program]) => !isInstalled(program));
  return [...new Set([...missing.map(([, name]) => name), ...(hasVenv() ? [] : ['python3-venv'])])];
}

/**
 * Installs missing Debian packages without starting their services.
 * @param {(text: string) => void} say
 */
export function installPackages(say) {
  const missing = missingPackages();
  if (missing.length === 0) return;
  if (process.getuid?.() !== 0 || !isInstalled('apt-get')) {
    throw new Error(`please install ${missing.join(', ')} (Debian: sudo apt-get install ${missing.join(' ')})`);
  }
  say(`installing ${missing.join(', ')}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  const policy = '/usr/sbin/policy-rc.d';
  const ownPolicy = !existsSync(policy);
  if (ownPolicy) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 }); // packages start no services
  try {
    run('apt-get', ['update', '-qq'], { env });
    run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...missing], { env });
  } finally {
    if (ownPolicy) rmSync(policy);
  }
}

/**
 * A venv with test/requirements.txt; made again only when that file changes.
 * @param {string} root @param {(text: string) => void} say @returns {string} its python
 */
export function installPython(root, say) {
  const requirements = join(root, 'test', 'requirements.txt');
  const venv = join(root, 'node_modules', '.cache', 'umbel', 'venv');
  const python = join(venv, 'bin', 'python');
  const stamp = join(venv, 'umbel.stamp');
  const wanted = createHash('sha256').update(readFileSync(requirements)).digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted && existsSync(python)) return python;
  say('installing Celery and Flower into a Python venv');
  rmSync(venv, { recursive: true, force: true });
  mkdirSync(venv, { recursive: true });
  run('python3', ['-m', 'venv', venv]);
  run(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirements]);
  writeFileSync(stamp, wanted);
  return python;
}

/** @param {string} command @param {string[]} args @param {{ env?: NodeJS.ProcessEnv }} [options] */
function run(command, args, options = {}) {
  try {
    execFileSync(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 64 << 20 });
  } catch (error) {
    const { stdout, stderr } = /** @type {{ stdout?: Buffer, stderr?: Buffer }} */ (error);
    throw new Error(`${command} ${args.slice(0, 3).join(' ')} failed:\n${stdout ?? ''}${stderr ?? ''}`, {
      cause: error,
    });
  }
}
