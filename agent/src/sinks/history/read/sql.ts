/** Collects the values of one statement: text from outside only ever becomes `$n`. */
export class Params {
  readonly values: unknown[] = [];

  /** The placeholder of the value, e.g. `$3`. */
  add(value: unknown): string {
    this.values.push(value);
    return `$${this.values.length}`;
  }
}

/** What the server at hand can do. */
export interface Dialect {
  /** Postgres 18 folds case as Python does (`casefold`); older ones only lower it, by the database's locale. */
  readonly hasCasefold: boolean;
  readonly isCitus: boolean;
}

/** The expression without regard to case, compared by code points. */
export function foldSql(expression: string, { hasCasefold }: Dialect): string {
  return hasCasefold
    ? `(casefold((${expression}) collate "pg_unicode_fast") collate "C")`
    : `(lower((${expression}) collate "default") collate "C")`;
}

/** The text as a LIKE pattern that matches only itself. */
export function escapeLike(text: string): string {
  return text.replace(/[\\%_]/g, '\\$&');
}

/** Postgres holds no NUL: what contains one is stored nowhere and found nowhere. */
export function isStorable(text: string): boolean {
  return !text.includes('\0');
}
