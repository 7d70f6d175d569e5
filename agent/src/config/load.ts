import { type Given, readArguments } from './arguments.ts';
import { ConfigError, type Config } from './config.ts';
import { readEnvironment } from './environment.ts';
import type { Action } from './names.ts';
import type { Option } from './option.ts';
import { ALL_OPTIONS } from './options.ts';
import { HIDDEN, redactUrls } from './redact.ts';
import { collectNotes, notesOnWhole } from './notes.ts';
import { BadValueError } from './value-types.ts';
import type { JsonObject, JsonValue } from './value-types-lists.ts';

export interface LoadDeps {
  /** Reads a file as UTF-8; throws if it cannot. */
  readonly readFile: (path: string) => string;
  /** Default of `--agent-name`. */
  readonly hostname: string;
  /** Throws an Error whose message names the part and the fix, never the password; left out: anything goes. */
  readonly checkBrokerUrls?: (urls: string) => unknown;
}

/** A value and where it came from: a flag, a variable, or `default`. */
export interface Sourced {
  readonly option: Option<unknown>;
  readonly value: unknown;
  readonly source: string;
}

export interface Loaded {
  readonly config: Config;
  /** Whole sentences for the log, each naming the option. */
  readonly warnings: readonly string[];
  /** Every option in the order of the table, for `--print-config`. */
  readonly values: readonly Sourced[];
  /** `--print-config` was given. */
  readonly printOnly: boolean;
  /** `doctor` was given: checks instead of a start; with `--json` they are printed so. */
  readonly doctor?: { readonly json: boolean };
  /** `import` was given: the results that the result backend holds become the first history. */
  readonly importOnly: boolean;
}

/** The action that the command line asks for before anything is checked: `help` wins over `version`. */
export function requestedAction(argv: readonly string[]): Action | undefined {
  const { actions } = readArguments(argv);
  return (['help', 'version', 'hash-password', 'print-config', 'doctor', 'import'] as const).find((action) =>
    actions.includes(action),
  );
}

/**
 * The configuration from the command line (without node and script) and the environment. Command line before
 * `UMBEL_…`, before `FLOWER_…`, `CE_…`, `CELERY_…`, before the default.
 * @throws ConfigError with every problem at once.
 */
export function loadConfig(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  deps: LoadDeps,
): Loaded {
  const fromArguments = readArguments(argv);
  const fromEnvironment = readEnvironment(env);
  const load = new Load(deps);
  load.problems.push(...fromArguments.problems);
  load.warnings.push(...fromArguments.warnings, ...fromEnvironment.warnings);
  const given = [...load.translateForeign(fromArguments.given), ...load.translateForeign(fromEnvironment.given)];
  const values = load.resolveAll(given);
  const config = freeze(assemble(values));
  const whole = notesOnWhole(config, deps.checkBrokerUrls, values.get('broker')?.source ?? '--broker');
  load.problems.push(...whole.problems);
  load.warnings.push(...whole.warnings);
  if (load.problems.length > 0) throw new ConfigError([...new Set(load.problems)]);
  return {
    config,
    warnings: [...new Set(load.warnings)],
    values: [...values.values()],
    importOnly: fromArguments.actions.includes('import'),
    printOnly: fromArguments.actions.includes('print-config'),
    ...(fromArguments.actions.includes('doctor') && { doctor: { json: fromArguments.actions.includes('json') } }),
  };
}

/** The steps of one load; problems gather instead of being thrown. */
class Load {
  readonly problems: string[] = [];
  readonly warnings: string[] = [];
  readonly #deps: LoadDeps;
  readonly #explicit = new Set<string>();

  constructor(deps: LoadDeps) {
    this.#deps = deps;
  }

  /** Judges foreign options; what they stand for comes last, so that the option itself wins. */
  translateForeign(given: readonly Given[]): readonly Given[] {
    const own = given.filter(({ meaning }) => meaning.kind === 'own');
    const implied: Given[] = [];
    for (const { meaning, source, text } of given) {
      if (meaning.kind !== 'foreign') continue;
      const { problem, warning, instead } = meaning.option.judge(text);
      if (problem !== undefined) this.problems.push(`${source}: ${problem}`);
      if (warning !== undefined) this.warnings.push(`${source}: ${warning}`);
      const target = ALL_OPTIONS.find(({ option }) => option.name === instead?.name);
      if (target !== undefined && instead !== undefined) {
        implied.push({ meaning: { kind: 'own', option: target.option }, source, text: instead.value });
      }
    }
    return [...own, ...implied];
  }

