import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import ts from 'typescript';
import { ROOT } from './paths.ts';

export interface SourceImport {
  /** Path from the root, or a package's name. */
  readonly target: string;
  readonly local: boolean;
  readonly typeOnly: boolean;
}

export interface SourceFunction {
  readonly name: string;
  readonly line: number;
  readonly lines: number;
  /** Of them, lines of JSX: what a component looks like. */
  readonly markup: number;
}

/** One file of the repository, as far as the layout test looks at it. */
export interface Source {
  /** Path from the root, with slashes. */
  readonly path: string;
  readonly lines: number;
  readonly imports: readonly SourceImport[];
  readonly functions: readonly SourceFunction[];
  /** Dotted names that are read or called, e.g. `process.env`, `Date.now`, `setTimeout`, with their lines. */
  readonly uses: ReadonlyMap<string, number>;
  readonly defaultExport: boolean;
}

/** Every TypeScript and plain JavaScript file under the folders, parsed (not type-checked). */
export function readSources(folders: readonly string[]): Source[] {
  return folders.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.(tsx?|mjs)$/.test(entry.name))
      .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)))
      .filter((path) => !/(^|\/)(node_modules|dist)\//.test(path))
      .map(readSource),
  );
}

function readSource(path: string): Source {
  const text = readFileSync(join(ROOT, path), 'utf8');
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const found = { imports: [] as SourceImport[], functions: [] as SourceFunction[], uses: new Map<string, number>() };
  let defaultExport = false;
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) found.imports.push(...importOf(path, node));
    if (ts.isFunctionLike(node) && 'body' in node && node.body !== undefined)
      found.functions.push(functionOf(file, node));
    if (ts.isExportAssignment(node)) defaultExport = true;
    if (ts.canHaveModifiers(node)) {
      defaultExport ||= ts.getModifiers(node)?.some(({ kind }) => kind === ts.SyntaxKind.DefaultKeyword) ?? false;
    }
    const name = usedName(node);
    if (name !== undefined && !found.uses.has(name)) found.uses.set(name, lineOf(file, node.getStart()));
    ts.forEachChild(node, visit);
  };
  visit(file);
  return { path, lines: text.trimEnd().split('\n').length, defaultExport, ...found };
}

const lineOf = (file: ts.SourceFile, position: number): number => file.getLineAndCharacterOfPosition(position).line + 1;

function importOf(path: string, node: ts.ImportDeclaration | ts.ExportDeclaration): SourceImport[] {
  const { moduleSpecifier } = node;
  if (moduleSpecifier === undefined || !ts.isStringLiteral(moduleSpecifier)) return [];
  const name = moduleSpecifier.text;
  const local = name.startsWith('.');
  const target = local ? fileOf(join(dirname(path), name)) : name;
  const typeOnly = ts.isImportDeclaration(node)
    ? node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword
    : node.isTypeOnly;
  return [{ target, local, typeOnly }];
}

/** The plugin's bundler finds files without their extension. */
function fileOf(path: string): string {
  const isFile = (candidate: string): boolean =>
    statSync(join(ROOT, candidate), { throwIfNoEntry: false })?.isFile() === true;
  return [path, `${path}.ts`, `${path}.tsx`, `${path}/index.ts`].find(isFile) ?? path;
}

function functionOf(file: ts.SourceFile, node: ts.SignatureDeclaration): SourceFunction {
  const line = lineOf(file, node.getStart());
  const parent = node.parent;
  const named = node.name ?? (ts.isVariableDeclaration(parent) ? parent.name : undefined);
  const called = ts.isCallExpression(parent) ? parent.expression.getText(file) : undefined;
  const name = named?.getText(file) ?? (called === undefined ? 'a function' : `an argument of ${called}`);
  return { name, line, lines: lineOf(file, node.end) - line + 1, markup: markupOf(file, node) };
}

function markupOf(file: ts.SourceFile, node: ts.Node): number {
  let lines = 0;
  ts.forEachChild(node, (child) => {
    const isMarkup = ts.isJsxElement(child) || ts.isJsxSelfClosingElement(child) || ts.isJsxFragment(child);
    lines += isMarkup ? lineOf(file, child.end) - lineOf(file, child.getStart()) + 1 : markupOf(file, child);
  });
  return lines;
}

function usedName(node: ts.Node): string | undefined {
  if (ts.isPropertyAccessExpression(node) && ts.isIdentifier(node.expression)) {
    return `${node.expression.text}.${node.name.text}`;
  }
  if (ts.isCallExpression(node) && ts.isIdentifier(node.expression)) return node.expression.text;
  if (ts.isNewExpression(node) && ts.isIdentifier(node.expression) && (node.arguments?.length ?? 0) === 0) {
    return `new ${node.expression.text}()`;
  }
  return undefined;
}
