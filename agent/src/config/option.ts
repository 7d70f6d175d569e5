import type { ValueType } from './value-types.ts';

/** Where an option's value comes from when it is part of a larger JSON option. */
export interface PartOf {
  /** Name of the JSON option. */
  readonly option: string;
  /** Its keys that mean this option; the first one present counts. */
  readonly keys: readonly string[];
}

/** One setting: all that the command line, the environment, the help, the docs and the typed config need to know. */
export interface Option<T> {
  /** Flag without dashes in front; the environment variable `UMBEL_…` follows from it. */
  readonly name: string;
  readonly type: ValueType<T>;
  readonly default: T;
  /** One sentence for help and docs. */
  readonly doc: string;
  /** Further environment variables, in order of precedence after `UMBEL_…`. */
  readonly env?: readonly string[];
  /** Further flags. */
  readonly aliases?: readonly string[];
  /** One letter. */
  readonly short?: string;
  /** `secret`: never shown. `url`: shown with its password hidden. Both can be read from a file: `…_FILE`, `--…-file`. */
  readonly hide?: 'secret' | 'url';
  /** An empty file counts as not set, as an empty variable does: who has a file for each secret may have none of this. */
  readonly mayBeEmptyFile?: true;
  /** Names a file that must be readable. */
  readonly isFile?: true;
  /** Default in words, where it depends on the machine or on another option. */
  readonly defaultDoc?: string;
  /** Name of the option whose given value is the default of this one. */
  readonly inherits?: string;
  readonly partOf?: PartOf;
}

/** Keeps the value's type while the members are checked. */
export function option<T>(definition: Option<T>): Option<T> {
  return definition;
}

/** `UMBEL_` and the name in capitals. */
export function environmentName(name: string): string {
  return `UMBEL_${name.toUpperCase().replaceAll('-', '_')}`;
}

/** Every environment variable of an option, the strongest first; `…_FILE` left out. */
export function environmentNames(definition: Option<unknown>): readonly string[] {
  return [environmentName(definition.name), ...(definition.env ?? [])];
}
