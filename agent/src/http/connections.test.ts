import { createServer, type Server } from 'node:http';
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from '@jest/globals';
import { WebSocket } from 'ws';
import { answerBrokenRequest } from './broken-request.ts';
import { Connections } from './connections.ts';
import { buildServer } from './server.ts';
import { testDeps } from './testing/deps.testkit.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function listen(server: Server): Promise<number> {
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address();
  return typeof bound === 'object' && bound !== null ? bound.port : 0;
}

/** A client that sends this and nothing more; resolves with what it was told when it was let go of. */
async function letGo(port: number, sent: string): Promise<string> {
  const socket: Socket = connect(port, '127.0.0.1', () => socket.write(sent));
  let told = '';
  socket.on('data', (chunk: Buffer) => (told += chunk.toString()));
  socket.on('error', () => undefined);
  await once(socket, 'close');
  return told;
}

const counted = ({ oversized, slow, idle }: Connections) => ({ oversized, slow, idle });

describe('the connections of the server', () => {
  it('count requests with too large bodies, URLs, parameters and headers', async () => {
    const connections = new Connections(10);
    const app = await buildServer(testDeps(), { connections, unauthenticatedApi: true });
    const port = await listen(app.server);
    const ask = async (path: string, init: RequestInit = {}): Promise<number> => {
      const answer = await fetch(`http://127.0.0.1:${port}${path}`, init);
      await answer.text();
      return answer.status;
    };
    expect(await ask('/api/v1/names')).toBe(200);
    expect(counted(connections).oversized).toBe(0);
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify({ args: ['x'.repeat(1024 * 1024)] });
    expect(await ask('/api/v1/tasks', { method: 'POST', headers, body })).toBe(413);
    expect(await ask(`/api/v1/tasks?search=${'x'.repeat(9000)}`)).toBe(414);
    expect(await ask(`/api/v1/tasks/${'x'.repeat(2000)}`)).toBe(414);
    expect(await ask('/healthcheck', { headers: { 'x-long': 'x'.repeat(17_000) } })).toBe(431);
    expect(counted(connections)).toEqual({ oversized: 4, slow: 0, idle: 0 });
  });

  it('tell a client that stopped in the middle from one that has nothing more to ask', async () => {
    const connections = new Connections(10);
    const app = await buildServer(testDeps(), { connections });
    app.server.setTimeout(300);
    app.server.keepAliveTimeout = 200;
    const port = await listen(app.server);
    expect(await letGo(port, 'GET /healthcheck HTTP/1.1\r\nHost: localhost\r\n\r\n')).toMatch(/^HTTP\/1.1 200 .*OK$/s);
    expect(counted(connections)).toEqual({ oversized: 0, slow: 0, idle: 1 });
    expect(await letGo(port, 'GET /healthcheck HTTP/1.1\r\nHos')).toBe('');
    expect(counted(connections)).toEqual({ oversized: 0, slow: 1, idle: 1 });
  });

  it('count a request that does not come to its end in time', async () => {
    const connections = new Connections(10);
    // How often Node looks is fixed when the server is made.
    const server = createServer({ connectionsCheckingInterval: 50, headersTimeout: 100, requestTimeout: 100 });
    connections.watch(server);
    server.on('clientError', answerBrokenRequest);
    const port = await listen(server);
    expect(await letGo(port, 'GET / HTTP/1.1\r\nHost')).toMatch(/^HTTP\/1.1 408 /);
    expect(counted(connections)).toEqual({ oversized: 0, slow: 1, idle: 0 });
  });

  it('count a client that does not answer the pings of its WebSocket', async () => {
    const connections = new Connections(10);
    const app = await buildServer(testDeps(), { connections, heartbeatMs: 50 });
    const port = await listen(app.server);
    const socket = new WebSocket(`ws://127.0.0.1:${port}/api/v1/ws`, { autoPong: false });
    closing.push(() => socket.terminate());
    await once(socket, 'close');
    expect(counted(connections)).toEqual({ oversized: 0, slow: 1, idle: 0 });
  });
});
