const LENGTH_BYTES = 4;
/** A block that is written once it is full holds a record more than that, and has grown to twice as much for it. */
const MOST_KEPT = 4;

/**
 * Records one after the other as they lie in a file, each a 32-bit length and its bytes, in memory that is used again: a
 * buffer for each is memory outside the heap, of which 64 MiB are enough to make the collector look through all that is held.
 */
export class RecordBlock {
  readonly #usualBytes: number;
  #buffer = Buffer.alloc(0);
  #length = 0;
  #count = 0;

  /** @param usualBytes what it holds without growing */
  constructor(usualBytes: number) {
    this.#usualBytes = usualBytes;
  }

  get count(): number {
    return this.#count;
  }

  /** Bytes. */
  get length(): number {
    return this.#length;
  }

  /** All of it; good until the next record. */
  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  /** Adds a record, given in pieces that follow each other. */
  add(pieces: readonly Buffer[]): void {
    const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
    this.#makeRoom(LENGTH_BYTES + length);
    this.#length = this.#buffer.writeUInt32LE(length, this.#length);
    for (const piece of pieces) this.#length += piece.copy(this.#buffer, this.#length);
    this.#count += 1;
  }

  clear(): void {
    this.#length = 0;
    this.#count = 0;
    if (this.#buffer.length > MOST_KEPT * this.#usualBytes) this.#buffer = Buffer.alloc(0);
  }

  #makeRoom(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#usualBytes, this.#length === 0 ? needed : 2 * needed));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}

/** Where each whole record of a block begins and ends in it. */
export function* recordsIn(block: Buffer): Generator<{ readonly from: number; readonly to: number }> {
  let at = 0;
  while (block.length - at >= LENGTH_BYTES) {
    const from = at + LENGTH_BYTES;
    const to = from + block.readUInt32LE(at);
    if (to > block.length) return;
    yield { from, to };
    at = to;
  }
}

/** Bytes of the first record of a block with its length, whole or not; 0 where not even that is told. */
export function firstRecordBytes(block: Buffer): number {
  return block.length < LENGTH_BYTES ? 0 : LENGTH_BYTES + block.readUInt32LE(0);
}
