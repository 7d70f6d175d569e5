#!/usr/bin/env node
/** `npm run bench -- [--quick] [--only NAME,…] [--write]`: compiles the bench (Node 20 runs no TypeScript) and runs it. */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const ROOT = join(import.meta.dirname, '..', '..');
const OUT = join(ROOT, 'node_modules', '.cache', 'umbel', 'bench');
const venv = join(ROOT, 'node_modules', '.cache', 'umbel', 'venv', 'bin', 'python');

execFileSync(join(ROOT, 'node_modules', '.bin', 'tsc'), ['-p', join(import.meta.dirname, 'tsconfig.bench.json')], {
  stdio: 'inherit',
});
const MIGRATIONS = join('agent', 'src', 'sinks', 'history', 'migrations');
cpSync(join(ROOT, MIGRATIONS), join(OUT, MIGRATIONS), { recursive: true });
writeFileSync(join(OUT, 'package.json'), '{ "type": "module" }\n');
process.env.UMBEL_ROOT = ROOT;
if (existsSync(venv)) process.env.UMBEL_TEST_PYTHON ||= venv;
await import(pathToFileURL(join(OUT, 'test', 'bench', 'main.js')).href);
