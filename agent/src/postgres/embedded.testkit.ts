import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { transform } from '@swc/core';

const SOURCE = resolve(import.meta.dirname, '..');
const CACHE = resolve(SOURCE, '../../node_modules/.cache/umbel');

const CHILD = `
import { openEmbeddedPostgres } from './postgres/embedded.mjs';
import { systemClock } from './lib/clock.mjs';
const say = () => undefined;
const logger = { debug: say, info: say, warn: say, error: say };
try {
  const { url } = await openEmbeddedPostgres({ dataDir: process.argv[2], logger, clock: systemClock });
  console.log(url);
} catch (error) {
  console.log('FAILED ' + error.message.replaceAll('\\n', ' '));
}
`;

/** The sources as JavaScript, for processes of their own; below node_modules, where packages are found. */
export async function compileForChildren(): Promise<{ readonly script: string; close(): Promise<void> }> {
  await mkdir(CACHE, { recursive: true });
  const target = await mkdtemp(join(CACHE, 'embedded-'));
  await chmod(target, 0o755);
  for (const folder of ['postgres', 'lib']) {
    for (const name of await readdir(join(SOURCE, folder))) {
      if (name.endsWith('.ts') && !/\.(?:test|testkit)\.ts$/.test(name)) await compile(target, join(folder, name));
    }
  }
  const script = join(target, 'child.mjs');
  await writeFile(script, CHILD);
  return { script, close: () => rm(target, { recursive: true, force: true }) };
}

async function compile(target: string, name: string): Promise<void> {
  const source = await readFile(join(SOURCE, name), 'utf8');
  const { code } = await transform(source, { jsc: { parser: { syntax: 'typescript' }, target: 'es2023' } });
  const path = join(target, name.replace(/\.ts$/, '.mjs'));
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, code.replaceAll(/(from '\..*)\.ts'/g, "$1.mjs'").replaceAll(/(from "\..*)\.ts"/g, '$1.mjs"'));
}

/** A process that opens the directory and keeps it open; `said` is the URL, or `FAILED` and the reason. */
export async function openInChild(
  script: string,
  dataDir: string,
  uid?: number,
): Promise<{ readonly child: ChildProcess; readonly said: string }> {
  const child = spawn(process.execPath, [script, dataDir], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH: process.env['PATH'] },
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  for await (const line of createInterface({ input: child.stdout })) return { child, said: line };
  throw new Error('the child said nothing');
}
