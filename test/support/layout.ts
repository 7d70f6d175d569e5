/** What the layout tests of both parts ask of every file. */
import type { Source } from './sources.ts';

const MOST_LINES = 400;
const MOST_LINES_OF_A_FUNCTION = 80;
/** With the markup of a component. */
const MOST_LINES_OF_A_COMPONENT = 160;

export const isTest = (path: string): boolean => /\.(test|testkit)\.tsx?$|\/testing\/|\/fixtures\//.test(path);

export function longFiles(sources: readonly Source[]): string[] {
  return sources.filter(({ lines }) => lines > MOST_LINES).map(({ path, lines }) => `${path}: ${lines} lines`);
}

export function longFunctions(sources: readonly Source[]): string[] {
  return sources.flatMap(({ path, functions }) =>
    functions
      .filter(({ name }) => !/^(an argument of )?describe/.test(name))
      .filter(({ lines, markup }) => lines - markup > MOST_LINES_OF_A_FUNCTION || lines > MOST_LINES_OF_A_COMPONENT)
      .map(({ name, line, lines }) => `${path}:${line} ${name}: ${lines} lines`),
  );
}

/** Cycles of imports that are more than types, as paths. */
export function cyclesOf(sources: readonly Source[]): string[] {
  const byPath = new Map(sources.map((source) => [source.path, source]));
  const done = new Set<string>();
  return sources.flatMap((source) => cycleFrom(source, byPath, done)?.join(' → ') ?? []);
}

/** A cycle through `start`, as a path; undefined when there is none. */
function cycleFrom(start: Source, byPath: ReadonlyMap<string, Source>, done: Set<string>): string[] | undefined {
  const trail: string[] = [];
  const walk = (source: Source): string[] | undefined => {
    const at = trail.indexOf(source.path);
    if (at >= 0) return [...trail.slice(at), source.path];
    if (done.has(source.path)) return undefined;
    trail.push(source.path);
    for (const { local, typeOnly, target } of source.imports) {
      const next = local && !typeOnly ? byPath.get(target) : undefined;
      const cycle = next === undefined ? undefined : walk(next);
      if (cycle !== undefined) return cycle;
    }
    trail.pop();
    done.add(source.path);
    return undefined;
  };
  return walk(start);
}
