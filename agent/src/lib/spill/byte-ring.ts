/**
 * Memory for bytes that are let go in the order in which they came, used again and again: buffers of their own would be
 * memory outside the heap, which only the collector gives back, and often not to the system.
 */
export class ByteRing {
  readonly #size: number;
  #buffer: Buffer | undefined;
  /** Positions count on for ever; the place in the buffer is what is left of them after whole rounds. */
  #begin = 0;
  #end = 0;

  /** @param size bytes; taken when they are first needed */
  constructor(size: number) {
    this.#size = size;
  }

  /** Position behind what was kept last, for `release`. */
  get end(): number {
    return this.#end;
  }

  /** A copy; where it finds no room, in memory of its own. */
  keep(bytes: Buffer): Buffer {
    if (this.#begin === this.#end) this.#begin = this.#end = this.#nextRound(this.#end);
    const isCut = (this.#end % this.#size) + bytes.length > this.#size;
    const from = isCut ? this.#nextRound(this.#end) : this.#end;
    if (from + bytes.length - this.#begin > this.#size) return Buffer.from(bytes);
    this.#buffer ??= Buffer.allocUnsafeSlow(this.#size);
    this.#end = from + bytes.length;
    const at = from % this.#size;
    bytes.copy(this.#buffer, at);
    return this.#buffer.subarray(at, at + bytes.length);
  }

  /** Lets go of what was kept when `end` was this, and of all before it. */
  release(end: number): void {
    this.#begin = Math.max(this.#begin, end);
  }

  #nextRound(position: number): number {
    return Math.ceil(position / this.#size) * this.#size;
  }
}
