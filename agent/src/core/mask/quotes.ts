const [BACKSLASH, SINGLE, DOUBLE] = [0x5c, 0x27, 0x22];
/** Backslashes before a quote that are counted: four levels of texts in texts. */
export const MAX_BACKSLASHES = 15;

/** The quote of a text within a text: which one, and how many backslashes stand before it. */
export interface Quote {
  readonly char: string;
  readonly backslashes: number;
  /** It stands in a text of the other quote, which doubles backslashes and ends it at the latest. */
  readonly outer?: string;
}

export function isQuote(char: string | undefined): boolean {
  return char === "'" || char === '"';
}

/**
 * End of the text whose opening quote is before `from`: the index of its closing quote's first backslash or of the quote.
 * `closed` is false where the text around it, or everything, ends first.
 */
export function endOfQuoted(text: string, from: number, quote: Quote): { end: number; closed: boolean } {
  const own = quote.char.charCodeAt(0);
  const outer = quote.outer?.charCodeAt(0);
  const level = quote.backslashes;
  const period = outer !== undefined && level === 0 ? 4 : 2 * (level + 1);
  let run = 0;
  for (let i = from; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === BACKSLASH) {
      run++;
      continue;
    }
    if (code === own) {
      if (run < level) return { end: i - run, closed: false };
      if (run % period === level) return { end: i - level, closed: true };
    } else if (code === outer && run % 2 === 0 && endsValue(text, i + 1)) {
      return { end: i, closed: false };
    }
    run = 0;
  }
  return { end: text.length, closed: false };
}

/** Whether what follows can follow a whole value: the end, a blank, a comma, a closing bracket, a colon. */
export function endsValue(text: string, at: number): boolean {
  return at >= text.length || /[\s,)\]}:;>]/.test(text.charAt(at));
}

/** Tells, going forward only, which quote the place is in; apostrophes within words are none. */
export class QuoteTracker {
  readonly #text: string;
  #at = 0;
  #open = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** The open quote at `to`, which never goes back. */
  at(to: number): string | undefined {
    for (; this.#at < to; this.#at++) {
      const code = this.#text.charCodeAt(this.#at);
      if (code === BACKSLASH) this.#at++;
      else if (code === SINGLE || code === DOUBLE) this.#meet(code);
    }
    return this.#open === 0 ? undefined : String.fromCharCode(this.#open);
  }

  #meet(code: number): void {
    if (this.#open === code) this.#open = 0;
    else if (this.#open === 0 && !/[A-Za-z0-9]{2}$/.test(this.#text.slice(Math.max(this.#at - 2, 0), this.#at))) {
      this.#open = code;
    }
  }
}
