#!/usr/bin/env node
/**
 * Language files of the built plugins. English stands in the code, as the default of `t()` and the children of
 * `<Trans>`; plugin/locales/<language>.json holds the other languages, key by key. After the build of the plugin this
 * writes dist/…/locales/<language>/<plugin id>.json for each of the plugins, with the keys that it uses.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import ts from 'typescript';

const PLUGIN = join(import.meta.dirname, '..', 'plugin');
const SOURCE = join(PLUGIN, 'src');
const TRANSLATIONS = join(PLUGIN, 'locales');
const ENGLISH = 'en-US';

/** Texts of one file by key. @returns {[key: string, text: string][]} */
function textsOf(path) {
  const file = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true, ts.ScriptKind.TSX);
  const found = [];
  const visit = (node) => {
    if (ts.isCallExpression(node) && node.expression.getText() === 't') {
      const [key, text] = node.arguments;
      if (key !== undefined && text !== undefined && ts.isStringLiteralLike(key) && ts.isStringLiteralLike(text)) {
        found.push([key.text, text.text]);
      } else if (key !== undefined) {
        throw new Error(
          `${relative(PLUGIN, path)}: t() needs a key and an English text as literals: ${node.getText()}`,
        );
      }
    }
    if (ts.isJsxElement(node) && node.openingElement.tagName.getText() === 'Trans') {
      const key = node.openingElement.attributes.properties.find((one) => one.name?.getText() === 'i18nKey');
      if (key?.initializer !== undefined) found.push([key.initializer.text, childrenText(node.children)]);
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

/** As react-i18next writes children: elements by their index, values in double braces. */
function childrenText(children) {
  const parts = children.map((child) => {
    if (ts.isJsxText(child)) return jsxText(child.text);
    if (ts.isJsxExpression(child)) return expressionText(child.expression);
    return child;
  });
  const kept = parts.filter((part) => part !== '' && part !== undefined);
  return kept
    .map((part, index) =>
      typeof part === 'string' ? part : `<${index}>${childrenText(part.children ?? [])}</${index}>`,
    )
    .join('');
}

/** Line breaks with their indentation are no text, as in JSX itself. */
function jsxText(text) {
  const lines = text.split('\n');
  return lines
    .map((line, index) => (index === 0 ? line : line.trimStart()))
    .map((line, index) => (index === lines.length - 1 ? line : line.trimEnd()))
    .filter((line) => line !== '')
    .join(' ');
}

function expressionText(expression) {
  if (expression === undefined) return '';
  if (ts.isStringLiteralLike(expression)) return expression.text;
  if (ts.isObjectLiteralExpression(expression)) return `{{${expression.properties[0].name.getText()}}}`;
  throw new Error(`<Trans> takes texts and {{ values }}: ${expression.getText()}`);
}

const sources = readdirSync(SOURCE, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name) && !/\.test\.tsx?$/.test(entry.name))
  .map((entry) => join(entry.parentPath, entry.name));

/** Folder of a plugin, relative to src, and its id. */
export const plugins = readdirSync(SOURCE, { recursive: true })
  .filter((path) => basename(path) === 'plugin.json')
  .map((path) => ({ folder: dirname(path), id: JSON.parse(readFileSync(join(SOURCE, path), 'utf8')).id }));

/** The plugin that a file belongs to; undefined: all of them. */
function ownerOf(path) {
  const within = relative(SOURCE, path);
  const nested = plugins.find(({ folder }) => folder !== '.' && within.startsWith(`${folder}/`));
  return nested ?? (within.startsWith('shared/') ? undefined : plugins.find(({ folder }) => folder === '.'));
}

/** @returns {Map<string, { text: string, owners: Set<string> | undefined }>} by key */
export function englishTexts() {
  const texts = new Map();
  for (const path of sources) {
    for (const [key, text] of textsOf(path)) {
      const known = texts.get(key);
      if (known !== undefined && known.text !== text) {
        throw new Error(`The key ${key} has two texts: "${known.text}" and "${text}" (${relative(PLUGIN, path)})`);
      }
      const owner = ownerOf(path)?.id;
      const owners = owner === undefined ? undefined : known === undefined ? new Set() : known.owners;
      owners?.add(owner);
      texts.set(key, { text, owners: known !== undefined && known.owners === undefined ? undefined : owners });
    }
  }
  return texts;
}

/** @returns {Record<string, Record<string, string>>} language → key → text, without English */
export function translations() {
  const files = readdirSync(TRANSLATIONS).filter((name) => name.endsWith('.json'));
  return Object.fromEntries(
    files.map((name) => [basename(name, '.json'), JSON.parse(readFileSync(join(TRANSLATIONS, name), 'utf8'))]),
  );
}

/** `a.b.c` → nested objects, as i18next reads them. */
function nested(entries) {
  const root = {};
  for (const [key, text] of entries) {
    const path = key.split('.');
    const last = path.pop();
    let at = root;
    for (const name of path) {
      at[name] ??= {};
      if (typeof at[name] === 'string') throw new Error(`The key ${key} stands below another key`);
      at = at[name];
    }
    at[last] = text;
  }
  return root;
}

function write() {
  const english = [...englishTexts()].sort(([a], [b]) => (a < b ? -1 : 1));
  const languages = { [ENGLISH]: undefined, ...translations() };
  for (const { folder, id } of plugins) {
    const own = english.filter(([, { owners }]) => owners === undefined || owners.has(id));
    for (const [language, texts] of Object.entries(languages)) {
      const entries = own.flatMap(([key, { text }]) => {
        const said = texts === undefined ? text : texts[key];
        return said === undefined ? [] : [[key, said]];
      });
      const path = join(PLUGIN, 'dist', folder, 'locales', language, `${id}.json`);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, `${JSON.stringify(nested(entries), null, 2)}\n`);
    }
  }
}

if (process.argv[1] === import.meta.filename) write();
