import { casefold } from './casefold.ts';
import type { SearchField, SearchNode } from './search.ts';

/** Limits of flower/utils/search.py; lengths and positions count code points, as Python's do. */
const MIN_SUBSTRING_LENGTH = 3;
const MAX_QUERY_LENGTH = 2048;
const MAX_QUERY_TOKENS = 128;
const MAX_QUERY_DEPTH = 5;

const FIELDS: ReadonlySet<string> = new Set(['name', 'state', 'worker', 'args', 'kwargs', 'result']);

/** What `str.isspace()` is true for: not the same as JavaScript's `\s`. */
const SPACE = /^[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]$/; // eslint-disable-line no-control-regex

/** A search that does not parse; the message is Flower's, word for word (flower/utils/search.py `QuerySyntaxError`). */
export class SearchError extends Error {
  /** Code points before the fault; undefined where the whole query is at fault. */
  readonly position: number | undefined;

  constructor(message: string, position?: number) {
    super(position === undefined ? `${message}.` : `${message} at position ${position}.`);
    this.position = position;
  }
}

/**
 * Parses Flower's search syntax exactly as flower/utils/search.py does: same queries accepted, same error texts.
 *
 * @returns undefined when nothing is asked for: every task matches
 * @throws SearchError
 */
export function parseSearch(text: string): SearchNode | undefined {
  const chars = strip(Array.from(text));
  if (chars.length > MAX_QUERY_LENGTH) throw new SearchError(`Query exceeds ${MAX_QUERY_LENGTH} characters`);
  return new Parser(tokenize(chars)).parse();
}

interface Token {
  readonly kind: 'open' | 'close' | 'AND' | 'OR' | 'term' | 'end';
  readonly value: string;
  readonly position: number;
}

function tokenize(chars: readonly string[]): Token[] {
  const tokens: Token[] = [];
  const add = (token: Token): void => {
    tokens.push(token);
    if (tokens.length > MAX_QUERY_TOKENS) throw new SearchError(`Query exceeds ${MAX_QUERY_TOKENS} tokens`);
  };
  let index = 0;
  while (index < chars.length) {
    const char = chars[index] ?? '';
    if (char === '(' || char === ')') {
      add({ kind: char === '(' ? 'open' : 'close', value: char, position: index });
      index += 1;
    } else if (SPACE.test(char)) {
      index += 1;
    } else {
      const word = readWord(chars, index);
      add({ kind: wordKind(word), value: word.value, position: index });
      index = word.end;
    }
  }
  tokens.push({ kind: 'end', value: '', position: chars.length });
  return tokens;
}

interface Word {
  readonly value: string;
  readonly quoted: boolean;
  readonly start: number;
  readonly end: number;
}

function readWord(chars: readonly string[], start: number): Word {
  let value = '';
  let quoted = false;
  let inQuote = false;
  let index = start;
  for (; index < chars.length; index += 1) {
    const char = chars[index] ?? '';
    const next = chars[index + 1];
    if (char === '\\' && (next === '"' || next === '\\')) {
      value += next;
      index += 1;
    } else if (char === '"') {
      quoted = true;
      inQuote = !inQuote;
    } else if (!inQuote && (char === '(' || char === ')' || SPACE.test(char))) {
      break;
    } else {
      value += char;
    }
  }
  if (inQuote) throw new SearchError('Unterminated quoted phrase', start);
  if (value === '') throw new SearchError('Empty search term', start);
  return { value, quoted, start, end: index };
}

function wordKind({ value, quoted, start }: Word): 'AND' | 'OR' | 'term' {
  if (quoted) return 'term';
  if (value === 'NOT') throw new SearchError('NOT is not supported', start);
  return value === 'AND' || value === 'OR' ? value : 'term';
}

/** Recursive descent: or → and → primary, as Flower's `_Parser`. */
class Parser {
  readonly #tokens: readonly Token[];
  #index = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  parse(): SearchNode | undefined {
    if (this.#current().kind === 'end') return undefined;
    const node = this.#or(0);
    const rest = this.#current();
    if (rest.kind !== 'end') throw new SearchError(`Unexpected '${rest.value}'`, rest.position);
    return node;
  }

