#!/usr/bin/env node
/**
 * `npm test`: installs what is missing, checks types, style and generated pages, then runs every test against real
 * services. `npm test -- PATH…` runs only the tests under those paths. The last line is `N passed, N failed`.
 */
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installPackages, installPython } from '../test/support/install.mjs';
import { isInstalled } from './installed.mjs';

const ROOT = join(import.meta.dirname, '..');
const paths = process.argv.slice(2);
/** Packages of Grafana 13 with React 19, apart from the repository's. */
const REACT_19 = join(ROOT, 'test/plugin-host/react19');
const started = performance.now();
const scratch = mkdtempSync(join(tmpdir(), 'umbel-tests-'));
chmodSync(scratch, 0o755); // Postgres runs as another user
const results = { passed: 0, failed: 0 };
const failures = [];
/** Files that failed beside others and passed alone. */
const late = [];
/** More than so many are no matter of time. */
const MOST_AGAIN = 4;
const children = new Set();
let interrupted = false;

const say = (text) => console.log(`\n[${((performance.now() - started) / 1000).toFixed(0).padStart(3)} s] ${text}`);

/**
 * Runs a program in a process group of its own; resolves to its exit code. Its output is shown as it comes, or handed over
 * piece by piece.
 */
function run(command, args, env = {}, cwd = ROOT, onOutput = undefined) {
  if (interrupted) return Promise.resolve(1);
  return new Promise((resolve) => {
    const out = onOutput === undefined ? 'inherit' : 'pipe';
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, TMPDIR: scratch, FORCE_COLOR: process.stdout.isTTY ? '1' : '0', ...env },
      stdio: ['ignore', out, out],
      detached: true,
    });
    children.add(child);
    for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', onOutput);
    child.on('error', (error) => {
      console.error(String(error));
      children.delete(child);
      resolve(1);
    });
    // What is left of its group may hold its output open.
    child.on('exit', () => endGroup(child, 'SIGKILL'));
    child.on('close', (code) => {
      children.delete(child);
      resolve(code ?? 1);
    });
  });
}

function endGroup({ pid }, signal) {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // it has ended with all its children
  }
}

/** Checks that are not jest's, two at a time; each counts as one test. */
async function checks(waiting) {
  say(waiting.map(([name]) => name).join(', '));
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [name, command, ...args] = next;
      const output = [];
      const isFine = (await run(command, args, {}, ROOT, (text) => output.push(text))) === 0;
      say(`${name}: ${isFine ? 'fine' : 'failed'}`);
      process.stdout.write(output.join(''));
      count(name, isFine);
    }
  };
  await Promise.all([work(), work()]);
}

function count(name, passed) {
  results[passed ? 'passed' : 'failed']++;
  if (!passed) failures.push(name);
}

/** Runs jest and keeps what it reports by file; false where it ended without a report. The plugin's configuration is its own. */
async function jest(directory, options, files) {
  const report = join(scratch, 'jest.json');
  rmSync(report, { force: true });
  const modules = directory === ROOT ? ' --experimental-vm-modules' : '';
  const NODE_OPTIONS = `${process.env.NODE_OPTIONS ?? ''}${modules} --no-warnings`.trim();
  const program = join(ROOT, 'node_modules/jest/bin/jest.js');
  const args = [program, '--json', '--outputFile', report, ...options];
  const code = await run(process.execPath, args, { NODE_OPTIONS }, directory);
  if (!existsSync(report)) return false;
  for (const file of JSON.parse(readFileSync(report, 'utf8')).testResults) files.set(file.name, file);
  return code === 0 || failedOf(files).length > 0;
}

const failedOf = (files) => [...files.values()].filter(({ status }) => status === 'failed').map(({ name }) => name);
const shown = (file) => file.slice(ROOT.length + 1);

/**
 * Real services on a crowded machine are late at times: where few files fail, those run once more, one after the other.
 * What passes then is named at the end.
 */
