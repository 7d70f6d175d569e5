/**
 * A JSON text as Python's decoder (json/decoder.py) judges it: the same error texts, which Flower hands on, and the
 * members of an object as pieces of the text, so that no digit of them is lost on the way to a task.
 */

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?/y;
const WORDS = ['null', 'true', 'false', 'NaN', 'Infinity', '-Infinity'];
/** Python gives up near 1000 levels, with an error of its own. */
const MAX_DEPTH = 900;
// eslint-disable-next-line no-control-regex
const CONTROL = /[\x00-\x1f]/;

/** The message is Python's, e.g. `Expecting value: line 1 column 1 (char 0)`. */
export class JsonFault extends Error {}

/**
 * The members of the object that `text` is, each as its own JSON text; of a member given twice the last.
 * Undefined: valid JSON, but no object.
 *
 * @throws JsonFault
 */
export function membersOf(text: string): ReadonlyMap<string, string> | undefined {
  return new Scanner(text).document();
}

class Scanner {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): ReadonlyMap<string, string> | undefined {
    if (this.#text.startsWith('\ufeff')) this.#fail('Unexpected UTF-8 BOM (decode using utf-8-sig)', 0);
    this.#blanks();
    const members = new Map<string, string>();
    const isObject = this.#text[this.#at] === '{';
    if (isObject) this.#object((key, value) => members.set(key, value));
    else this.#value();
    this.#blanks();
    if (this.#at < this.#text.length) this.#fail('Extra data', this.#at);
    return isObject ? members : undefined;
  }

  #value(): void {
    const char = this.#text[this.#at];
    if (char === '"') this.#string();
    else if (char === '{') this.#object();
    else if (char === '[') this.#array();
    else this.#wordOrNumber();
  }

  #object(take?: (key: string, value: string) => void): void {
    this.#enter();
    if (this.#text[this.#at] !== '}') {
      for (;;) {
        if (this.#text[this.#at] !== '"') this.#fail('Expecting property name enclosed in double quotes', this.#at);
        const key = this.#string();
        this.#blanks();
        if (this.#text[this.#at] !== ':') this.#fail("Expecting ':' delimiter", this.#at);
        this.#at += 1;
        this.#blanks();
        const from = this.#at;
        this.#value();
        take?.(key, this.#text.slice(from, this.#at));
        if (this.#isLast('}')) break;
      }
    }
    this.#leave();
  }

  #array(): void {
    this.#enter();
    if (this.#text[this.#at] !== ']') {
      do this.#value();
      while (!this.#isLast(']'));
    }
    this.#leave();
  }

  #enter(): void {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) this.#fail('Nested too deeply', this.#at);
    this.#at += 1;
    this.#blanks();
  }

  #leave(): void {
    this.#depth -= 1;
    this.#at += 1;
  }

  /** Before the closing bracket, or after the comma that goes before another. */
  #isLast(closing: string): boolean {
    this.#blanks();
    if (this.#text[this.#at] === closing) return true;
    if (this.#text[this.#at] !== ',') this.#fail("Expecting ',' delimiter", this.#at);
    this.#at += 1;
    this.#blanks();
    return false;
  }

  #string(): string {
    const begin = this.#at;
    for (this.#at += 1; ; this.#at += 1) {
      const char = this.#text[this.#at];
      if (char === undefined) this.#fail('Unterminated string starting at', begin);
      if (char === '"') break;
      if (char === '\\') this.#escape(begin);
      else if (CONTROL.test(char)) this.#fail('Invalid control character at', this.#at);
    }
    this.#at += 1;
    return JSON.parse(this.#text.slice(begin, this.#at)) as string;
  }

  #escape(begin: number): void {
    const kind = this.#text[this.#at + 1];
    if (kind === undefined) this.#fail('Unterminated string starting at', begin);
    if (kind === 'u') {
      if (!/^[\da-fA-F]{4}/.test(this.#text.slice(this.#at + 2, this.#at + 6)))
        this.#fail('Invalid \\uXXXX escape', this.#at + 1);
      this.#at += 5;
      return;
    }
    if (!'"\\/bfnrt'.includes(kind)) this.#fail('Invalid \\escape', this.#at);
    this.#at += 1;
  }

  #wordOrNumber(): void {
    const word = WORDS.find((one) => this.#text.startsWith(one, this.#at));
    NUMBER.lastIndex = this.#at;
    const found = word ?? NUMBER.exec(this.#text)?.[0];
    if (found === undefined || found === '') this.#fail('Expecting value', this.#at);
    this.#at += found.length;
  }

  #blanks(): void {
    while (' \t\n\r'.includes(this.#text[this.#at] ?? 'x')) this.#at += 1;
  }

  /** Python counts characters, not UTF-16 units. */
  #fail(message: string, at: number): never {
    const before = Array.from(this.#text.slice(0, at));
    const line = before.filter((char) => char === '\n').length + 1;
    const column = before.length - before.lastIndexOf('\n');
    throw new JsonFault(`${message}: line ${line} column ${column} (char ${before.length})`);
  }
}
