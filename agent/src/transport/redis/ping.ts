import { afterIo, type Clock } from '../../lib/clock.ts';
import type { RedisSocket } from './socket.ts';

/** Times in a row that a PING is put off for what has arrived and is not read. */
const PUT_OFF = 5;

/**
 * Sends PINGs until the returned function is called: an answer proves that what was published before it was asked for is
 * read (`RedisSocket.answeredMs`).
 *
 * After a pause of the process what has arrived is read first, for Redis may have closed the connection meanwhile: written
 * to then, the kernel throws away what was not read.
 */
export function startPings(socket: RedisSocket, everyMs: number, clock: Clock, onAnswer: () => void): () => void {
  let putOff = 0;
  let lastMs = clock.now();
  const ping = (): void => {
    const nowMs = clock.now();
    const isLate = nowMs - lastMs > 2 * everyMs;
    lastMs = nowMs;
    if ((isLate || !socket.isDrained) && putOff < PUT_OFF) {
      putOff += 1;
      return;
    }
    putOff = 0;
    socket.command('PING').then(onAnswer, () => undefined);
  };
  // The end of the other side is read in a turn of its own.
  return clock.every(everyMs, () => afterIo(() => afterIo(ping)));
}
