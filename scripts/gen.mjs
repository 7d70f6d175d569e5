#!/usr/bin/env node
/**
 * `npm run gen` writes the pages and dashboards that follow from code; with `--check` it changes nothing and fails where one differs.
 */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { transform } from '@swc/core';
import { format, resolveConfig } from 'prettier';
import { dashboards } from './dashboards.mjs';

const ROOT = join(import.meta.dirname, '..');
const SOURCE = join(ROOT, 'agent', 'src');

/** Page, module below agent/src, its function that returns the page, and the JSON file that this is given, if any. */
const PAGES = [
  ['docs/options.md', 'config/docs.ts', 'optionsMarkdown'],
  ['docs/metrics.md', 'sinks/metrics/docs.ts', 'metricsMarkdown'],
  ['docs/api.md', 'http/docs.ts', 'apiMarkdown', 'http/openapi.json'],
  ['docs/commands.md', 'http/command-docs.ts', 'commandsMarkdown'],
];

/** The agent's sources as JavaScript, below node_modules so that packages are found; no types are checked. */
async function compile(target) {
  for (const entry of await readdir(SOURCE, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith('.ts') || /\.(test|testkit)\.ts$/.test(entry.name)) continue;
    const path = join(entry.parentPath, entry.name);
    const { code } = await transform(await readFile(path, 'utf8'), {
      jsc: { parser: { syntax: 'typescript' }, target: 'es2023' },
    });
    const to = join(target, path.slice(SOURCE.length).replace(/\.ts$/, '.mjs'));
    await mkdir(dirname(to), { recursive: true });
    await writeFile(to, code.replaceAll(/(from ['"]\.[^'"]*)\.ts(['"])/g, '$1.mjs$2'));
  }
}

async function generate(target) {
  await compile(target);
  const pages = [];
  for (const [page, module, name, input] of PAGES) {
    const exports = await import(pathToFileURL(join(target, module.replace(/\.ts$/, '.mjs'))).href);
    const path = join(ROOT, page);
    const given = input === undefined ? [] : [JSON.parse(await readFile(join(SOURCE, input), 'utf8'))];
    const text = exports[name](...given);
    pages.push([page, path, await format(text, { ...(await resolveConfig(path)), parser: 'markdown' })]);
  }
  return [...pages, ...(await dashboards(ROOT, target))];
}

const cache = join(ROOT, 'node_modules', '.cache', 'umbel');
await mkdir(cache, { recursive: true });
const target = await mkdtemp(join(cache, 'gen-'));
try {
  for (const [page, path, text] of await generate(target)) {
    const isSame = (await readFile(path, 'utf8').catch(() => '')) === text;
    if (!process.argv.includes('--check')) {
      if (!isSame) {
        await mkdir(dirname(path), { recursive: true });
        await writeFile(path, text);
      }
      console.log(`${page}: ${isSame ? 'unchanged' : 'written'}`);
    } else if (!isSame) {
      console.error(`${page} differs from the code it is made from: run npm run gen and commit it`);
      process.exitCode = 1;
    }
  }
} finally {
  await rm(target, { recursive: true, force: true });
}
