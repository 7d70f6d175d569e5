import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { makeDirectory } from '../make-directory.ts';
import { ByteRing } from './byte-ring.ts';
import { RecordBlock, recordsIn } from './records.ts';
import { Segment, type SegmentRecord } from './segment.ts';

const SEGMENT_BYTES = 64 * 1024 * 1024;
const WRITE_BLOCK = 1024 * 1024;
/** What may wait for a disk that refuses to write. */
const PENDING_BYTES = 8 * WRITE_BLOCK;
const READ_BLOCK = 1024 * 1024;
/** Most that is kept in memory that is used again: what waits while all is well is less. */
const RING_BYTES = 8 * 1024 * 1024;
const ORDER_STEP = 2 ** 20;
const FILE_NAME = /^(\d{16})\.seg$/;

/** How items become bytes and back, and what they weigh in memory. */
export interface SpillCodec<T> {
  /** Bytes that the item holds in memory. */
  weigh(item: T): number;
  /** The item as it stays in memory until it is committed: bytes that were only lent are copied by `keep`. */
  hold(item: T, keep: (bytes: Buffer) => Buffer): T;
  /** The record, in pieces that follow each other; they are copied at once. */
  encode(item: T): readonly Buffer[];
  /**
   * The item may use the record's bytes until it is committed. undefined: the record cannot be read; it is told and passed
   * over.
   */
  decode(record: Buffer): T | undefined;
}

export interface SpillQueueOptions<T> {
  /** Directory of the segment files; made when missing. Files of an earlier run are taken up. */
  readonly directory: string;
  readonly codec: SpillCodec<T>;
  /** Weight kept in memory before items go to files, bytes. */
  readonly memoryBytes: number;
  /** Most bytes in files; over it `push` refuses. */
  readonly diskBytes: number;
  /** So many bytes of a file cannot be read back: a record, or from a broken one all that is behind it. */
  onUnreadable(path: string, bytes: number): void;
}

interface Held<T> {
  readonly item: T;
  readonly weight: number;
  /** The file that holds the item too, and the position behind it there. */
  readonly segment: Segment | undefined;
  readonly endsAt: number;
  /** Where its bytes end in the ring. */
  readonly keptTo: number;
}

/**
 * A first-in-first-out queue: in memory while there is room, then in segment files, and back again in order.
 *
 * Order of the items, oldest first:
 *   `#held`    in memory; those read from a file stay in the file until committed
 *   `#files`   the unread parts of the segment files
 *   `#pending` encoded, waiting to be written to the last file as one block
 * While anything lies in the last two, new items go behind it; once they are empty, memory is used again.
 * `spill()` moves everything that is only in memory to files: from then on a crash loses nothing.
 * Delivery is at least once: after a crash, items read but not committed come again.
 */
export class SpillQueue<T> {
  readonly #options: SpillQueueOptions<T>;
  #held: Held<T>[] = [];
  #heldFrom = 0;
  #files: Segment[] = [];
  readonly #pending = new RecordBlock(WRITE_BLOCK);
  readonly #ring: ByteRing;
  readonly #keep = (bytes: Buffer): Buffer => this.#ring.keep(bytes);
  /** What is held of a file lies here. */
  #readBlock: Buffer | undefined;
  #memoryBytes = 0;
  #problem: Error | undefined;

  /** @throws the file system's error when the directory cannot be used */
  static open<T>(options: SpillQueueOptions<T>): SpillQueue<T> {
    makeDirectory(options.directory);
    const queue = new SpillQueue(options);
    for (const name of readdirSync(options.directory).sort()) {
      const order = FILE_NAME.exec(name)?.[1];
      if (order !== undefined) queue.#files.push(Segment.open(join(options.directory, name), Number(order)));
    }
    return queue;
  }

  private constructor(options: SpillQueueOptions<T>) {
    this.#options = options;
    this.#ring = new ByteRing(Math.min(RING_BYTES, Math.max(1, options.memoryBytes)));
  }

