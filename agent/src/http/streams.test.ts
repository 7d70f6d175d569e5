import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { WebSocket } from 'ws';
import { startServer, type RunningServer } from './server.ts';
import { liveTask, testDeps, type TestDeps } from './testing/deps.testkit.ts';
import { taskRecord } from './testing/memory-history.testkit.ts';

let deps: TestDeps;
let server: RunningServer;

const sockets: { destroy(): void }[] = [];

/** Seldom enough that no client is cut off whose pong a busy machine delays. */
const SELDOM_MS = 10_000;

async function start(rows: Parameters<typeof testDeps>[0] = {}, heartbeatMs = SELDOM_MS): Promise<void> {
  deps = testDeps(rows);
  const limits = { maxSubscribers: 2, subscriberQueue: 5, heartbeatMs };
  server = await startServer(deps, { port: 0, ...limits });
}

async function startAgain(...as: Parameters<typeof start>): Promise<void> {
  await server.close();
  await start(...as);
}

beforeEach(() => start());
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await server.close();
});

/** Asks again until it holds, for at most 10 s. */
async function until(holds: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`never held: ${holds.toString()}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

setFlagsFromString('--expose_gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Memory that is in use; what merely waits to be collected is none. */
function heldBytes(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

interface RawClient {
  readonly socket: Socket;
  text(): string;
}

/** A client that sends the request and keeps what comes, as it comes. */
async function raw(path: string): Promise<RawClient> {
  const socket = connect(server.port, '127.0.0.1');
  sockets.push(socket);
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  return { socket, text: () => text };
}

interface WsClient {
  readonly socket: WebSocket;
  readonly messages: { event: string; data: unknown }[];
}

async function openWs(query = '', options: object = {}): Promise<WsClient> {
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}/api/v1/ws${query}`, options);
  sockets.push({ destroy: () => socket.terminate() });
  const messages: WsClient['messages'] = [];
  socket.on('message', (data: Buffer) => messages.push(JSON.parse(data.toString()) as WsClient['messages'][number]));
  await once(socket, 'open');
  return { socket, messages };
}

/** The status of a refused handshake. */
function refused(query: string, options: object = {}): Promise<number | undefined> {
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}/api/v1/ws${query}`, options);
  return new Promise((resolve, reject) => {
    socket.on('unexpected-response', (_request, response) => {
      resolve(response.statusCode);
      response.resume();
      socket.terminate();
    });
    socket.on('error', () => undefined);
    socket.on('open', () => reject(new Error('the handshake was taken')));
  });
}

describe('GET /stream', () => {
  it('sends what happens, and signs of life, and lets go when the client does', async () => {
    await startAgain({}, 50);
    const client = await raw('/api/v1/stream?kinds=task,worker&names=app.*&states=started&taskId=id-1');
    await until(() => deps.live.open() === 1);
    expect(deps.live.filters).toEqual([
      { kinds: ['task', 'worker'], names: ['app.*'], states: ['STARTED'], taskId: 'id-1' },
    ]);
    deps.live.publish(liveTask());
    await until(() => client.text().includes('event: task') && client.text().includes(': heartbeat'));
    expect(client.text()).toMatch(/content-type: text\/event-stream/i);
    expect(client.text()).toMatch(/x-content-type-options: nosniff/i);
    expect(client.text()).toContain(`event: task\ndata: ${JSON.stringify(liveTask())}\n\n`);
    client.socket.destroy();
    await until(() => deps.live.open() === 0);
  });

  it('tells a slow client how many it missed, and never waits for it', async () => {
    const client = await raw('/api/v1/stream');
    await until(() => deps.live.open() === 1);
    client.socket.pause();
    const big = 'x'.repeat(256 * 1024);
    const before = heldBytes();
    for (let i = 0; i < 400; i += 1) {
      deps.live.publish(liveTask({ taskId: String(i), exception: big }));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(heldBytes() - before).toBeLessThan(60 * 1024 * 1024);
    client.socket.resume();
    await until(() => client.text().includes('event: dropped'));
    await until(() => client.text().includes('"taskId":"399"'));
    const dropped = [...client.text().matchAll(/event: dropped\ndata: \{"count":(\d+)\}/g)];
    const received = client.text().match(/^event: task/gm)?.length ?? 0;
    expect(received + dropped.reduce((sum, [, count]) => sum + Number(count), 0)).toBe(400);
  });

  it('has a bounded number of seats, which it shares with the WebSockets', async () => {
    await raw('/api/v1/stream');
    await openWs();
    await until(() => deps.live.open() === 2);
    const third = await raw('/api/v1/stream');
    await until(() => third.text().includes('too-many-subscribers'));
    expect(third.text()).toMatch(/^HTTP\/1.1 503 /);
    expect(await refused('')).toBe(503);
    expect(deps.live.refused()).toBe(2);
  });

  it('ends when the server closes', async () => {
    const client = await raw('/api/v1/stream');
    const ws = await openWs();
    await until(() => deps.live.open() === 2);
    const ended = Promise.all([once(client.socket, 'close'), once(ws.socket, 'close')]);
    await server.close();
    await ended;
    expect(deps.live.open()).toBe(0);
    await start();
  });
});

describe('GET /ws', () => {
  it('sends what happens as JSON and lets go when the client does', async () => {
    const { socket, messages } = await openWs('?queues=a&queues=b');
    await until(() => deps.live.open() === 1);
    expect(deps.live.filters).toEqual([{ queues: ['a', 'b'] }]);
    deps.live.publish(liveTask());
    await until(() => messages.length === 1);
    expect(messages).toEqual([{ event: 'task', data: liveTask() }]);
    socket.close();
    await until(() => deps.live.open() === 0);
  });

  it('pings, and cuts off a client that does not answer', async () => {
    await startAgain({}, 50);
    const { socket } = await openWs('', { autoPong: false });
    await once(socket, 'ping');
    await once(socket, 'close');
    await until(() => deps.live.open() === 0);
  });

  it('refuses a bad filter, a page from elsewhere, and a plain request', async () => {
    expect(await refused('?kinds=gap')).toBe(400);
    expect(await refused('?x=1')).toBe(400);
    expect(await refused('', { origin: 'http://evil.example' })).toBe(403);
    await openWs('', { origin: `http://127.0.0.1:${server.port}` });
    const plain = await fetch(`${server.url}api/v1/ws`);
    expect([plain.status, await plain.json()]).toMatchObject([426, { error: { code: 'upgrade-required' } }]);
  });
});

