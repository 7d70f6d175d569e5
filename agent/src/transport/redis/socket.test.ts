import { createServer, type AddressInfo } from 'node:net';
import { expect, it } from '@jest/globals';
import { afterIo, systemClock } from '../../lib/clock.ts';
import { RedisSocket } from './socket.ts';

const MIB = 1 << 20;
const PAYLOAD = 'x'.repeat(10_000);

it('lets others have their turn in a flood, and loses none of it', async () => {
  const messages = 3200; // 32 MB, more than is read in one turn
  const server = createServer((socket) => {
    const numbered = (n: number): string =>
      `*4\r\n$8\r\npmessage\r\n$1\r\n*\r\n$1\r\nc\r\n$10005\r\n${n}${PAYLOAD}\r\n`;
    for (let n = 0; n < messages; n += 1) socket.write(numbered(n + 10_000));
    socket.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  const heard: number[] = [];
  let readThisTurn = 0;
  let mostInATurn = 0;
  const socket = new RedisSocket({
    address: { host: '127.0.0.1', port: (server.address() as AddressInfo).port },
    clock: systemClock,
    connectTimeoutMs: 5000,
    onRun: (bytes, spans = Uint32Array.of(0, bytes.length)) => {
      if (readThisTurn === 0) afterIo(() => (readThisTurn = 0));
      readThisTurn += bytes.length;
      mostInATurn = Math.max(mostInATurn, readThisTurn);
      for (let n = 0; n < spans.length; n += 2) {
        const from = spans[n] ?? 0;
        heard.push(Number(bytes.toString('latin1', from, from + 5)));
      }
    },
  });
  expect(await socket.ended).toEqual({});
  server.close();
  expect(heard).toEqual(Array.from({ length: messages }, (_, n) => n + 10_000));
  expect(mostInATurn).toBeGreaterThan(0);
  expect(mostInATurn).toBeLessThanOrEqual(3 * MIB); // 2 MiB, and the read that went beyond
});
