/** A value that does not fit its option. The message completes the sentence "--port: …" and names the fix. */
export class BadValueError extends Error {
  override readonly name = 'BadValueError';
}

/** How an option's text becomes its value. */
export interface ValueType<T> {
  /** What to write, for help and docs, e.g. `N` or `URL`. */
  readonly hint: string;
  /** A flag without a value means true, and `--no-NAME` false. */
  readonly isSwitch?: true;
  /** May be given several times; otherwise the last one counts. */
  readonly isList?: true;
  /**
   * At least one text, in the order given; from the environment exactly one.
   * @throws BadValueError
   */
  parse(texts: readonly string[]): T;
  /** As it would be written; for help, docs and `--print-config`. */
  show(value: T): string;
}

const last = (texts: readonly string[]): string => texts.at(-1) ?? '';

/** Any text, as it is. */
export function text(hint = 'TEXT'): ValueType<string> {
  return { hint, parse: last, show: (value) => (value === '' ? "''" : printable(value)) };
}

function printable(value: string): string {
  // Control characters would break a terminal; the separator of Redis' priority lists holds two.
  const escaped = JSON.stringify(value).slice(1, -1).replaceAll('\\"', '"');
  return escaped === value ? value : `'${escaped}'`;
}

/** Text that a pattern accepts whole; `expected` says which. */
export function matching(hint: string, pattern: RegExp, expected: string): ValueType<string> {
  return {
    ...text(hint),
    parse(texts) {
      const value = last(texts).trim();
      if (!pattern.test(value)) throw new BadValueError(`give ${expected}`);
      return value;
    },
  };
}

/** An option that may be left out. */
export function optional<T>(type: ValueType<T>): ValueType<T | undefined> {
  return { ...type, show: (value) => (value === undefined ? 'none' : type.show(value)) };
}

/** A whole number within both bounds. */
export function whole(min: number, max: number, hint = 'N'): ValueType<number> {
  return {
    hint,
    parse(texts) {
      const value = /^[+-]?\d+$/.test(last(texts).trim()) ? Number(last(texts)) : NaN;
      if (!(value >= min && value <= max)) throw new BadValueError(`give a whole number from ${min} to ${max}`);
      return value;
    },
    show: String,
  };
}

const TRUE_WORDS = ['y', 'yes', 't', 'true', 'on', '1'];
const FALSE_WORDS = ['n', 'no', 'f', 'false', 'off', '0'];

/** The words that Flower takes (flower/utils/__init__.py: strtobool); undefined for any other. */
export function booleanWord(word: string): boolean | undefined {
  const lower = word.trim().toLowerCase();
  if (TRUE_WORDS.includes(lower)) return true;
  return FALSE_WORDS.includes(lower) ? false : undefined;
}

/** Yes or no, in Flower's words. */
export const flag: ValueType<boolean> = {
  hint: 'BOOL',
  isSwitch: true,
  parse(texts) {
    const value = booleanWord(last(texts));
    if (value === undefined) throw new BadValueError('give true or false');
    return value;
  },
  show: String,
};

/** One word of a list, in any case; `aliases` translates further words. */
export function oneOf<const T extends string>(
  words: readonly T[],
  aliases: Readonly<Record<string, T>> = {},
): ValueType<T> {
  return {
    hint: words.join('|'),
    parse(texts) {
      const given = last(texts).trim().toLowerCase();
      const word = words.find((candidate) => candidate.toLowerCase() === given);
      const value = word ?? (Object.hasOwn(aliases, given) ? aliases[given] : undefined);
      if (value === undefined) throw new BadValueError(`give one of ${words.join(', ')}`);
      return value;
    },
    show: String,
  };
}

const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;
export type TimeUnit = keyof typeof UNIT_MS;

function milliseconds(given: string, unit: TimeUnit): number {
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w)?$/.exec(given.trim().toLowerCase());
  if (match === null) return NaN;
  return Number(match[1]) * UNIT_MS[(match[2] as TimeUnit | undefined) ?? unit];
}

function showTime(ms: number): string {
  const units = ['d', 'h', 'm', 's', 'ms'] as const;
  const unit = units.find((candidate) => ms >= UNIT_MS[candidate] && ms % UNIT_MS[candidate] === 0) ?? 'ms';
  return ms === 0 ? '0' : `${ms / UNIT_MS[unit]}${unit}`;
}

/** A span in ms, written `500ms`, `30s`, `5m`, `12h`, `1d`, `2w`; a plain number counts in `unit`. Bounds are in ms. */
export function duration(unit: TimeUnit, minMs: number, maxMs: number): ValueType<number> {
  return {
    hint: 'TIME',
    parse(texts) {
      const ms = milliseconds(last(texts), unit);
      if (!(ms >= minMs && ms <= maxMs)) {
        throw new BadValueError(
          `give a time from ${showTime(minMs)} to ${showTime(maxMs)}, like 30s, 5m, 12h; a plain number is in ${unit}`,
        );
      }
      return Math.round(ms);
    },
    show: showTime,
  };
}

/** Whole days: `30`, `30d`, `8w`. */
export function days(min: number, max: number): ValueType<number> {
  return {
    hint: 'DAYS',
    parse(texts) {
      const value = milliseconds(last(texts), 'd') / UNIT_MS.d;
      if (!Number.isInteger(value) || value < min || value > max) {
        throw new BadValueError(`give whole days from ${min} to ${max}, like 30 or 30d`);
      }
      return value;
    },
    show: String,
  };
}

const SIZE_UNITS = ['', 'K', 'M', 'G', 'T'];

/** Bytes: `64MB`, `64MiB`, `64m` (all of 1024); a plain number is bytes. */
export function size(min: number, max: number): ValueType<number> {
  return {
    hint: 'SIZE',
    parse(texts) {
      const match = /^(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?$/i.exec(last(texts).trim());
      const power = SIZE_UNITS.indexOf(match?.[2]?.toUpperCase() ?? '');
      const value = match === null ? NaN : Math.round(Number(match[1]) * 1024 ** power);
      if (!(value >= min && value <= max)) {
        throw new BadValueError(`give a size from ${showSize(min)} to ${showSize(max)}, like 64MB`);
      }
      return value;
    },
    show: showSize,
  };
}

function showSize(bytes: number): string {
  for (let power = SIZE_UNITS.length - 1; power > 0; power -= 1) {
    if (bytes > 0 && bytes % 1024 ** power === 0) return `${bytes / 1024 ** power}${SIZE_UNITS[power] ?? ''}B`;
  }
  return String(bytes);
}