describe('GET /export/tasks', () => {
  const args = `"${'a'.repeat(2000)}`;
  const many = Array.from({ length: 60_000 }, (_, i) => taskRecord({ taskId: `id-${i}`, timestamp: i, args }));

  it('sends every match as NDJSON or CSV', async () => {
    const evil = taskRecord({ taskId: '=cmd()', name: 'a,"b"\nc', retries: -1, oddities: { x: 1 }, timestamp: 9 });
    await startAgain({ tasks: [evil, taskRecord({ taskId: 'two', timestamp: 8 })] });
    const ndjson = await fetch(`${server.url}api/v1/export/tasks?format=ndjson`);
    expect(ndjson.headers.get('content-type')).toMatch('application/x-ndjson');
    const lines = (await ndjson.text()).trimEnd().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { taskId: string }).taskId)).toEqual(['=cmd()', 'two']);
    const csv = await fetch(`${server.url}api/v1/export/tasks`);
    expect(csv.headers.get('content-disposition')).toBe('attachment; filename="tasks.csv"');
    const text = await csv.text();
    expect(text).toMatch(/^taskId,name,state,/);
    expect(text).toContain(`\r\n'=cmd(),"a,""b""\nc",SUCCESS,`);
    expect(text).toMatch(/,-1,.*,"\{""x"":1\}",,,,\r\n/);
  });

  it('reads no faster than the client, and stops when it goes', async () => {
    await startAgain({ tasks: many });
    const client = await raw('/api/v1/export/tasks?format=ndjson');
    client.socket.pause();
    await until(() => deps.history.exported() > 0);
    let last = -1;
    // Buffers of both sockets fill, then nothing moves any more.
    for (let still = 0; still < 500; still += 1) {
      await new Promise((resolve) => setImmediate(resolve));
      if (deps.history.exported() !== last) still = 0;
      last = deps.history.exported();
    }
    expect(last).toBeLessThan(30_000);
    client.socket.destroy();
    await until(() => deps.history.abandoned() === 1);
    expect(deps.history.exported()).toBeLessThan(30_000);
  });

  it('cuts the connection when the history fails midway', async () => {
    await startAgain({ tasks: many });
    const answer = await fetch(`${server.url}api/v1/export/tasks?format=ndjson`);
    expect(answer.status).toBe(200);
    deps.history.failWith(new Error('gone'));
    await expect(answer.text()).rejects.toThrow('terminated');
    expect(deps.errors).toHaveLength(1);
  });
});

describe('the listener', () => {
  it('says where it is, and refuses a taken port', async () => {
    expect(server.url).toBe(`http://127.0.0.1:${server.port}/`);
    expect(await (await fetch(`${server.url}healthcheck`)).text()).toBe('OK');
    await expect(startServer(testDeps(), { port: server.port })).rejects.toThrow(
      /port \d+ of 127.0.0.1 is in use.*--port/,
    );
  });
});
