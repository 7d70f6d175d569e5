#!/usr/bin/env node
/**
 * `npm run validate`: what Grafana's plugin validator checks, as far as it can be checked without its service (no
 * signature, no scan for known vulnerabilities, no look-up of the links). Takes the directory of a built plugin,
 * default plugin/dist; prints every problem and ends with 1 when there is one.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { englishTexts, translations } from './locales.mjs';
import { contentProblems } from './validator/content.mjs';
import { Build } from './validator/files.mjs';
import { pluginJsonProblems } from './validator/plugin-json.mjs';
import { sourceProblems } from './validator/source.mjs';

const PLUGIN = join(import.meta.dirname, '..', 'plugin');

/** @param {string} directory of the built plugin @returns {string[]} what is wrong with it */
export function problemsOf(directory) {
  if (!existsSync(join(directory, 'plugin.json'))) return [`${directory} holds no built plugin: npm run build`];
  const build = new Build(directory);
  const { version } = JSON.parse(readFileSync(join(PLUGIN, 'package.json'), 'utf8'));
  const [app, ...nested] = build.plugins();
  const root = { app: app.json, version };
  const foreign = nested.filter(({ json }) => json.id.split('-')[0] !== app.json.id.split('-')[0]);
  return [
    ...[app, ...nested].flatMap((plugin) => pluginJsonProblems(build, plugin, root)),
    ...foreign.map(({ json }) => `${json.id}: not of the same organisation as the app`),
    ...contentProblems(build, join(PLUGIN, 'src')),
    ...sourceProblems(new Build(join(PLUGIN, 'src'))),
    ...translationProblems(),
  ];
}

function translationProblems() {
  const english = englishTexts();
  const places = (text) => [...text.matchAll(/\{\{\s*(\w+)|<(\d)>/g)].map(([, value, tag]) => value ?? tag).sort();
  const missing = Object.entries(translations()).flatMap(([language, texts]) =>
    [...english].flatMap(([key, { text }]) =>
      texts[key] === undefined ? [`locales/${language}.json: ${key} is missing ("${text}")`] : [],
    ),
  );
  const wrong = Object.entries(translations()).flatMap(([language, texts]) =>
    Object.entries(texts).flatMap(([key, text]) => {
      const original = english.get(key)?.text;
      if (original === undefined) return [`locales/${language}.json: ${key} is used nowhere`];
      const isSame = places(original).join() === places(text).join();
      return isSame ? [] : [`locales/${language}.json: ${key} must keep the values of "${original}"`];
    }),
  );
  return [...missing, ...wrong];
}

if (process.argv[1] === import.meta.filename) {
  const directory = resolve(process.argv[2] ?? join(PLUGIN, 'dist'));
  const problems = problemsOf(directory);
  for (const problem of problems) console.error(problem);
  console.log(problems.length === 0 ? 'nothing wrong' : `${problems.length} problems`);
  process.exitCode = problems.length === 0 ? 0 : 1;
}
