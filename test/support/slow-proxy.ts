import { connect, createServer, type Socket } from 'node:net';
import { closeAtEnd } from './cleanup.ts';
import { freePort } from './ports.ts';

/** A TCP proxy on loopback that holds back what the server answers. */
export interface SlowProxy {
  readonly port: number;
  /** From now on every answer comes so much later, ms. */
  delayMs: number;
}

/** In front of `port` on 127.0.0.1; without a delay until one is set. */
export async function startSlowProxy(port: number): Promise<SlowProxy> {
  const own = await freePort();
  const proxy = { port: own, delayMs: 0 };
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(port, '127.0.0.1');
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
    }
    client.pipe(upstream);
    let last = Promise.resolve();
    upstream.on('data', (chunk) => {
      last = last.then(() => later(proxy.delayMs)).then(() => void client.write(chunk));
    });
    upstream.on('close', () => void last.then(() => client.destroy()));
    client.on('close', () => upstream.destroy());
  });
  await new Promise<void>((resolve) => server.listen(own, '127.0.0.1', resolve));
  closeAtEnd({
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  });
  return proxy;
}

function later(delayMs: number): Promise<void> | undefined {
  // Unreferenced: what is held back for longer than the test does not keep its process.
  return delayMs === 0 ? undefined : new Promise((resolve) => setTimeout(resolve, delayMs).unref());
}
