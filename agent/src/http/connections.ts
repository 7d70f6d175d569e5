import type { Server } from 'node:net';

/** Bounds the connections of a server, and counts those it refused. */
export class Connections {
  readonly max: number;
  #open = 0;
  #refused = 0;

  constructor(max: number) {
    this.max = max;
  }

  watch(server: Server): void {
    server.maxConnections = this.max;
    server.on('connection', (socket) => {
      this.#open += 1;
      socket.on('close', () => (this.#open -= 1));
    });
    server.on('drop', () => (this.#refused += 1));
  }

  get open(): number {
    return this.#open;
  }

  get refused(): number {
    return this.#refused;
  }
}
