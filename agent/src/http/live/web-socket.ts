import type { WebSocket } from '@fastify/websocket';
import type { Clock } from '../../lib/clock.ts';
import type { LiveSink } from './pump.ts';

/** Bytes a client may be behind before the pump waits for it, and its queue begins to drop. */
const HIGH_WATER = 256 * 1024;

/** One JSON text a message: `{ "event": …, "data": … }`. */
export function webSocketSink(socket: WebSocket): LiveSink {
  return {
    send: (event, data) =>
      new Promise((resolve) => {
        if (socket.readyState !== socket.OPEN) {
          resolve();
          return;
        }
        const isBehind = socket.bufferedAmount > HIGH_WATER;
        socket.send(JSON.stringify({ event, data }), () => {
          if (isBehind) resolve();
        });
        if (!isBehind) resolve();
      }),
  };
}

/** Pings the client; when it has not answered by the next ping, cuts it off and says so. Returns the stop function. */
export function keepAlive(socket: WebSocket, clock: Clock, everyMs: number, onSilent: () => void): () => void {
  let answered = true;
  socket.on('pong', () => (answered = true));
  return clock.every(everyMs, () => {
    if (!answered) {
      onSilent();
      socket.terminate();
      return;
    }
    answered = false;
    socket.ping();
  });
}
