import { PickleError } from './pickle-value.ts';

/** More digits are not worth their time: conversion grows with the square. */
const MAX_INTEGER_BYTES = 4096;
const MAX_DIGITS = 10_000;

/** Reads the arguments of instructions. Every method throws PickleError where there is none. */
export class PickleInput {
  at = 0;
  readonly #bytes: Buffer;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  byte(): number {
    return this.#skip(1, (bytes, at) => bytes.readUInt8(at));
  }

  uint16(): number {
    return this.#skip(2, (bytes, at) => bytes.readUInt16LE(at));
  }

  int32(): number {
    return this.#skip(4, (bytes, at) => bytes.readInt32LE(at));
  }

  uint32(): number {
    return this.#skip(4, (bytes, at) => bytes.readUInt32LE(at));
  }

  /** Beyond 2^53 no length can be true. */
  uint64(): number {
    return this.#skip(8, (bytes, at) => Number(bytes.readBigUInt64LE(at)));
  }

  double(): number {
    return this.#skip(8, (bytes, at) => bytes.readDoubleBE(at));
  }

  take(length: number): Buffer {
    if (length > this.#bytes.length - this.at) throw new PickleError(`it ends within ${length} bytes`);
    this.at += length;
    return this.#bytes.subarray(this.at - length, this.at);
  }

  utf8(length: number): string {
    return this.take(length).toString('utf8');
  }

  latin1(length: number): string {
    return this.take(length).toString('latin1');
  }

  /** Up to the next line feed, without it. */
  line(): string {
    return this.#lineBytes().toString('utf8');
  }

  /** Protocol 0's text of bytes: Python's repr. */
  quoted(): string {
    const line = this.line().trim();
    const quote = line[0];
    if (line.length < 2 || (quote !== "'" && quote !== '"') || !line.endsWith(quote)) {
      throw new PickleError('a text without quotes');
    }
    return line.slice(1, -1).replace(/\\(?:x([0-9a-fA-F]{2})|([^]))/g, (_, hex?: string, other?: string) => {
      if (hex !== undefined) return String.fromCharCode(parseInt(hex, 16));
      return ESCAPES[other ?? ''] ?? other ?? '';
    });
  }

  /** Python's raw-unicode-escape: Latin-1 and `\uXXXX`, `\UXXXXXXXX`. */
  rawUnicode(): string {
    const line = this.#lineBytes().toString('latin1');
    return line.replace(/\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))/g, (all, u?: string, long?: string) => {
      const code = parseInt(u ?? long ?? '', 16);
      return code <= 0x10ffff ? String.fromCodePoint(code) : all;
    });
  }

  index(): number {
    const line = this.line();
    if (!/^\d{1,9}$/.test(line)) throw new PickleError('an index is no number');
    return Number(line);
  }

  decimal(digits: string): bigint {
    if (digits.length > MAX_DIGITS) throw new PickleError(`an integer of ${digits.length} digits`);
    if (!/^[-+]?\d+$/.test(digits)) throw new PickleError('an integer is no number');
    return BigInt(digits.replace(/^\+/, ''));
  }

  float(line: string): number {
    const text = line.trim();
    const special = { inf: Infinity, '-inf': -Infinity, nan: NaN }[text];
    if (special !== undefined) return special;
    if (!/^[-+]?[\d.]+(e[-+]?\d+)?$/i.test(text)) throw new PickleError('a float is no number');
    return Number(text);
  }

  /** Two's complement, the lowest byte first. */
  littleInteger(length: number): bigint {
    if (length > MAX_INTEGER_BYTES) throw new PickleError(`an integer of ${length} bytes`);
    if (length === 0) return 0n;
    const hex = Buffer.from(this.take(length)).reverse().toString('hex');
    return BigInt.asIntN(length * 8, BigInt(`0x${hex}`));
  }

  protocol(): void {
    const version = this.byte();
    if (version > 5) throw new PickleError(`protocol ${version} is not known`);
  }

  #lineBytes(): Buffer {
    const end = this.#bytes.indexOf(0x0a, this.at);
    if (end < 0) throw new PickleError('it ends within a line');
    const line = this.take(end - this.at);
    this.at += 1;
    return line;
  }

  #skip<T>(width: number, read: (bytes: Buffer, at: number) => T): T {
    if (this.at + width > this.#bytes.length) throw new PickleError('it is cut off');
    this.at += width;
    return read(this.#bytes, this.at - width);
  }
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '\\': '\\', "'": "'", '"': '"' };