  #current(): Token {
    const token = this.#tokens[this.#index];
    if (token === undefined) throw new Error('read past the end of the search');
    return token;
  }

  #or(depth: number): SearchNode {
    const nodes = [this.#and(depth)];
    while (this.#current().kind === 'OR') {
      this.#operator();
      nodes.push(this.#and(depth));
    }
    return combine('or', nodes);
  }

  #and(depth: number): SearchNode {
    const nodes = [this.#primary(depth)];
    while (!['end', 'close', 'OR'].includes(this.#current().kind)) {
      if (this.#current().kind === 'AND') this.#operator();
      nodes.push(this.#primary(depth));
    }
    return combine('and', nodes);
  }

  #operator(): void {
    const operator = this.#current();
    this.#index += 1;
    if (['end', 'close', 'AND', 'OR'].includes(this.#current().kind)) {
      throw new SearchError(`${operator.kind} must be followed by a search term`, operator.position);
    }
  }

  #primary(depth: number): SearchNode {
    const token = this.#current();
    if (token.kind === 'open') return this.#group(token, depth);
    if (token.kind !== 'term') throw new SearchError('Expected a search term', token.position);
    this.#index += 1;
    return parseTerm(token);
  }

  #group(open: Token, depth: number): SearchNode {
    if (depth >= MAX_QUERY_DEPTH) {
      throw new SearchError(`Query nesting exceeds ${MAX_QUERY_DEPTH} levels`, open.position);
    }
    this.#index += 1;
    if (this.#current().kind === 'close') throw new SearchError('Empty group', open.position);
    const node = this.#or(depth + 1);
    if (this.#current().kind !== 'close') throw new SearchError('Missing closing parenthesis', open.position);
    this.#index += 1;
    return node;
  }
}

function combine(kind: 'and' | 'or', children: readonly SearchNode[]): SearchNode {
  const flat = new Map<string, SearchNode>();
  for (const child of children) {
    const candidates = child.kind === kind ? child.nodes : [child];
    for (const candidate of candidates) flat.set(JSON.stringify(candidate), candidate);
  }
  const nodes = [...flat.values()];
  const [only] = nodes;
  return nodes.length === 1 && only !== undefined ? only : { kind, nodes };
}

function parseTerm({ value: whole, position }: Token): SearchNode {
  const colon = whole.indexOf(':');
  const candidate = colon < 0 ? '' : casefold(whole.slice(0, colon));
  const isField = isSearchField(candidate);
  const field = isField ? candidate : 'any';
  const value = isField ? whole.slice(colon + 1) : whole;
  if (!isField && value.startsWith('-')) throw new SearchError("Negation with '-' is not supported", position);
  if (value === '') throw new SearchError('Search qualifier requires a value', position);
  const equals = value.indexOf('=');
  if (field === 'kwargs' && equals >= 0) {
    return { kind: 'kwarg', key: stripText(value.slice(0, equals)), value: stripText(value.slice(equals + 1)) };
  }
  if (field !== 'state' && strip(Array.from(value)).length < MIN_SUBSTRING_LENGTH) {
    throw new SearchError(`Substring search terms must contain at least ${MIN_SUBSTRING_LENGTH} characters`, position);
  }
  return { kind: 'term', field, text: value };
}

function isSearchField(text: string): text is Exclude<SearchField, 'any' | 'id'> {
  return FIELDS.has(text);
}

/** Python's `str.strip()`. */
function strip(chars: readonly string[]): readonly string[] {
  let start = 0;
  let end = chars.length;
  while (start < end && SPACE.test(chars[start] ?? '')) start += 1;
  while (end > start && SPACE.test(chars[end - 1] ?? '')) end -= 1;
  return chars.slice(start, end);
}

function stripText(text: string): string {
  return strip(Array.from(text)).join('');
}
