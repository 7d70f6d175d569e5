import { closeSync, openSync, readSync, statSync, unlinkSync, writeSync } from 'node:fs';

const LENGTH_BYTES = 4;
const READ_CHUNK = 4 * 1024 * 1024;
/**
 * Blocks up to this size are put together in one place: a buffer of its own for each is memory outside the heap, of which
 * 64 MiB are enough to make the collector look through all that is held.
 */
const scratch = Buffer.allocUnsafeSlow(2 * 1024 * 1024);

export interface SegmentRecord {
  readonly bytes: Buffer;
  /** Position in the file behind the record. */
  readonly endsAt: number;
}

/** A file of records, each a 32-bit length and its bytes: appended to at the end, read from the front. */
export class Segment {
  readonly path: string;
  /** Position in the order of segments; a new one may be put between two others. */
  readonly order: number;
  /** Bytes in the file. */
  size: number;
  /** Records read but not yet committed. */
  loaded = 0;
  /** Where the next read begins. */
  readAt = 0;
  /** Where the first record that is not committed begins. */
  committedTo = 0;
  /** Made by this process: an earlier one may have left a torn record at the end, behind which nothing may stand. */
  readonly writable: boolean;
  readonly #fd: number;

  private constructor(path: string, order: number, fd: number, size: number, writable: boolean) {
    this.path = path;
    this.order = order;
    this.#fd = fd;
    this.size = size;
    this.writable = writable;
  }

  /** @throws the file system's error (EACCES, EIO …) */
  static open(path: string, order: number): Segment {
    return new Segment(path, order, openSync(path, 'r'), statSync(path).size, false);
  }

  /** @throws the file system's error (ENOSPC, EACCES …) */
  static create(path: string, order: number): Segment {
    return new Segment(path, order, openSync(path, 'wx+', 0o600), 0, true);
  }

  get unread(): number {
    return this.size - this.readAt;
  }

  /**
   * Appends records in one write.
   * @throws the file system's error; the next append writes over what a failed one left behind
   */
  append(records: readonly Buffer[]): void {
    const bytes = records.reduce((sum, record) => sum + LENGTH_BYTES + record.length, 0);
    const block = bytes <= scratch.length ? scratch : Buffer.allocUnsafeSlow(bytes);
    let at = 0;
    for (const record of records) {
      at = block.writeUInt32LE(record.length, at);
      at += record.copy(block, at);
    }
    for (let written = 0; written < bytes;) {
      written += writeSync(this.#fd, block, written, bytes - written, this.size + written);
    }
    this.size += bytes;
  }

  /** The next records, about 4 MiB of them, or one larger than that; an empty list at the end or before a torn record. */
  read(): SegmentRecord[] {
    const records: SegmentRecord[] = [];
    let block = Buffer.allocUnsafe(Math.min(READ_CHUNK, this.unread));
    let have = readSync(this.#fd, block, 0, block.length, this.readAt);
    let at = 0;
    while (have - at >= LENGTH_BYTES) {
      const end = at + LENGTH_BYTES + block.readUInt32LE(at);
      if (end > have) {
        if (records.length > 0 || end > this.unread) break;
        block = Buffer.allocUnsafe(end);
        have = readSync(this.#fd, block, 0, end, this.readAt);
        if (have < end) break;
      }
      records.push({ bytes: block.subarray(at + LENGTH_BYTES, end), endsAt: this.readAt + end });
      at = end;
    }
    this.readAt += at;
    this.loaded += records.length;
    if (records.length === 0) this.readAt = this.size;
    return records;
  }

  /** Marks the loaded record that ends at this position as done; records are committed in order. */
  commit(endsAt: number): void {
    this.loaded -= 1;
    this.committedTo = endsAt;
  }

  /** Takes a loaded record out of the account without a trace in the position: it cannot be read. */
  skip(): void {
    this.loaded -= 1;
  }

  /** Reads again from the first record that is not committed. */
  rewind(): void {
    this.readAt = this.committedTo;
    this.loaded = 0;
  }

  get done(): boolean {
    return this.loaded === 0 && this.unread === 0;
  }

  close(): void {
    closeSync(this.#fd);
  }

  remove(): void {
    this.close();
    unlinkSync(this.path);
  }
}
