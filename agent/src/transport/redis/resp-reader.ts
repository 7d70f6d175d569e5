/**
 * Reads RESP2 off a socket, made for floods of pub/sub messages.
 *
 * The socket reads into one slab, again and again, and messages are handed on in runs, each a slice of it: nothing is copied
 * but the cut-off end of a read, and a message is two numbers. Whoever keeps a run copies it: a new slab for each megabyte
 * is memory outside the heap, for which V8 looked through all that is held, six times a second in a flood.
 *
 * Measured with Redis 7.0 and `redis-cli --pipe` as the publisher, everything on 2 cores: 160,000 messages of 700 bytes
 * at 409,000/s (286 MB/s) for 0.32 CPU s, where ioredis' `pmessageBuffer` takes 0.56; 8,000 messages of 15 KB at
 * 37,500/s (562 MB/s). The publisher is the limit. On an overloaded machine 7 of 10 such bursts came through whole, with
 * ioredis 3 of 10: the rest were cut off by Redis' stock pub/sub limit (32 MB).
 */

/** An error that Redis answered with, e.g. `NOAUTH Authentication required.` */
export class RedisReplyError extends Error {
  override readonly name = 'RedisReplyError';
  /** The first word: `NOAUTH`, `WRONGPASS`, `ERR`, … */
  readonly code: string;

  constructor(message: string) {
    super(message);
    this.code = /^\S*/.exec(message)?.[0] ?? '';
  }
}

export type RedisReply = string | number | null | RedisReplyError | RedisReply[];

export interface RespHandlers {
  /**
   * The payloads of `pmessage`s that came together, in order, whatever their channels: a slice that is good until the call
   * returns, and where each begins and ends in it (absent: the slice is one payload). Left out where only commands are sent: an answer of four
   * items may begin just like one.
   */
  onRun?: (bytes: Buffer, spans: Uint32Array | undefined) => void;
  onReply(reply: RedisReply): void;
}

const SLAB_BYTES = 1 << 20;
const LEAST_FREE_BYTES = 256 << 10;
/** Single events of a megabyte take ten milliseconds to be taken in, and nothing else has its turn meanwhile. */
const MOST_AT_ONCE_BYTES = 512 << 10;
/** A run ends here, so that decoding one is a short piece of work; a larger message is a run of its own. */
const RUN_BYTES = 64 << 10;
const MOST_IN_A_RUN = 2048;
/** `*4\r\n$8\r\npmessage\r\n` */
const PMESSAGE_HEAD_BYTES = 18;
/** Redis' own limit of a bulk string. */
const MAX_BULK_BYTES = 512 << 20;

const [CR, STAR, DOLLAR, PLUS, MINUS, COLON, FOUR, EIGHT, P, M] = [13, 42, 36, 43, 45, 58, 52, 56, 112, 109];

export class RespReader {
  readonly #handlers: RespHandlers;
  #slab = Buffer.alloc(0);
  #start = 0;
  #end = 0;
  /** Bytes from `#start` that the message there is known to need. */
  #needed = 1;
  #position = 0;
  /** The run that is being read: where its first payload begins, how many there are, begin and end of each. */
  #runStart = 0;
  #runLength = 0;
  readonly #spans = new Uint32Array(2 * MOST_IN_A_RUN);

  constructor(handlers: RespHandlers) {
    this.#handlers = handlers;
  }

  /** Free space for the next read; what was read is told with `commit`. */
  reserve(bytes: number = LEAST_FREE_BYTES): Buffer {
    const left = this.#end - this.#start;
    // Nothing that was handed on is held, so the same memory is read into again: it is in the processor's cache.
    if (left === 0 || this.#slab.length - this.#end < bytes) this.#moveToFront(left, bytes);
    return this.#slab.subarray(this.#end, this.#end + Math.max(bytes, MOST_AT_ONCE_BYTES));
  }

  #moveToFront(left: number, bytes: number): void {
    const size = Math.max(SLAB_BYTES, Math.max(left, this.#needed) + bytes);
    const slab = size === this.#slab.length ? this.#slab : Buffer.allocUnsafeSlow(size);
    this.#slab.copy(slab, 0, this.#start, this.#end);
    this.#slab = slab;
    this.#start = 0;
    this.#end = left;
  }

  /** Hands on all that is whole after `bytes` more were read into `reserve()`. @throws Error for what is not RESP2. */
  commit(bytes: number): void {
    this.#end += bytes;
    try {
      this.#readAll();
    } finally {
      this.#endRun();
    }
  }

  #readAll(): void {
    while (this.#end - this.#start >= this.#needed) {
      this.#position = this.#start;
      const whole = this.#isPmessage() ? this.#readPmessage() : this.#readReply();
      if (!whole) {
        this.#needed = Math.max(this.#needed, this.#end - this.#start + 1);
        return;
      }
      this.#start = this.#position;
      this.#needed = 1;
    }
  }

  /** For sockets that bring their own buffers (TLS). */
  append(chunk: Buffer): void {
    chunk.copy(this.reserve(chunk.length));
    this.commit(chunk.length);
  }

  #isPmessage(): boolean {
    if (this.#handlers.onRun === undefined) return false;
    const slab = this.#slab;
    const at = this.#start;
    return (
      this.#end - at >= PMESSAGE_HEAD_BYTES &&
      slab[at] === STAR &&
      slab[at + 1] === FOUR &&
      slab[at + 4] === DOLLAR &&
      slab[at + 5] === EIGHT &&
      slab[at + 6] === CR &&
      slab[at + 8] === P &&
      slab[at + 9] === M
    );
  }

  #readPmessage(): boolean {
    this.#position += PMESSAGE_HEAD_BYTES;
    const patternEnd = this.#readBulkEnd();
    if (patternEnd === undefined) return false;
    this.#position = patternEnd + 2;
    const channelEnd = this.#readBulkEnd();
    if (channelEnd === undefined) return false;
    this.#position = channelEnd + 2;
    const payloadEnd = this.#readBulkEnd();
    if (payloadEnd === undefined) return false;
    this.#addToRun(this.#position, payloadEnd);
    this.#position = payloadEnd + 2;
    return true;
  }

