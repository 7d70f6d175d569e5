import { WideInteger } from './wide-integer.ts';

/** Deepest nesting of a text that is read; kombu's own reader gives up near 1000 (Python's recursion limit). */
const MAX_DEPTH = 2000;
const NUMBER = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?/y;
const WORDS = new Map<string, unknown>([
  ['null', null],
  ['true', true],
  ['false', false],
  ['NaN', NaN],
  ['Infinity', Infinity],
  ['-Infinity', -Infinity],
]);

/**
 * Reads what Python's `json` writes and `JSON.parse` does not or not exactly: `NaN`, `Infinity`, `-Infinity`, and
 * integers beyond 2^53 (as `WideInteger`). Slow: for texts on which `JSON.parse` failed or lost digits.
 * Throws SyntaxError, also beyond 2000 levels.
 */
export function parsePythonJson(text: string): unknown {
  const reader = new PythonJsonReader(text);
  return reader.document();
}

class PythonJsonReader {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): unknown {
    const value = this.#value();
    this.#blanks();
    if (this.#at < this.#text.length) this.#fail();
    return value;
  }

  #value(): unknown {
    this.#blanks();
    switch (this.#text[this.#at]) {
      case '{':
        return this.#nested(() => this.#object());
      case '[':
        return this.#nested(() => this.#array());
      case '"':
        return this.#string();
      default:
        return this.#wordOrNumber();
    }
  }

  #nested(read: () => unknown): unknown {
    this.#at++;
    if (++this.#depth > MAX_DEPTH) this.#fail();
    const value = read();
    this.#depth--;
    return value;
  }

  #object(): Record<string, unknown> {
    const object: Record<string, unknown> = {};
    if (this.#take('}')) return object;
    do {
      this.#blanks();
      if (this.#text[this.#at] !== '"') this.#fail();
      const key = this.#string();
      if (!this.#take(':')) this.#fail();
      setOwn(object, key, this.#value());
    } while (this.#take(','));
    if (!this.#take('}')) this.#fail();
    return object;
  }

  #array(): unknown[] {
    const array: unknown[] = [];
    if (this.#take(']')) return array;
    do array.push(this.#value());
    while (this.#take(','));
    if (!this.#take(']')) this.#fail();
    return array;
  }

  #string(): string {
    const start = this.#at;
    let end = this.#text.indexOf('"', start + 1);
    while (end > 0 && this.#escaped(end)) end = this.#text.indexOf('"', end + 1);
    if (end < 0) this.#fail();
    this.#at = end + 1;
    return JSON.parse(this.#text.slice(start, end + 1)) as string;
  }

  /** An odd number of backslashes before a quote escapes it. */
  #escaped(quote: number): boolean {
    let first = quote;
    while (this.#text[first - 1] === '\\') first--;
    return (quote - first) % 2 === 1;
  }

  #wordOrNumber(): unknown {
    for (const [word, value] of WORDS) {
      if (!this.#text.startsWith(word, this.#at)) continue;
      this.#at += word.length;
      return value;
    }
    return this.#number();
  }

  #number(): unknown {
    NUMBER.lastIndex = this.#at;
    const match = NUMBER.exec(this.#text);
    if (match === null) this.#fail();
    this.#at = NUMBER.lastIndex;
    const value = Number(match[0]);
    const integer = match[1] === undefined && match[2] === undefined;
    return integer && !Number.isSafeInteger(value) ? new WideInteger(match[0]) : value;
  }

  #take(character: string): boolean {
    this.#blanks();
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #blanks(): void {
    while (isBlank(this.#text.charCodeAt(this.#at))) this.#at++;
  }

  #fail(): never {
    throw new SyntaxError(`unexpected ${JSON.stringify(this.#text.slice(this.#at, this.#at + 20))} at ${this.#at}`);
  }
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

/** Sets a member as `JSON.parse` does: `__proto__` becomes a member like any other, never the prototype. */
export function setOwn(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__') {
    Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
  } else {
    object[key] = value;
  }
}

/**
 * Structural tokens (brackets, braces, commas outside of strings) in a JSON text; stops counting above `limit`.
 * Millions of them in a small text are objects of hundreds of megabytes.
 */
export function countJsonTokens(json: Buffer, limit: number): number {
  let tokens = 0;
  let inString = false;
  for (let i = 0; i < json.length && tokens <= limit; i++) {
    const byte = json[i];
    if (inString) {
      if (byte === 0x5c) i++;
      else if (byte === 0x22) inString = false;
    } else if (byte === 0x22) inString = true;
    else if (byte === 0x2c || byte === 0x5b || byte === 0x7b) tokens++;
  }
  return tokens;
}
