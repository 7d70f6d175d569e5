#!/usr/bin/env node
/**
 * `npm run package`: builds and checks the plugin and writes dist/<app id>-<version>.zip, whose one folder is the id of
 * the app, with its SHA-1 and SHA-256 beside it. Signing needs a token of grafana.com: see docs/plugin.md.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createWriteStream, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import yazl from 'yazl';
import { problemsOf } from './validate.mjs';
import { Build } from './validator/files.mjs';

const ROOT = join(import.meta.dirname, '..');
const BUILT = join(ROOT, 'plugin', 'dist');
const OUT = join(ROOT, 'dist');

function build() {
  const steps = [
    ['run', 'typecheck', '--silent', '-w', 'plugin'],
    ['run', 'build', '--silent', '-w', 'plugin'],
  ];
  for (const args of steps) {
    if (spawnSync('npm', args, { cwd: ROOT, stdio: 'inherit' }).status !== 0)
      throw new Error(`npm ${args.join(' ')} failed`);
  }
}

/** Entries have a fixed time, so that the same build gives the same bytes. */
async function zip(path, folder) {
  const file = new yazl.ZipFile();
  const mtime = new Date('2000-01-01T00:00:00Z');
  const { paths } = new Build(BUILT);
  for (const name of paths) file.addFile(join(BUILT, name), `${folder}/${name}`, { mtime, mode: 0o100644 });
  file.end();
  await pipeline(file.outputStream, createWriteStream(path));
}

try {
  if (!process.argv.includes('--no-build')) build();
  const problems = problemsOf(BUILT);
  if (problems.length > 0) throw new Error(problems.join('\n'));
  const { id, info } = JSON.parse(readFileSync(join(BUILT, 'plugin.json'), 'utf8'));
  mkdirSync(OUT, { recursive: true });
  const path = join(OUT, `${id}-${info.version}.zip`);
  await zip(path, id);
  for (const algorithm of ['sha1', 'sha256']) {
    const sum = createHash(algorithm).update(readFileSync(path)).digest('hex');
    writeFileSync(`${path}.${algorithm}`, `${sum}  ${basename(path)}\n`);
  }
  console.log(path.slice(ROOT.length + 1));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
