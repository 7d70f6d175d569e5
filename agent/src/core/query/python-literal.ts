/** A value of Python's literal syntax. Integers keep their digits: they may be larger than a double holds. */
export type PythonLiteral =
  | { readonly kind: 'none' }
  /** `...`; only where it was allowed: in a repr it mostly means that something was cut. */
  | { readonly kind: 'ellipsis' }
  | { readonly kind: 'bool'; readonly value: boolean }
  | { readonly kind: 'int'; readonly value: bigint }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'str'; readonly value: string }
  | { readonly kind: 'bytes'; readonly value: Uint8Array }
  | { readonly kind: 'list' | 'tuple' | 'set'; readonly items: readonly PythonLiteral[] }
  /** Keys in order; a key given twice stands once, with its last value. */
  | { readonly kind: 'dict'; readonly entries: readonly (readonly [PythonLiteral, PythonLiteral])[] };

export interface LiteralOptions {
  /** Brackets within brackets. Default 64. */
  readonly maxDepth?: number;
  /** UTF-16 units; longer texts are not looked at. Default 262144. */
  readonly maxLength?: number;
  /** Take `...` for a value, as `ast.literal_eval` does. Default false: a cut repr does not parse. */
  readonly allowEllipsis?: boolean;
}

/** Python refuses to convert longer decimal texts (sys.int_info.default_max_str_digits). */
const MAX_INT_DIGITS = 4300;

/**
 * Reads the repr of a Python value: dict, list, tuple, set, str, bytes, int, float, True, False, None. Evaluates
 * nothing. What it accepts, `ast.literal_eval` accepts with the same value; forms that no repr makes (prefixes, triple
 * quotes, hexadecimal, complex numbers, comments) are refused.
 *
 * @returns undefined when it does not parse or exceeds a limit; never throws
 */
export function parsePythonLiteral(text: string, options: LiteralOptions = {}): PythonLiteral | undefined {
  const { maxDepth = 64, maxLength = 262_144, allowEllipsis = false } = options;
  if (text.length > maxLength) return undefined;
  try {
    return new LiteralParser(text, maxDepth, allowEllipsis).parse();
  } catch (error) {
    if (error instanceof Unparsable) return undefined;
    throw error;
  }
}

class Unparsable extends Error {}

class LiteralParser {
  readonly #text: string;
  readonly #maxDepth: number;
  readonly #allowEllipsis: boolean;
  #at = 0;

  constructor(text: string, maxDepth: number, allowEllipsis: boolean) {
    this.#text = text;
    this.#maxDepth = maxDepth;
    this.#allowEllipsis = allowEllipsis;
  }

  parse(): PythonLiteral {
    this.#match(/[ \t]*/y);
    const value = this.#value(0);
    this.#match(/[ \t\n]*/y);
    if (this.#at !== this.#text.length) throw new Unparsable();
    return value;
  }

  #value(depth: number): PythonLiteral {
    if (depth > this.#maxDepth) throw new Unparsable();
    const char = this.#text[this.#at] ?? '';
    if (char === '[') return { kind: 'list', items: this.#items(']', depth).items };
    if (char === '(') return this.#parenthesised(depth);
    if (char === '{') return this.#braced(depth);
    if (char === "'" || char === '"') return this.#strings();
    if (char === 'b' || char === 'B') return this.#byteStrings();
    return this.#number() ?? this.#word();
  }

  #number(): PythonLiteral | undefined {
    const text = this.#match(/[-+]?(?:\d+\.\d*|\.\d+|\d+)(?:[eE][-+]?\d+)?(?![\w.])/y);
    if (text === undefined) return undefined;
    if (/[.eE]/.test(text)) return { kind: 'float', value: Number(text) };
    const digits = text.replace(/^[-+]/, '');
    if (digits.length > MAX_INT_DIGITS || /^0+[1-9]/.test(digits)) throw new Unparsable();
    return { kind: 'int', value: text.startsWith('-') ? -BigInt(digits) : BigInt(digits) };
  }

  #word(): PythonLiteral {
    switch (this.#match(/True\b|False\b|None\b|set\(\)|\.\.\./y)) {
      case 'True':
        return { kind: 'bool', value: true };
      case 'False':
        return { kind: 'bool', value: false };
      case 'None':
        return { kind: 'none' };
      case 'set()':
        return { kind: 'set', items: [] };
      case '...':
        if (this.#allowEllipsis) return { kind: 'ellipsis' };
        throw new Unparsable();
      default:
        throw new Unparsable();
    }
  }

  #items(close: string, depth: number): { items: PythonLiteral[]; trailingComma: boolean } {
    this.#at += 1;
    const items: PythonLiteral[] = [];
    let trailingComma = false;
    this.#space();
    while (!this.#take(close)) {
      if (items.length > 0 && !trailingComma) throw new Unparsable();
      items.push(this.#value(depth + 1));
      this.#space();
      trailingComma = this.#take(',');
      this.#space();
    }
    return { items, trailingComma };
  }

  #parenthesised(depth: number): PythonLiteral {
    const { items, trailingComma } = this.#items(')', depth);
    const [only] = items;
    return items.length === 1 && only !== undefined && !trailingComma ? only : { kind: 'tuple', items };
  }

