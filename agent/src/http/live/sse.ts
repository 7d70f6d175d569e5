import type { ServerResponse } from 'node:http';
import type { LiveSink } from './pump.ts';

/** Server-sent events over a plain response. */
export function sseSink(response: ServerResponse): LiveSink & { heartbeat(): void } {
  return {
    async send(event, data) {
      if (response.destroyed) return;
      const flowing = response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
      if (!flowing) await drained(response);
    },
    heartbeat() {
      // A write would make a client that has stopped reading look alive to the socket's timeout.
      if (!response.destroyed && !response.writableNeedDrain) response.write(': heartbeat\n\n');
    },
  };
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done);
      response.off('close', done);
      resolve();
    };
    response.on('drain', done);
    response.on('close', done);
  });
}
