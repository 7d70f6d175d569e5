import { endOfQuoted, endsValue, isQuote, MAX_BACKSLASHES } from './quotes.ts';
import type { Quote } from './quotes.ts';

/** Stands in the place of a secret. */
export const MASK = '********';

/** What to put in place of `text.slice(from, to)`. */
export interface Replacement {
  readonly from: number;
  readonly to: number;
  readonly by: string;
}

/** How a value is told from what follows it. */
export interface ValuePlace {
  /** Around the key; the mask of a value that is no text gets the same. Undefined: a bare key. */
  readonly keyQuote?: Quote;
  /** The text that all of it stands in. */
  readonly outer?: string;
  /** A header or a YAML line: the value goes to the end of the line. */
  readonly wholeLine?: boolean;
}

const NOTHING_SECRET = /(?:None|True|False|null|true|false|NaN)(?![\w(.[])/y;
const PREFIX = /[bBrRuUfF]{0,2}(?=\\{0,15}["'])/y;

/**
 * The secret that begins at `at`: a quoted text (its inside), a bracket with all in it, a call, a number, a word.
 * Undefined where there is none, or only None, True, False or an empty text.
 */
export function secretAt(text: string, at: number, place: ValuePlace): Replacement | undefined {
  if (at >= text.length || matchAt(NOTHING_SECRET, text, at) !== undefined) return undefined;
  const prefix = matchAt(PREFIX, text, at);
  if (prefix !== undefined) return quotedSecret(text, at + prefix.length, place.outer);
  if (place.wholeLine !== true) return whole(at, endOfValue(text, at, place.outer), place);
  const bracket = OPENING.test(text.charAt(at)) ? endOfBracket(text, at, place.outer) : at;
  return whole(at, endOfLine(text, bracket), place);
}

/**
 * A bracket, a word, a call, and what stands directly behind them (`f(x).y(z)`): what is left of a value would be taken for
 * the value of its mask.
 */
function endOfValue(text: string, at: number, outer: string | undefined): number {
  let end = OPENING.test(text.charAt(at)) ? endOfBracket(text, at, outer) : endOfWord(text, at);
  for (let from = at; end > from;) {
    from = end;
    end = /[([{]/.test(text.charAt(from)) ? endOfBracket(text, from, outer) : endOfWord(text, from);
  }
  return end;
}

function whole(from: number, to: number, { keyQuote }: ValuePlace): Replacement | undefined {
  if (to <= from) return undefined;
  const quote = keyQuote === undefined ? '' : '\\'.repeat(keyQuote.backslashes) + keyQuote.char;
  return { from, to, by: `${quote}${MASK}${quote}` };
}

/** The quote at `at`, with the backslashes before it. */
export function quoteAt(text: string, at: number, outer: string | undefined): Quote | undefined {
  let backslashes = 0;
  while (backslashes < MAX_BACKSLASHES && text[at + backslashes] === '\\') backslashes++;
  const char = text[at + backslashes];
  if (char === undefined || !isQuote(char)) return undefined;
  return { char, backslashes, ...(outer !== undefined && outer !== char && { outer }) };
}

function quotedSecret(text: string, at: number, outer: string | undefined): Replacement | undefined {
  const quote = quoteAt(text, at, outer);
  if (quote === undefined) return undefined;
  const from = at + quote.backslashes + 1;
  if (quote.backslashes === 0 && text.startsWith(quote.char.repeat(2), from))
    return tripleQuoted(text, from + 2, quote);
  if (quote.char === outer && quote.backslashes === 0) return undefined; // the text around it ends here
  const { end, closed } = endOfQuoted(text, from, quote);
  if (end <= from) return undefined;
  // What was cut off keeps its dots and brackets, so that it still looks cut off.
  const tail = closed || end < text.length ? '' : cutTail(text, from);
  return { from, to: end, by: MASK + tail };
}

function tripleQuoted(text: string, from: number, quote: Quote): Replacement {
  const end = text.indexOf(quote.char.repeat(3), from);
  return { from, to: end < 0 ? text.length : end, by: MASK };
}

function cutTail(text: string, from: number): string {
  return /(?:\.\.\.|…)[\])}'", ]{0,40}$/.exec(text.slice(Math.max(from, text.length - 50)))?.[0] ?? '';
}

const OPENING = /[([{<]/;

/** Behind the bracket that closes the one at `at`; the text's end where none does. */
function endOfBracket(text: string, at: number, outer: string | undefined): number {
  let depth = 0;
  for (let i = at; i < text.length; i++) {
    const char = text.charAt(i);
    if ('([{<'.includes(char)) depth++;
    else if (')]}>'.includes(char)) {
      if (--depth === 0) return i + 1;
    } else if (char === '\\' || isQuote(char)) {
      const quote = quoteAt(text, i, outer);
      if (quote === undefined) continue;
      if (quote.char === outer && quote.backslashes === 0) return i;
      const { end, closed } = endOfQuoted(text, i + quote.backslashes + 1, quote);
      if (!closed) return end;
      i = end + quote.backslashes;
    }
  }
  return text.length;
}

function endOfLine(text: string, at: number): number {
  let end = at;
  while (end < text.length && !/[\r\n'"\\]/.test(text.charAt(end))) end++;
  return end;
}

/** A comma, semicolon or bracket belongs to a password unless something ends behind it. */
function endOfWord(text: string, at: number): number {
  for (let end = at; end < text.length; end++) {
    const char = text.charAt(end);
    if (/[\s&'"\\(<>]/.test(char)) return end;
    if (/[,;)\]}]/.test(char) && (endsValue(text, end + 1) || isQuote(text[end + 1]))) return end;
    if (char === '%' && /^%26/.test(text.slice(end, end + 3))) return end;
  }
  return text.length;
}

/** Blanks between a name and its value that are passed over at most. */
export const BLANKS = 8;

/** Behind the blanks at `at`. */
export function skipBlanks(text: string, at: number): number {
  let end = at;
  while (end < text.length && end - at < BLANKS && /\s/.test(text.charAt(end))) end++;
  return end;
}

function matchAt(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}
