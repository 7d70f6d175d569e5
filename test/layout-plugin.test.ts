import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { cyclesOf, isTest, longFiles, longFunctions } from './support/layout.ts';
import { ROOT } from './support/paths.ts';
import { readSources } from './support/sources.ts';

const SOURCE = 'plugin/src';
const sources = readSources([SOURCE, 'plugin/dashboards']);
const code = sources.filter(({ path }) => !isTest(path));

/** `app`, `datasource`, `shared`, `panels/<name>`, `dashboards`; what stands above them is `root`. */
function partOf(path: string): string {
  if (path.startsWith('plugin/dashboards/')) return 'dashboards';
  const [first = '', second = ''] = path.replace(`${SOURCE}/`, '').split('/');
  if (second === '') return 'root';
  return first === 'panels' ? `panels/${second}` : first;
}

/** Parts know what they share, and of the data source only its types: panels find it through Grafana. */
function mayImport(from: string, target: string, typeOnly: boolean): boolean {
  const [source, destination] = [partOf(from), partOf(target)];
  if (source === destination || destination === 'shared') return true;
  if (source === 'root') return destination === 'app';
  if (destination === 'datasource') return typeOnly;
  return source === 'app' && destination === 'root' && target.endsWith('plugin.json');
}

describe('the plugin', () => {
  it('no file has more than 400 lines, no function more than 80', () => {
    expect([...longFiles(sources), ...longFunctions(sources)]).toEqual([]);
  });

  it('no import cycles', () => {
    expect(cyclesOf(sources)).toEqual([]);
  });

  it('no default exports', () => {
    expect(sources.filter(({ defaultExport }) => defaultExport).map(({ path }) => path)).toEqual([]);
  });

  it('panels, the app and the data source share only what is in shared', () => {
    const wrong = code.flatMap(({ path, imports }) =>
      imports
        .filter(
          ({ local, target, typeOnly }) => local && target.startsWith('plugin/') && !mayImport(path, target, typeOnly),
        )
        .map(({ target }) => `${path} → ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  it('of the agent it knows types alone', () => {
    const wrong = code.flatMap(({ path, imports }) =>
      imports
        .filter(({ target, typeOnly }) => target.startsWith('agent/') && !typeOnly)
        .map(({ target }) => `${path} → ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  it('includes every nested plugin and every dashboard, and nothing else', () => {
    const { includes } = JSON.parse(readFileSync(join(ROOT, SOURCE, 'plugin.json'), 'utf8')) as {
      includes: { type: string; path: string }[];
    };
    const pathsOf = (...types: string[]): string[] =>
      includes.filter(({ type }) => types.includes(type)).map(({ path }) => path);
    const nested = readdirSync(join(ROOT, SOURCE), { recursive: true, encoding: 'utf8' }).filter(
      (path) => path.endsWith('/plugin.json') && dirname(path) !== '.',
    );
    const boards = readdirSync(join(ROOT, 'dashboards')).filter((name) => name.endsWith('.json'));
    expect(pathsOf('datasource', 'panel').sort()).toEqual(nested.sort());
    expect(pathsOf('dashboard').sort()).toEqual(boards.map((name) => `dashboards/${name}`).sort());
  });

  it('sees what it judges', () => {
    expect(code.filter(({ path }) => path.endsWith('.tsx')).length).toBeGreaterThan(20);
    const panel = `${SOURCE}/panels/tasks/TasksPanel.tsx`;
    expect(mayImport(panel, `${SOURCE}/panels/workers/model.ts`, true)).toBe(false);
    expect(mayImport(panel, `${SOURCE}/datasource/datasource.ts`, false)).toBe(false);
    expect(mayImport(`${SOURCE}/datasource/datasource.ts`, `${SOURCE}/panels/tasks/columns.ts`, true)).toBe(false);
    expect(sources.flatMap(({ imports }) => imports).some(({ target }) => target.endsWith('.tsx'))).toBe(true);
  });
});