  resolveAll(given: readonly Given[]): ReadonlyMap<string, Sourced> {
    const values = new Map<string, Sourced>();
    for (const { option } of ALL_OPTIONS) values.set(option.name, this.#resolve(option, given, values));
    return values;
  }

  #resolve(option: Option<unknown>, given: readonly Given[], values: ReadonlyMap<string, Sourced>): Sourced {
    const candidates = given.filter(({ meaning }) => meaning.kind === 'own' && meaning.option === option);
    const strongest = candidates[0];
    if (strongest !== undefined) {
      this.#explicit.add(option.name);
      return this.#parse(option, this.#sameRank(strongest, candidates));
    }
    return this.#partOfOther(option, values) ?? this.#inherited(option, values) ?? this.#default(option);
  }

  /** Flags may be repeated; of several variables the first counts. A variable and its `_FILE` exclude each other. */
  #sameRank(strongest: Given, candidates: readonly Given[]): readonly Given[] {
    if (strongest.source.startsWith('-')) return candidates.filter(({ source }) => source.startsWith('-'));
    const twin = strongest.source.endsWith('_FILE') ? strongest.source.slice(0, -5) : `${strongest.source}_FILE`;
    if (candidates.some(({ source }) => source === twin)) {
      this.problems.push(`${strongest.source}: ${twin} is set too; keep one of them`);
    }
    return [strongest];
  }

  #parse(option: Option<unknown>, given: readonly Given[]): Sourced {
    const source = [...new Set(given.map((one) => one.source))].join(', ');
    const texts = given.map((one) => this.#textOf(one));
    if (texts.some((text) => text === undefined)) return { option, value: option.default, source };
    return this.#parseTexts(option, texts as string[], source);
  }

  #textOf({ meaning, source, text }: Given): string | undefined {
    if (meaning.kind !== 'own' || !meaning.fromFile) return text;
    try {
      const content = this.#deps.readFile(text).replace(/\r?\n$/, '');
      if (content !== '') return content;
      if (meaning.option.mayBeEmptyFile === true) return undefined;
      this.problems.push(`${source}: the file ${text} is empty; write the value into it`);
    } catch (error) {
      this.problems.push(`${source}: the file ${text} cannot be read (${reasonOf(error)})`);
    }
    return undefined;
  }

  #parseTexts(option: Option<unknown>, texts: readonly string[], source: string): Sourced {
    try {
      const value = option.type.parse(texts);
      this.#checkFile(option, value, source);
      this.warnings.push(...collectNotes(option, value, source));
      return { option, value, source };
    } catch (error) {
      if (!(error instanceof BadValueError)) throw error;
      this.problems.push(`${source}: ${shown(option, texts)} does not fit; ${error.message}`);
      return { option, value: option.default, source };
    }
  }

  #checkFile(option: Option<unknown>, value: unknown, source: string): void {
    if (!option.isFile || typeof value !== 'string') return;
    try {
      this.#deps.readFile(value);
    } catch (error) {
      this.problems.push(`${source}: the file ${value} cannot be read (${reasonOf(error)})`);
    }
  }

  #partOfOther(option: Option<unknown>, values: ReadonlyMap<string, Sourced>): Sourced | undefined {
    const { partOf } = option;
    const whole = partOf === undefined ? undefined : values.get(partOf.option);
    if (partOf === undefined || whole === undefined || typeof whole.value !== 'object' || whole.value === null)
      return undefined;
    const json = whole.value as JsonObject;
    const key = partOf.keys.find((candidate) => Object.hasOwn(json, candidate));
    const text = key === undefined ? undefined : textOfJson(json[key]);
    return text === undefined ? undefined : this.#parseTexts(option, [text], `${whole.source} (${key ?? ''})`);
  }

  #inherited(option: Option<unknown>, values: ReadonlyMap<string, Sourced>): Sourced | undefined {
    const { inherits } = option;
    if (inherits === undefined || !this.#explicit.has(inherits)) return undefined;
    const parent = values.get(inherits);
    return parent === undefined ? undefined : { option, value: parent.value, source: parent.source };
  }

  #default(option: Option<unknown>): Sourced {
    const value = option.name === 'agent-name' ? this.#deps.hostname : option.default;
    return { option, value, source: 'default' };
  }
}

/** A part of a JSON option as the text that its own flag would take; undefined for null, which means "not given". */
function textOfJson(value: JsonValue | undefined): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (Array.isArray(value)) return value.map(String).join(',');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function shown(option: Option<unknown>, texts: readonly string[]): string {
  if (option.hide === 'secret') return HIDDEN;
  const typed = texts.join(' ');
  const visible = option.hide === 'url' ? redactUrls(typed) : typed;
  return `"${visible.length > 200 ? `${visible.slice(0, 200)}…` : visible}"`;
}

function reasonOf(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return error instanceof Error ? error.message : String(error);
}

function assemble(values: ReadonlyMap<string, Sourced>): Config {
  const config: Record<string, Record<string, unknown>> = {};
  for (const { section, key, option } of ALL_OPTIONS) {
    (config[section] ??= {})[key] = values.get(option.name)?.value;
  }
  return config as unknown as Config;
}

function freeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const member of Object.values(value)) freeze(member);
  return value;
}