async function suite(directory, paths) {
  const name = `tests of ${directory === ROOT ? 'the agent' : 'the plugin'}`;
  say(name);
  const files = new Map();
  const workers = process.env.UMBEL_TEST_WORKERS ?? '2';
  let isWhole = await jest(directory, ['--maxWorkers', workers, ...(paths.length > 0 ? ['--', ...paths] : [])], files);
  const first = failedOf(files);
  if (first.length > 0 && first.length <= MOST_AGAIN && !interrupted) {
    say(`once more, alone: ${first.map(shown).join(', ')}`);
    isWhole = await jest(directory, ['--runInBand', '--runTestsByPath', ...first], files);
  }
  const failed = failedOf(files);
  for (const { status, assertionResults } of files.values()) {
    const of = (verdict) => assertionResults.filter((test) => test.status === verdict).length;
    results.passed += of('passed');
    results.failed += status === 'failed' ? Math.max(1, of('failed')) : 0;
  }
  failures.push(...failed.map(shown));
  late.push(...first.filter((file) => !failed.includes(file)).map(shown));
  if (!isWhole) count(`${name} ended with an error`, false);
}

async function main() {
  const bin = (name) => join(ROOT, 'node_modules', '.bin', name);
  if (!isInstalled(ROOT)) {
    say('npm ci');
    if ((await run('npm', ['ci', '--no-audit', '--no-fund'])) !== 0) throw new Error('npm ci failed');
  }
  const react19 = installReact19();
  installPackages(say);
  process.env.UMBEL_TEST_PYTHON ||= installPython(ROOT, say);
  if (paths.length === 0) {
    await checks([
      // The longest first.
      ['lint', bin('eslint'), '.'],
      ['lint of the plugin', 'npm', 'run', 'lint', '--silent', '-w', 'plugin'],
      ['format', bin('prettier'), '--check', '--log-level', 'warn', '.'],
      ['types of the plugin', 'npm', 'run', 'typecheck', '--silent', '-w', 'plugin'],
      ['types', bin('tsc'), '--noEmit', '-p', 'tsconfig.json'],
      ['generated pages', process.execPath, 'scripts/gen.mjs', '--check'],
    ]);
  }
  await checks([['build', 'npm', 'run', 'build', '--silent']]);
  const [ofPlugin, others] = [paths.filter(isOfPlugin), paths.filter((path) => !isOfPlugin(path))];
  if (paths.length === 0 || ofPlugin.length > 0) await suite(join(ROOT, 'plugin'), ofPlugin);
  await react19;
  if (paths.length === 0 || others.length > 0) await suite(ROOT, others);
}

/** Takes its time, and one file of the last tests needs it: everything before those goes on meanwhile. */
async function installReact19() {
  if (isInstalled(REACT_19) || !(paths.length === 0 || paths.some((path) => path.includes('plugin-host')))) return;
  const name = 'npm ci in test/plugin-host/react19';
  say(name);
  const install = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const output = [];
  if ((await run('npm', install, {}, REACT_19, (text) => output.push(text))) === 0) return;
  process.stdout.write(output.join(''));
  count(name, false);
}

const isOfPlugin = (path) => path.replace(/^\.\//, '').startsWith('plugin/');

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    interrupted = true;
    for (const child of children) endGroup(child, 'SIGTERM');
    setTimeout(() => children.forEach((child) => endGroup(child, 'SIGKILL')), 3000).unref();
  });
}
process.on('exit', () => {
  for (const child of children) endGroup(child, 'SIGKILL');
  rmSync(scratch, { recursive: true, force: true });
});

try {
  await main();
} catch (error) {
  console.error(`\n${error instanceof Error ? error.message : error}`);
  count('set-up', false);
}
if (interrupted) count('interrupted', false);
if (failures.length > 0) console.log(`\nFailed:\n${failures.map((name) => `  ${name}`).join('\n')}`);
if (late.length > 0)
  console.log(`\nFailed beside others, passed alone:\n${late.map((name) => `  ${name}`).join('\n')}`);
say('done');
console.log(`${results.passed} passed, ${results.failed} failed`);
process.exitCode = results.failed > 0 ? 1 : 0;