  #addToRun(start: number, end: number): void {
    if (this.#runLength === MOST_IN_A_RUN || end - this.#runStart > RUN_BYTES) this.#endRun();
    if (this.#runLength === 0) this.#runStart = start;
    const at = 2 * this.#runLength;
    this.#spans[at] = start - this.#runStart;
    this.#spans[at + 1] = end - this.#runStart;
    this.#runLength += 1;
  }

  #endRun(): void {
    const length = 2 * this.#runLength;
    if (length === 0) return;
    const bytes = this.#slab.subarray(this.#runStart, this.#runStart + (this.#spans[length - 1] ?? 0));
    this.#runLength = 0;
    this.#handlers.onRun?.(bytes, length === 2 ? undefined : this.#spans.slice(0, length));
  }

  /** Reads `$<length>\r\n`; the end of the bulk string that follows, or undefined while it is not whole. */
  #readBulkEnd(): number | undefined {
    if (this.#position >= this.#end) return undefined;
    if (this.#slab[this.#position] !== DOLLAR) throw new Error('the answer is not the Redis protocol');
    this.#position += 1;
    const length = this.#readInteger();
    if (length === undefined) return undefined;
    if (length > MAX_BULK_BYTES) throw new Error('the answer is not the Redis protocol');
    const end = this.#position + length;
    if (end + 2 <= this.#end) return end;
    this.#needed = end + 2 - this.#start;
    return undefined;
  }

  #readInteger(): number | undefined {
    let value = 0;
    let sign = 1;
    for (let at = this.#position; at + 1 < this.#end; at += 1) {
      const byte = this.#slab[at] ?? 0;
      if (byte === CR) {
        this.#position = at + 2;
        return sign * value;
      }
      if (byte === MINUS) sign = -1;
      else if (byte >= 48 && byte <= 57) value = value * 10 + byte - 48;
      else throw new Error('the answer is not the Redis protocol');
    }
    return undefined;
  }

  #readReply(): boolean {
    const reply = this.#parse();
    if (reply === undefined) return false;
    this.#endRun(); // what stands before an answer is handed on before it
    this.#handlers.onReply(reply);
    return true;
  }

  #parse(): RedisReply | undefined {
    const type = this.#slab[this.#position];
    if (this.#position >= this.#end) return undefined;
    this.#position += 1;
    switch (type) {
      case PLUS:
        return this.#readLine();
      case MINUS: {
        const line = this.#readLine();
        return line === undefined ? undefined : new RedisReplyError(line);
      }
      case COLON:
        return this.#readInteger();
      case DOLLAR:
        return this.#parseBulk();
      case STAR:
        return this.#parseArray();
      default:
        throw new Error('the answer is not the Redis protocol');
    }
  }

  #parseBulk(): string | null | undefined {
    if (this.#slab[this.#position] === MINUS) {
      return this.#readInteger() === undefined ? undefined : null;
    }
    this.#position -= 1;
    const end = this.#readBulkEnd();
    if (end === undefined) return undefined;
    const text = this.#slab.toString('utf8', this.#position, end);
    this.#position = end + 2;
    return text;
  }

  #parseArray(): RedisReply[] | null | undefined {
    const length = this.#readInteger();
    if (length === undefined) return undefined;
    if (length < 0) return null;
    const items: RedisReply[] = [];
    while (items.length < length) {
      const item = this.#parse();
      if (item === undefined) return undefined;
      items.push(item);
    }
    return items;
  }

  #readLine(): string | undefined {
    const end = this.#slab.indexOf('\r\n', this.#position, 'latin1');
    if (end === -1 || end + 2 > this.#end) return undefined;
    const line = this.#slab.toString('utf8', this.#position, end);
    this.#position = end + 2;
    return line;
  }
}
