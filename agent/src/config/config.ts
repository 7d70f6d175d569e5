import type { Option } from './option.ts';
import type { OptionTable } from './options.ts';

type ValueOf<O> = O extends Option<infer T> ? T : never;

/** All settings, typed, checked and frozen: `config.http.port`. Times in ms, sizes in bytes, as the names say. */
export type Config = {
  readonly [S in keyof OptionTable]: { readonly [K in keyof OptionTable[S]]: ValueOf<OptionTable[S][K]> };
};

/** Every problem of the configuration at once. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  /** Whole sentences, each naming the option and the fix; no secrets. */
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}
