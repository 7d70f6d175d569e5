import { isMasked } from '../mask/mask.ts';
import type { PythonLiteral } from '../query/python-literal.ts';
import { parsePythonLiteral } from '../query/python-literal.ts';
import { pythonRepr } from '../query/python-repr.ts';
import type { TaskArguments } from './service.ts';

/** Celery cuts at 1024 characters, brackets not counted (celery/app/amqp.py `argsrepr_maxsize`). */
const CUT_LENGTH = 1020;

export type ReadArguments =
  { readonly ok: true; readonly read: TaskArguments } | { readonly ok: false; readonly reason: string };

/**
 * The arguments of a task from the texts that its events carry, where these leave no doubt. They are the work of
 * `saferepr` (celery/utils/saferepr.py): cut at 1024 characters and below three levels, and quoted in a way that reads
 * back for most values only; what may have been something else is refused with the reason.
 */
export function argumentsFromEvents(args: string | null, kwargs: string | null): ReadArguments {
  try {
    const argsValue = read('args', args);
    if (argsValue.kind !== 'tuple' && argsValue.kind !== 'list') throw new Doubt('args are no list in the events');
    const kwargsValue = read('kwargs', kwargs);
    if (kwargsValue.kind !== 'dict') throw new Doubt('kwargs are no dictionary in the events');
    return { ok: true, read: { argsJson: toJson(argsValue), kwargsJson: toJson(kwargsValue) } };
  } catch (error) {
    if (error instanceof Doubt) return { ok: false, reason: error.message };
    throw error;
  }
}

/** The text does not tell the value for certain; the message is the reason. */
class Doubt extends Error {}

function read(field: 'args' | 'kwargs', text: string | null): PythonLiteral {
  if (text === null) throw new Doubt(`the events tell no ${field}`);
  if (isMasked(text)) throw new Doubt(`a secret is masked in the events' ${field}`);
  if (text.includes('...')) throw new Doubt(`the events' ${field} are cut ("...")`);
  if (text.length >= CUT_LENGTH) throw new Doubt(`the events' ${field} are as long as a cut text`);
  const value = parsePythonLiteral(requoted(field, text));
  if (value === undefined) throw new Doubt(`the events' ${field} hold something that is no plain value`);
  return value;
}

/**
 * `saferepr` puts every text between single quotes and escapes these alone: `C:\new` stands there as it is, and so does
 * a line break. Rewritten as Python's own literal; refused where a backslash may mean two things.
 */
function requoted(field: string, text: string): string {
  let literal = '';
  for (let at = 0; at < text.length;) {
    const char = text[at] ?? '';
    if (char === '"') throw new Doubt(`the events' ${field} were not written by Celery ("\\"")`);
    if (char !== "'") {
      literal += char;
      at++;
      continue;
    }
    if (/[A-Za-z]/.test(text[at - 1] ?? ''))
      throw new Doubt(`the events' ${field} hold bytes, which JSON does not know`);
    const end = endOfText(field, text, at);
    literal += pythonRepr({ kind: 'str', value: text.slice(at + 1, end).replaceAll("\\'", "'") });
    at = end + 1;
  }
  return literal;
}

/** Index of the quote that closes the text opened at `open`. */
function endOfText(field: string, text: string, open: number): number {
  for (let at = open + 1; at < text.length; at++) {
    if (text[at] === '\\') {
      // A text that ends in a backslash looks like one that goes on with a quote.
      if (text[at + 1] !== "'" || closes(text, at + 2)) {
        throw new Doubt(`the events' ${field} hold a backslash, which they do not tell apart from an escape`);
      }
      at++;
    } else if (text[at] === "'") {
      if (!closes(text, at + 1)) throw new Doubt(`the events' ${field} have quotes that do not match`);
      return at;
    }
  }
  throw new Doubt(`the events' ${field} have quotes that do not match`);
}

/** What may follow behind a closing quote. */
function closes(text: string, at: number): boolean {
  return at >= text.length || /[,)\]}:]/.test(text[at] ?? '');
}

/** Only values that Python's JSON reader gives back the same, a tuple as a list. */
function toJson(value: PythonLiteral): string {
  switch (value.kind) {
    case 'none':
      return 'null';
    case 'bool':
      return String(value.value);
    case 'int':
      return value.value.toString();
    case 'float':
      if (!Number.isFinite(value.value)) throw new Doubt('a number in the events is too large for a float');
      return pythonRepr(value);
    case 'str':
      return JSON.stringify(value.value);
    case 'list':
    case 'tuple':
      return `[${value.items.map(toJson).join(', ')}]`;
    case 'dict':
      return `{${value.entries.map(([key, item]) => `${keyJson(key)}: ${toJson(item)}`).join(', ')}}`;
    case 'set':
      throw new Doubt('the arguments in the events hold a set, which JSON does not know');
    case 'bytes':
      throw new Doubt('the arguments in the events hold bytes, which JSON does not know');
    case 'ellipsis':
      throw new Doubt('the arguments in the events are cut ("...")');
  }
}

function keyJson(key: PythonLiteral): string {
  if (key.kind !== 'str')
    throw new Doubt('a dictionary in the events has a key that is no text, which JSON does not know');
  return JSON.stringify(key.value);
}