  /** Items that can be looked at without reading a file. */
  get ready(): number {
    return this.#held.length - this.#heldFrom;
  }

  get memoryBytes(): number {
    return this.#memoryBytes;
  }

  /** Less than three quarters of the memory are in use: the next few items will not go to a file. */
  get isRoomy(): boolean {
    return this.#memoryBytes < 0.75 * this.#options.memoryBytes;
  }

  /** Bytes that lie in files and are not committed. */
  get diskBytes(): number {
    return this.#files.reduce((sum, file) => sum + file.size - file.committedTo, this.#pending.length);
  }

  get empty(): boolean {
    return this.ready === 0 && !this.#hasBacklog();
  }

  /** Appends. False: memory and disk are at their bounds, or the disk refuses, and the item was not taken. */
  push(item: T): boolean {
    const weight = this.#options.codec.weigh(item);
    const fits = this.#memoryBytes + weight <= this.#options.memoryBytes || this.ready === 0;
    if (fits && !this.#hasBacklog()) {
      const kept = this.#options.codec.hold(item, this.#keep);
      this.#held.push({ item: kept, weight, segment: undefined, endsAt: 0, keptTo: this.#ring.end });
      this.#memoryBytes += weight;
      return true;
    }
    const waiting = this.#pending.length;
    if (this.diskBytes + weight > this.#options.diskBytes || waiting > PENDING_BYTES) return false;
    this.#pending.add(this.#options.codec.encode(item));
    // A disk that refuses is tried again by `flush`: to try with every item would take all the time.
    if (this.#pending.length >= WRITE_BLOCK && this.#problem === undefined) this.#trySync();
    return true;
  }

  /** The oldest items, at most `limit`, without taking them out. Reads from the files when memory is empty. */
  peek(limit: number): T[] {
    if (this.ready === 0) this.#load();
    const items: T[] = [];
    const end = Math.min(this.#held.length, this.#heldFrom + limit);
    for (let i = this.#heldFrom; i < end; i += 1) {
      const held = this.#held[i];
      if (held !== undefined) items.push(held.item);
    }
    return items;
  }

  /** Takes out the oldest `count` items: they are done with. */
  commit(count: number): void {
    for (let i = 0; i < count; i += 1) {
      const held = this.#held[this.#heldFrom];
      if (held === undefined) break;
      this.#heldFrom += 1;
      this.#memoryBytes -= held.weight;
      held.segment?.commit(held.endsAt);
      this.#ring.release(held.keptTo);
    }
    if (this.#heldFrom > 1024 && this.#heldFrom * 2 > this.#held.length) {
      this.#held = this.#held.slice(this.#heldFrom);
      this.#heldFrom = 0;
    }
    this.#removeDone();
  }

  /**
   * Writes what waits for its file.
   * @throws the file system's error
   */
  sync(): void {
    if (this.#pending.count === 0) return;
    const last = this.#files.at(-1);
    const file = last?.writable === true && last.size < SEGMENT_BYTES ? last : this.#addFile(this.#nextOrder());
    file.append(this.#pending.bytes);
    this.#pending.clear();
  }

  /**
   * Moves all that is only in memory to files; the items come back by `peek`.
   * @throws the file system's error; nothing is lost from memory then
   */
  spill(): void {
    const held = this.#held.slice(this.#heldFrom);
    const onDisk = new Set<Segment>();
    for (const { segment } of held) if (segment !== undefined) onDisk.add(segment);
    const inMemory = held.filter(({ segment }) => segment === undefined);
    if (inMemory.length > 0) {
      const before = [...onDisk].at(-1)?.order ?? 0;
      const next = this.#files.find((file) => file.order > before && file.unread > 0);
      const order = next === undefined ? this.#nextOrder() : (before + next.order) / 2;
      this.#addFull(Math.floor(order), inMemory);
    }
    for (const segment of onDisk) segment.rewind();
    this.#held = [];
    this.#heldFrom = 0;
    this.#memoryBytes = 0;
    this.#ring.release(this.#ring.end);
    this.sync();
  }

  /**
   * Spills and lets go of the files; `diskBytes` is then what the next `open` finds.
   * @throws Error that says how much is lost because the disk refused it
   */
  close(): void {
    try {
      this.spill();
    } catch (error) {
      const lost = this.#held.slice(this.#heldFrom).filter(({ segment }) => segment === undefined);
      const bytes = lost.reduce((sum, { weight }) => sum + weight, this.#pending.length);
      throw new Error(
        `${bytes} bytes of messages are lost: they cannot be put into files of ${this.#options.directory}`,
        {
          cause: error,
        },
      );
    } finally {
      for (const file of this.#files) file.close();
    }
  }

  /** Set while the disk refuses to write. */
  get problem(): Error | undefined {
    return this.#problem;
  }

  /** Writes what waits for its file, if the disk takes it; to be called every second or so. */
  flush(): void {
    if (this.#pending.count > 0) this.#trySync();
  }

  #trySync(): void {
    try {
      this.sync();
      this.#problem = undefined;
    } catch (error) {
      this.#problem = error instanceof Error ? error : new Error(String(error));
    }
  }

  #nextOrder(): number {
    return (this.#files.at(-1)?.order ?? 0) + ORDER_STEP;
  }

  #hasBacklog(): boolean {
    return this.#pending.count > 0 || this.#files.some((file) => file.unread > 0);
  }

  #load(): void {
    while (this.ready === 0) {
      const file = this.#files.find((candidate) => candidate.unread > 0);
      if (file === undefined) {
        if (this.#pending.count === 0) return;
        this.#takePending();
        continue;
      }
      this.#readBlock ??= Buffer.allocUnsafeSlow(READ_BLOCK);
      const { unread } = file;
      const records = file.read(this.#readBlock);
      if (records.length === 0) this.#options.onUnreadable(file.path, unread);
      for (const record of records) this.#hold(record, file);
      this.#removeDone();
    }
  }

  /** Not by way of a file: the disk may be the one that refuses. */
  #takePending(): void {
    const block = Buffer.from(this.#pending.bytes);
    this.#pending.clear();
    this.#problem = undefined;
    for (const { from, to } of recordsIn(block)) this.#hold({ bytes: block.subarray(from, to), endsAt: 0 });
  }

  #hold(record: SegmentRecord, segment?: Segment): void {
    const item = this.#options.codec.decode(record.bytes);
    if (item === undefined) {
      if (segment !== undefined) this.#options.onUnreadable(segment.path, record.bytes.length);
      segment?.skip();
      return;
    }
    const weight = this.#options.codec.weigh(item);
    this.#held.push({ item, weight, segment, endsAt: record.endsAt, keptTo: 0 });
    this.#memoryBytes += weight;
  }

  #addFile(order: number): Segment {
    const path = join(this.#options.directory, `${String(order).padStart(16, '0')}.seg`);
    const file = Segment.create(path, order);
    this.#files.push(file);
    this.#files.sort((a, b) => a.order - b.order);
    return file;
  }

  /** @throws the file system's error; there is no such file then */
  #addFull(order: number, held: readonly Held<T>[]): void {
    const file = this.#addFile(order);
    try {
      const block = new RecordBlock(WRITE_BLOCK);
      for (const { item } of held) block.add(this.#options.codec.encode(item));
      file.append(block.bytes);
    } catch (error) {
      this.#files = this.#files.filter((other) => other !== file);
      file.remove();
      throw error;
    }
  }

  #removeDone(): void {
    for (let file = this.#files[0]; file?.done === true; file = this.#files[0]) {
      file.remove();
      this.#files.shift();
    }
  }
}