  #braced(depth: number): PythonLiteral {
    const start = this.#at;
    this.#at += 1;
    this.#space();
    if (this.#take('}')) return { kind: 'dict', entries: [] };
    const first = this.#hashable(depth);
    this.#space();
    if (this.#take(':')) return this.#dict(first, depth);
    this.#at = start;
    const { items } = this.#items('}', depth);
    if (!items.every(isHashable)) throw new Unparsable();
    return { kind: 'set', items };
  }

  /** From behind the first colon to the closing brace. */
  #dict(firstKey: PythonLiteral, depth: number): PythonLiteral {
    const entries = new Map<string, readonly [PythonLiteral, PythonLiteral]>();
    for (let key = firstKey; ;) {
      this.#space();
      const value = this.#value(depth + 1);
      const same = keyOf(key);
      entries.set(same, [entries.get(same)?.[0] ?? key, value]);
      this.#space();
      const comma = this.#take(',');
      this.#space();
      if (this.#take('}')) return { kind: 'dict', entries: [...entries.values()] };
      if (!comma) throw new Unparsable();
      key = this.#hashable(depth);
      this.#space();
      if (!this.#take(':')) throw new Unparsable();
    }
  }

  #hashable(depth: number): PythonLiteral {
    const value = this.#value(depth + 1);
    if (!isHashable(value)) throw new Unparsable();
    return value;
  }

  /** Adjacent literals are one string, as Python's grammar has it. */
  #strings(): PythonLiteral {
    let value = '';
    do {
      value += unescapeText(this.#quoted());
      this.#match(/[ \t]*/y);
    } while (this.#text[this.#at] === "'" || this.#text[this.#at] === '"');
    return { kind: 'str', value };
  }

  #byteStrings(): PythonLiteral {
    const parts: Uint8Array[] = [];
    do {
      this.#at += 1;
      parts.push(unescapeBytes(this.#quoted()));
      this.#match(/[ \t]*/y);
    } while (/^[bB]$/.test(this.#text[this.#at] ?? ''));
    return { kind: 'bytes', value: Uint8Array.from(Buffer.concat(parts)) };
  }

  /** What stands between the quotes, escapes untouched. */
  #quoted(): string {
    const literal = this.#match(/'(?:[^'\\\n\r\0]|\\[^\n\r\0])*'|"(?:[^"\\\n\r\0]|\\[^\n\r\0])*"/y);
    // Two quotes and a third open a triple-quoted text.
    if (literal === undefined || (literal.length === 2 && this.#text[this.#at] === literal[0])) throw new Unparsable();
    return literal.slice(1, -1);
  }

  #space(): void {
    this.#match(/[ \t\n\r\f]*/y);
  }

  #take(char: string): boolean {
    if (this.#text[this.#at] !== char) return false;
    this.#at += 1;
    return true;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }
}

function isHashable(value: PythonLiteral): boolean {
  if (value.kind === 'list' || value.kind === 'set' || value.kind === 'dict') return false;
  return value.kind !== 'tuple' || value.items.every(isHashable);
}

/** Equal for keys that Python takes for the same: 1, 1.0 and True are. */
function keyOf(value: PythonLiteral): string {
  switch (value.kind) {
    case 'bool':
      return value.value ? 'n1' : 'n0';
    case 'int':
      return `n${value.value}`;
    case 'float':
      return Number.isInteger(value.value) ? `n${BigInt(value.value)}` : `n${value.value}`;
    case 'str':
      return `s${value.value}`;
    case 'bytes':
      return `b${value.value.join()}`;
    case 'tuple':
      // Lengths, not quotes: those would double with every tuple around them.
      return `t${value.items.map((item) => lengthFirst(keyOf(item))).join('')}`;
    default:
      return value.kind;
  }
}

function lengthFirst(text: string): string {
  return `${text.length}:${text}`;
}

const SIMPLE_ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\',
  "'": "'",
  '"': '"',
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

const TEXT_ESCAPE = /\\(?:x(..)|u(.{4})|U(.{8})|([0-7]{1,3})|([^]))/gu;

function unescapeText(body: string): string {
  if (!body.includes('\\')) return body;
  return body.replace(
    TEXT_ESCAPE,
    (all: string, x?: string, u?: string, U?: string, octal?: string, other?: string) => {
      const hex = x ?? u ?? U;
      if (hex !== undefined) return hexChar(hex);
      if (octal !== undefined) return String.fromCodePoint(parseInt(octal, 8));
      if (other === undefined || 'xuUN'.includes(other)) throw new Unparsable();
      return SIMPLE_ESCAPES[other] ?? all;
    },
  );
}

function hexChar(hex: string): string {
  const code = /^[0-9a-fA-F]+$/.test(hex) ? parseInt(hex, 16) : Infinity;
  if (code > 0x10ffff) throw new Unparsable();
  return String.fromCodePoint(code);
}

function unescapeBytes(body: string): Uint8Array {
  if (/[^\0-\x7f]/.test(body)) throw new Unparsable();
  const text = body.replace(
    /\\(?:x(..)|([0-7]{1,3})|([^]))/g,
    (all: string, x?: string, octal?: string, other?: string) => {
      if (x !== undefined) return hexChar(x);
      if (octal !== undefined) return String.fromCodePoint(parseInt(octal, 8) & 0xff);
      if (other === undefined || other === 'x') throw new Unparsable();
      return SIMPLE_ESCAPES[other] ?? all;
    },
  );
  return Buffer.from(text, 'latin1');
}
