import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** What one client may send and hold. */
export const CLIENT_LIMITS = {
  bodyBytes: 1024 * 1024,
  headerBytes: 16 * 1024,
  /** From the first byte of a request to its last; headers have less. */
  requestMs: 30_000,
  headersMs: 10_000,
  /** A client that neither reads nor writes for this long is let go; live streams send more often. */
  silentMs: 120_000,
  /** Between two requests over one connection. */
  idleMs: 72_000,
} as const;

/** Payload, URI and header fields too large. */
const OVERSIZED: ReadonlySet<number | undefined> = new Set([413, 414, 431]);

/** Bounds the connections of a server; counts those it refused, whom it let go of, and requests that were too large. */
export class Connections {
  readonly max: number;
  #open = 0;
  #refused = 0;
  #oversized = 0;
  #slow = 0;
  #idle = 0;

  constructor(max: number) {
    this.max = max;
  }

  watch(server: Server): void {
    server.maxConnections = this.max;
    server.on('connection', (socket: Socket) => {
      this.#open += 1;
      socket.on('close', () => (this.#open -= 1));
      this.#watchTime(server, socket);
    });
    // Of HTTPS this is the socket that HTTP is spoken over.
    server.on('secureConnection', (socket: Socket) => this.#watchTime(server, socket));
    server.on('drop', () => (this.#refused += 1));
    server.on('request', (_request: IncomingMessage, response: ServerResponse) => {
      response.on('close', () => {
        if (OVERSIZED.has(response.statusCode)) this.#oversized += 1;
      });
    });
    server.on('clientError', ({ code }: NodeJS.ErrnoException) => {
      if (code === 'HPE_HEADER_OVERFLOW') this.#oversized += 1;
      if (code === 'ERR_HTTP_REQUEST_TIMEOUT') this.#slow += 1;
    });
  }

  /** A client was cut off that did not answer on its WebSocket. */
  noteSilent(): void {
    this.#slow += 1;
  }

  get open(): number {
    return this.#open;
  }

  get refused(): number {
    return this.#refused;
  }

  /** Requests whose body, URL or headers were too large. */
  get oversized(): number {
    return this.#oversized;
  }

  /** Connections ended because the client did not send its request, read its answer or answer a ping in time. */
  get slow(): number {
    return this.#slow;
  }

  /** Connections ended because no further request came. */
  get idle(): number {
    return this.#idle;
  }

  /** While it waits for the next request a socket has another timeout than while one is under way. */
  #watchTime(server: Server, socket: Socket): void {
    socket.on('timeout', () => {
      if (socket.timeout === server.timeout) this.#slow += 1;
      else this.#idle += 1;
    });
  }
}
