import { describe, expect, it } from '@jest/globals';
import { cyclesOf, isTest, longFiles, longFunctions } from './support/layout.ts';
import { readSources } from './support/sources.ts';

const sources = readSources(['agent/src', 'test', 'scripts']);
const agent = sources.filter(({ path }) => path.startsWith('agent/src/') && !isTest(path));

/** Tables, one entry after the other: their length says nothing about how hard they are to read. */
const TABLES = /^agent\/src\/(config\/(options|table)|http\/contract)/;

describe('sizes', () => {
  it('no file has more than 400 lines', () => {
    expect(longFiles(sources.filter(({ path }) => !TABLES.test(path)))).toEqual([]);
  });

  it('no function has more than 80 lines', () => {
    expect(longFunctions(sources.filter(({ path }) => !TABLES.test(path)))).toEqual([]);
  });
});

/** The part a file of the agent belongs to: its folder, for sinks and transports the folder below that too. */
function partOf(path: string): string {
  const [first = '', second = '', ...rest] = path.replace('agent/src/', '').split('/');
  if (first.endsWith('.ts') || first === 'app') return 'root';
  return (first === 'sinks' || first === 'transport') && rest.length > 0 ? `${first}/${second}` : first;
}

/** Which other parts a part may import; every part may import itself, `root` may import all. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  core: [],
  lib: [],
  config: ['core', 'lib', 'transport'],
  transport: ['core', 'lib'],
  sinks: ['core', 'lib'],
  ingest: ['core', 'lib'],
  control: ['core', 'lib'],
  http: ['core', 'lib'],
  results: ['core', 'lib'],
  heal: ['core', 'lib'],
  identity: ['core', 'lib'],
  doctor: ['core', 'lib', 'config'],
  postgres: ['lib'],
};

function mayImport(from: string, target: string): boolean {
  const [source, destination] = [partOf(from), partOf(target)];
  if (source === 'root' || source === destination) return true;
  const [folder = ''] = source.split('/');
  const allowed = MAY_IMPORT[folder];
  if (allowed === undefined || destination === 'root') return false;
  if (allowed.includes(destination)) return true;
  if (destination === folder) return true; // what all transports or all sinks share
  if (source === 'transport' && destination.startsWith('transport/')) return true; // URL scheme → transport
  return folder !== 'core' && folder !== 'lib' && /(^|\/)ports?\.ts$/.test(target);
}

describe('direction of imports in the agent', () => {
  it('every folder imports only what stands before it on the way of the data', () => {
    const wrong = agent.flatMap(({ path, imports }) =>
      imports
        .filter(({ local, target }) => local && !mayImport(path, target))
        .map(({ target }) => `${path} → ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  it('the core uses no I/O', () => {
    const modules =
      /^(node:(fs|net|http|https|dns|child_process|timers|process|worker_threads)|ioredis|pg|fastify|pino)/;
    const wrong = agent
      .filter(({ path }) => path.startsWith('agent/src/core/'))
      .flatMap(({ path, imports }) =>
        imports.filter((i) => modules.test(i.target)).map((i) => `${path} → ${i.target}`),
      );
    expect(wrong).toEqual([]);
  });

  it('nothing of the agent imports from the tests', () => {
    const wrong = agent.flatMap(({ path, imports }) =>
      imports
        .filter(({ local, target }) => local && (isTest(target) || !target.startsWith('agent/src/')))
        .map(({ target }) => `${path} → ${target}`),
    );
    expect(wrong.filter((line) => !line.endsWith('package.json'))).toEqual([]);
  });
});

describe('habits', () => {
  it('no import cycles', () => {
    expect(cyclesOf(sources)).toEqual([]);
  });

  it('no default exports', () => {
    const wrong = sources.filter(
      ({ path, defaultExport }) => defaultExport && !/^test\/support\/global-|\.(d|config)\.ts$/.test(path),
    );
    expect(wrong.map(({ path }) => path)).toEqual([]);
  });

  it('process.env is read in main.ts and config only', () => {
    const wrong = agent.filter(
      ({ path, uses }) => uses.has('process.env') && !/^agent\/src\/(main\.ts|config\/)/.test(path),
    );
    expect(wrong.map(({ path, uses }) => `${path}:${uses.get('process.env') ?? 0}`)).toEqual([]);
  });

  it('time and timers come from lib/clock.ts only', () => {
    const names = ['Date.now', 'new Date()', 'setTimeout', 'setInterval', 'setImmediate', 'performance.now'];
    const wrong = agent.flatMap(({ path, uses }) =>
      names.filter((name) => uses.has(name)).map((name) => `${path}:${uses.get(name) ?? 0} ${name}`),
    );
    expect(wrong.filter((line) => !line.startsWith('agent/src/lib/clock.ts'))).toEqual([]);
  });
});

it('sees what it judges', () => {
  expect(agent.length).toBeGreaterThan(20);
  expect(agent.flatMap(({ imports }) => imports).filter(({ typeOnly }) => typeOnly).length).toBeGreaterThan(20);
  const clock = agent.find(({ path }) => path === 'agent/src/lib/clock.ts');
  expect([...(clock?.uses.keys() ?? [])]).toEqual(expect.arrayContaining(['Date.now', 'setTimeout', 'setInterval']));
  expect(mayImport('agent/src/core/wire/a.ts', 'agent/src/lib/clock.ts')).toBe(false);
  expect(mayImport('agent/src/sinks/live/hub.ts', 'agent/src/sinks/history/writer.ts')).toBe(false);
  expect(mayImport('agent/src/http/server.ts', 'agent/src/transport/redis/connect.ts')).toBe(false);
  expect(mayImport('agent/src/ingest/ingest.ts', 'agent/src/transport/port.ts')).toBe(true);
});
