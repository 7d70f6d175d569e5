import type { ClientBase } from 'pg';
import { copyIn } from './copy-in.ts';

const SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1');
const HEADER_BYTES = SIGNATURE.length + 8;
/** A larger buffer is let go of after use, so that one huge batch does not stay in memory. */
const KEPT_BYTES = 16 * 1024 * 1024;
/**
 * What the rows of a write in a flood take. Memory that is not written to costs nothing; doubled from 64 KiB at the begin of a
 * flood, the buffers of four writes were 30 MiB of memory outside the heap, for which V8 collected everything just then.
 */
const FIRST_BYTES = 2 * 1024 * 1024;
/** Behind a text the other columns still need the room that `startRow` made. */
const ROW_BYTES = 512;
const [QUOTE, BACKSLASH] = [0x22, 0x5c];

/**
 * Rows in Postgres' binary COPY format, built in one reused buffer.
 * Binary, because neither side then formats or parses numbers and instants: an event row took Node 4.5 to 8 us and
 * Postgres 9.5 to 11, as text 12.5 to 15 and 11.5 to 13 (2 busy cores, batches of 10,000).
 */
export class RowBuffer {
  #bytes = Buffer.alloc(0);
  #view = new DataView(new ArrayBuffer(0));
  #at = 0;
  rows = 0;
  /** Texts in the rows of which a part was left out, as whoever appends them tells. */
  cut = 0;

  constructor() {
    this.clear();
  }

  /** Forgets the rows. Only when the last `copyTo` is settled: the socket reads from the same memory. */
  clear(): void {
    if (this.#bytes.length === 0 || this.#bytes.length > KEPT_BYTES) this.#allocate(FIRST_BYTES);
    SIGNATURE.copy(this.#bytes, 0);
    this.#bytes.fill(0, SIGNATURE.length, HEADER_BYTES);
    this.#at = HEADER_BYTES;
    this.rows = 0;
    this.cut = 0;
  }

  /** Forgets memory that a failed COPY may still read. */
  abandon(): void {
    this.#bytes = Buffer.alloc(0);
    this.clear();
  }

  startRow(columns: number): void {
    // Room for the row's fixed-width columns; texts ask for their own.
    this.#reserve(2 + columns * 12);
    this.#view.setInt16(this.#at, columns);
    this.#at += 2;
    this.rows++;
  }

  null(): void {
    this.#view.setInt32(this.#at, -1);
    this.#at += 4;
  }

  /** `integer` or `date`. */
  int4(value: number): void {
    this.#view.setInt32(this.#at, 4);
    this.#view.setInt32(this.#at + 4, value);
    this.#at += 8;
  }

  /** `bigint` or `timestamptz`; the value is a safe integer. */
  int8(value: number): void {
    this.#view.setInt32(this.#at, 8);
    const high = Math.floor(value / 0x1_0000_0000);
    this.#view.setInt32(this.#at + 4, high);
    this.#view.setUint32(this.#at + 8, value - high * 0x1_0000_0000);
    this.#at += 12;
  }

  float8(value: number): void {
    this.#view.setInt32(this.#at, 8);
    this.#view.setFloat64(this.#at + 4, value);
    this.#at += 12;
  }

  /** `text` or `json`. Lone surrogates become U+FFFD; the text must be free of U+0000. */
  text(value: string): void {
    const start = this.beginText();
    this.append(value);
    this.endText(start);
  }

  /** Begins a text that is put together by `append` and `appendQuoted`; the result is for `endText` or `dropText`. */
  beginText(): number {
    this.#reserve(4 + ROW_BYTES);
    this.#at += 4;
    return this.#at;
  }

  append(piece: string): void {
    const { length } = piece;
    this.#reserve(length * 3 + ROW_BYTES);
    const at = this.#at;
    this.#at += length < 48 ? this.#shortText(piece, at) : this.#bytes.write(piece, at, 'utf8');
  }

  /** Appends the text as JSON, or nothing: false for what is not ASCII or needs an escape. */
  appendQuoted(text: string): boolean {
    const { length } = text;
    this.#reserve(length + 2 + ROW_BYTES);
    const bytes = this.#bytes;
    let at = this.#at;
    bytes[at++] = QUOTE;
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i);
      if (code < 0x20 || code > 0x7e || code === QUOTE || code === BACKSLASH) return false;
      bytes[at++] = code;
    }
    bytes[at++] = QUOTE;
    this.#at = at;
    return true;
  }

  endText(start: number): void {
    this.#view.setInt32(start - 4, this.#at - start);
  }

  /** As if the text had not been begun. */
  dropText(start: number): void {
    this.#at = start - 4;
  }

  /** Sends the rows, at once; resolves when Postgres has stored all of them. Rejects with Postgres' error. */
  copyTo(client: ClientBase, table: string): Promise<void> {
    this.#reserve(2);
    this.#view.setInt16(this.#at, -1);
    return copyIn(client, `copy ${table} from stdin (format binary)`, this.#bytes.subarray(0, this.#at + 2));
  }

  /** Byte by byte in JavaScript: cheaper than a call into C++ for the ids and names that most columns hold. */
  #shortText(value: string, start: number): number {
    for (let i = 0; i < value.length; i++) {
      const code = value.charCodeAt(i);
      if (code > 127) return this.#bytes.write(value, start, 'utf8');
      this.#bytes[start + i] = code;
    }
    return value.length;
  }

  #reserve(bytes: number): void {
    if (this.#at + bytes <= this.#bytes.length) return;
    const old = this.#bytes;
    const used = this.#at;
    this.#allocate(Math.max(old.length * 2, used + bytes));
    old.copy(this.#bytes, 0, 0, used);
  }

  #allocate(bytes: number): void {
    this.#bytes = Buffer.allocUnsafeSlow(bytes);
    this.#view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.length);
  }
}
