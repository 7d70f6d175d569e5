import { type Action, dashed, FLAGS, type Meaning, SHORT_FLAGS } from './names.ts';
import { closest } from './suggest.ts';
import { booleanWord } from './value-types.ts';

/** A value as it was given. */
export interface Given {
  readonly meaning: Exclude<Meaning, { kind: 'action' }>;
  /** As typed, e.g. `--port` or `UMBEL_PORT`. */
  readonly source: string;
  readonly text: string;
}

export interface Arguments {
  readonly given: readonly Given[];
  readonly actions: readonly Action[];
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

interface Token {
  readonly meaning: Meaning;
  readonly source: string;
  /** The part after `=`, or after a short flag's letter. */
  readonly attached: string | undefined;
}

/** Reads a command line (without node and script): `--name value`, `--name=value`, `-n value`; `_` is `-`. Never throws. */
export function readArguments(argv: readonly string[]): Arguments {
  const result = { given: [] as Given[], actions: [] as Action[], problems: [] as string[], warnings: [] as string[] };
  for (let index = 0; index < argv.length; index += 1) {
    const word = argv[index] ?? '';
    if (word === '--') continue;
    if (word === 'doctor' || word === 'import') {
      result.actions.push(word);
      continue;
    }
    if (!word.startsWith('-') || word === '-') {
      notAnOption(word, result);
      continue;
    }
    const token = readToken(word);
    if (token === undefined) {
      result.problems.push(unknownFlag(word));
      if (isLikelyValue(argv[index + 1]) && !word.includes('=')) index += 1;
    } else if (token.meaning.kind === 'action') {
      result.actions.push(token.meaning.action);
    } else {
      index += takeValue({ ...token, meaning: token.meaning }, argv[index + 1], result);
    }
  }
  return result;
}

function notAnOption(word: string, result: { problems: string[]; warnings: string[] }): void {
  if (word === 'flower' || word === 'celery') {
    result.warnings.push(`${word}: there are no commands but doctor and import, only options; the word was left out`);
  } else {
    result.problems.push(`${word}: not an option; write options as --name value (--help lists them)`);
  }
}

function readToken(word: string): Token | undefined {
  const equals = word.indexOf('=');
  const head = equals < 0 ? word : word.slice(0, equals);
  const value = equals < 0 ? undefined : word.slice(equals + 1);
  if (head.startsWith('--')) {
    const meaning = FLAGS.get(dashed(head.slice(2)));
    return meaning === undefined ? undefined : { meaning, source: head, attached: value };
  }
  const meaning = SHORT_FLAGS.get(word.charAt(1));
  const rest = word.slice(2);
  const attached = rest === '' ? undefined : rest.replace(/^=/, '');
  return meaning === undefined ? undefined : { meaning, source: word.slice(0, 2), attached };
}

/** Adds what was given; returns how many further words it used up. */
function takeValue(
  token: Token & Pick<Given, 'meaning'>,
  next: string | undefined,
  result: { given: Given[]; problems: string[] },
): number {
  const { meaning, source, attached } = token;
  const isSwitch = (meaning.kind === 'own' ? meaning.option.type.isSwitch : meaning.option.isSwitch) ?? false;
  const add = (text: string): void => void result.given.push({ meaning, source, text });
  if ('negated' in meaning) {
    const word = attached === undefined ? true : booleanWord(attached);
    if (word === undefined) result.problems.push(`${source}: takes no value`);
    else add(String(!word));
    return 0;
  }
  if (attached !== undefined) {
    add(attached);
    return 0;
  }
  const isTaken = next !== undefined && (isSwitch ? isSwitchValue(next) : isLikelyValue(next));
  if (isTaken) add(next);
  else if (isSwitch) add('true');
  else result.problems.push(`${source}: needs a value; write ${source} VALUE or ${source}=VALUE`);
  return isTaken ? 1 : 0;
}

/** Besides yes and no: what `--broker-use-ssl` takes, JSON or KEY=VALUE. */
function isSwitchValue(word: string): boolean {
  return booleanWord(word) !== undefined || /^(\{|\w+=)/.test(word);
}

function isLikelyValue(word: string | undefined): word is string {
  return word !== undefined && (!word.startsWith('-') || word === '-' || /^-\d/.test(word));
}

function unknownFlag(word: string): string {
  const head = word.split('=')[0] ?? word;
  const near = closest(dashed(head.replace(/^-+/, '')), FLAGS.keys());
  return `${head}: unknown option${near === undefined ? '; --help lists all' : `; did you mean --${near}?`}`;
}
