import { FOREIGN, foreignEnvironmentName, type ForeignOption } from './foreign.ts';
import { environmentNames, type Option } from './option.ts';
import { ALL_OPTIONS } from './options.ts';

/** What a flag or a variable means. */
export type Meaning =
  | { readonly kind: 'own'; readonly option: Option<unknown>; readonly negated?: true; readonly fromFile?: true }
  | { readonly kind: 'foreign'; readonly option: ForeignOption; readonly negated?: true }
  | { readonly kind: 'action'; readonly action: Action };

/** Done instead of starting; `json` only says how `doctor` prints. */
export type Action = 'help' | 'version' | 'print-config' | 'hash-password' | 'doctor' | 'import' | 'json';

const ACTIONS: Readonly<Record<string, Action>> = {
  help: 'help',
  version: 'version',
  'print-config': 'print-config',
  'hash-password': 'hash-password',
  doctor: 'doctor',
  json: 'json',
};

/** Flags are told apart with dashes only; Flower's underscores are the same. */
export function dashed(name: string): string {
  return name.replaceAll('_', '-');
}

/** Every long flag without its dashes. */
export const FLAGS: ReadonlyMap<string, Meaning> = new Map(flagEntries());
/** Every one-letter flag. */
export const SHORT_FLAGS: ReadonlyMap<string, Meaning> = new Map(shortEntries());
/** Every environment variable. */
export const VARIABLES: ReadonlyMap<string, Meaning> = new Map(variableEntries());

function* flagEntries(): Generator<[string, Meaning]> {
  for (const option of FOREIGN) {
    if (option.environmentOnly) continue;
    yield [dashed(option.name), { kind: 'foreign', option }];
    if (option.isSwitch) yield [`no-${dashed(option.name)}`, { kind: 'foreign', option, negated: true }];
  }
  for (const { option } of ALL_OPTIONS) {
    for (const name of [option.name, ...(option.aliases ?? [])]) {
      yield [name, { kind: 'own', option }];
      if (option.type.isSwitch) yield [`no-${name}`, { kind: 'own', option, negated: true }];
      if (option.hide) yield [`${name}-file`, { kind: 'own', option, fromFile: true }];
    }
  }
  for (const [name, action] of Object.entries(ACTIONS)) yield [name, { kind: 'action', action }];
}

function* shortEntries(): Generator<[string, Meaning]> {
  for (const option of FOREIGN) if (option.short !== undefined) yield [option.short, { kind: 'foreign', option }];
  for (const { option } of ALL_OPTIONS) if (option.short !== undefined) yield [option.short, { kind: 'own', option }];
  yield ['h', { kind: 'action', action: 'help' }];
  yield ['V', { kind: 'action', action: 'version' }];
}

function* variableEntries(): Generator<[string, Meaning]> {
  for (const option of FOREIGN) {
    const name = foreignEnvironmentName(option);
    if (name !== undefined) yield [name, { kind: 'foreign', option }];
  }
  for (const { option } of ALL_OPTIONS) {
    for (const name of environmentNames(option)) {
      yield [name, { kind: 'own', option }];
      if (option.hide) yield [`${name}_FILE`, { kind: 'own', option, fromFile: true }];
    }
  }
}
