import { closeSync, openSync, readSync, statSync, unlinkSync, writeSync } from 'node:fs';
import { firstRecordBytes, recordsIn } from './records.ts';

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
   * Appends records as `RecordBlock` holds them, in one write.
   * @throws the file system's error; the next append writes over what a failed one left behind
   */
  append(block: Buffer): void {
    for (let written = 0; written < block.length;) {
      written += writeSync(this.#fd, block, written, block.length - written, this.size + written);
    }
    this.size += block.length;
  }

  /**
   * The next records, as many as fit into `place`, or one that is larger; an empty list at the end or before a torn record.
   * Their bytes are good until `place` is used again.
   */
  read(place: Buffer): SegmentRecord[] {
    let block = this.#readInto(place);
    const first = firstRecordBytes(block);
    if (first > block.length && first <= this.unread) block = this.#readInto(Buffer.allocUnsafeSlow(first));
    const records: SegmentRecord[] = [];
    let end = 0;
    for (const { from, to } of recordsIn(block)) {
      records.push({ bytes: block.subarray(from, to), endsAt: this.readAt + to });
      end = to;
    }
    this.readAt += end;
    this.loaded += records.length;
    if (records.length === 0) this.readAt = this.size;
    return records;
  }

  #readInto(place: Buffer): Buffer {
    const wanted = Math.min(place.length, this.unread);
    return place.subarray(0, readSync(this.#fd, place, 0, wanted, this.readAt));
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
