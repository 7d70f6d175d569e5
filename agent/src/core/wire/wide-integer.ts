/**
 * An integer beyond 2^53, with every digit that was sent: Python's integers have no limit.
 * Not a `bigint`, because `JSON.stringify` throws on those; this one becomes a string of digits there.
 */
export class WideInteger {
  /** Decimal, with a leading `-` where negative. */
  readonly digits: string;

  constructor(digits: string) {
    this.digits = digits;
  }

  toString(): string {
    return this.digits;
  }

  toJSON(): string {
    return this.digits;
  }
}
