import net from 'node:net';
import tls from 'node:tls';
import { afterIo, type Clock } from '../../lib/clock.ts';
import { RedisReplyError, RespReader } from './resp-reader.ts';
import type { RedisReply } from './resp-reader.ts';

/** Where to connect; `tls` holds Node's options where the connection is encrypted. */
export interface RedisAddress {
  readonly host: string;
  readonly port: number;
  readonly socketPath?: string;
  readonly tls?: tls.ConnectionOptions;
}

export interface RedisSocketOptions {
  readonly address: RedisAddress;
  readonly clock: Clock;
  readonly connectTimeoutMs: number;
  /** Messages of the subscriptions, as `RespHandlers`; left out where only commands are sent. */
  readonly onRun?: (bytes: Buffer, spans: Uint32Array | undefined) => void;
  /** What comes when no answer is due; without `onRun` a message among it. */
  readonly onUnasked?: (reply: RedisReply) => void;
}

/** How a connection ended; `error` is undefined where the other side closed it in good order. */
export interface SocketEnd {
  readonly error?: Error;
}

/**
 * How long one turn of the event loop reads, ms. In a flood libuv would go on for 32 reads, which held up a scrape for a
 * third of a second; read so long, the others have their turn in between and reading still has most of the time.
 */
const READ_MS = 8;

interface Waiting {
  readonly sentMs: number;
  resolve(reply: RedisReply): void;
  reject(error: Error): void;
}

/**
 * One connection to Redis: commands answered in order, and pub/sub messages as they come.
 * `opened` settles once connected (with TLS: once the handshake is done); `ended` resolves in every case.
 */
export class RedisSocket {
  readonly opened: Promise<void>;
  readonly ended: Promise<SocketEnd>;
  readonly #socket: net.Socket;
  readonly #reader: RespReader;
  readonly #waiting: Waiting[] = [];
  #error: Error | undefined;
  #isEnded = false;
  readonly #clock: Clock;
  #answeredMs: number | undefined;
  /** Bytes that the read under way has room for. */
  #room = 0;
  #isDrained = true;
  /** Since when this turn reads, epoch ms; undefined before its first read. */
  #readingSinceMs: number | undefined;
  #isPaused = false;

  constructor(options: RedisSocketOptions) {
    const { onRun, onUnasked, clock } = options;
    this.#clock = clock;
    this.#reader = new RespReader({
      ...(onRun !== undefined && { onRun }),
      onReply: (reply) => (this.isWaiting ? this.#onReply(reply) : onUnasked?.(reply)),
    });
    this.#socket = this.#connect(options.address);
    // Without a reader in flowing mode the end of the other side would never be told.
    this.#socket.resume();
    this.#socket.setNoDelay(true);
    this.#socket.setKeepAlive(true, 30_000);
    this.#socket.on('error', (error) => {
      this.#error ??= error;
    });
    const cancelTimeout = clock.after(options.connectTimeoutMs, () => {
      this.#fail(Object.assign(new Error('no connection in time'), { code: 'ETIMEDOUT' }));
    });
    this.ended = new Promise((resolve) => {
      this.#socket.once('close', () => {
        cancelTimeout();
        this.#isEnded = true;
        const error = this.#error;
        for (const waiting of this.#waiting.splice(0)) waiting.reject(error ?? new Error('connection closed'));
        resolve(error === undefined ? {} : { error });
      });
    });
    this.opened = new Promise((resolve, reject) => {
      this.#socket.once(options.address.tls === undefined ? 'connect' : 'secureConnect', () => {
        cancelTimeout();
        resolve();
      });
      void this.ended.then(({ error }) => reject(error ?? new Error('connection closed')));
    });
    this.opened.catch(() => undefined);
  }

  /**
   * When the last command that was answered was sent, epoch ms. All that Redis wrote to this connection before that
   * instant is read, however long the answer, or whoever was to read it, took.
   */
  get answeredMs(): number | undefined {
    return this.#answeredMs;
  }

  /**
   * What had arrived is read, and the other side has not ended. To write otherwise may lose what has arrived: where Redis
   * closed the connection meanwhile, the kernel answers with a reset, and throws away what was not read.
   */
  get isDrained(): boolean {
    return this.#isDrained && this.#socket.writable && !this.#socket.readableEnded;
  }

  /** An answer is due. */
  get isWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  /** @throws RedisReplyError what Redis answers with; Error when the connection ends before it answers. */
  async command(...words: string[]): Promise<RedisReply> {
    if (this.#isEnded) throw this.#error ?? new Error('connection closed');
    const reply = await new Promise<RedisReply>((resolve, reject) => {
      this.#waiting.push({ sentMs: this.#clock.now(), resolve, reject });
      const bulks = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
      this.#socket.write(`*${words.length}\r\n${bulks.join('')}`);
    });
    if (reply instanceof RedisReplyError) throw reply;
    return reply;
  }

  /** Ends the connection at once; `ended` tells `reason` as its error. */
  destroy(reason?: Error): void {
    this.#error ??= reason;
    this.#socket.destroy();
  }

  #connect(address: RedisAddress): net.Socket {
    const where =
      address.socketPath === undefined ? { host: address.host, port: address.port } : { path: address.socketPath };
    if (address.tls !== undefined) {
      const socket = tls.connect({ ...where, ...address.tls });
      socket.on('data', (chunk: Buffer) => this.#guarded(() => this.#reader.append(chunk)));
      return socket;
    }
    return net.connect({
      ...where,
      onread: {
        buffer: () => {
          this.#beginTurn();
          const room = this.#reader.reserve();
          this.#room = room.length;
          return room;
        },
        callback: (bytes) => {
          this.#isDrained = bytes < this.#room;
          this.#guarded(() => this.#reader.commit(bytes));
          return this.#mayReadOn();
        },
      },
    } as net.NetConnectOpts);
  }

  #beginTurn(): void {
    if (this.#readingSinceMs !== undefined) return;
    this.#readingSinceMs = this.#clock.now();
    afterIo(() => {
      this.#readingSinceMs = undefined;
      if (this.#isPaused) this.#socket.resume();
      this.#isPaused = false;
    });
  }

  /** False stops reading until the next turn. */
  #mayReadOn(): boolean {
    const since = this.#readingSinceMs ?? 0;
    this.#isPaused = this.#clock.now() - since >= READ_MS;
    return !this.#isPaused;
  }

  #guarded(read: () => void): void {
    try {
      read();
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #fail(error: Error): void {
    this.#error ??= error;
    this.#socket.destroy();
  }

  #onReply(reply: RedisReply): void {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) return;
    this.#answeredMs = waiting.sentMs;
    waiting.resolve(reply);
  }
}
