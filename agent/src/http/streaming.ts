import { Readable } from 'node:stream';
import type { Logger } from '../lib/logger.ts';

/**
 * A body that is read only as fast as the client takes it. Waits for the first piece, so that a failure up to then
 * is still an answer with a status; a later one is logged and cuts the connection: the client must not take half a
 * body for a whole. Leaves the pieces when the client goes away.
 */
export async function streamOf(pieces: AsyncIterable<string>, logger: Logger): Promise<Readable> {
  const iterator = pieces[Symbol.asyncIterator]();
  const first = await iterator.next();
  async function* all(): AsyncGenerator<string, void, undefined> {
    try {
      for (let next = first; next.done !== true; next = await iterator.next()) yield next.value;
    } catch (error) {
      logger.error({ err: error }, 'a streamed answer failed on its way');
      throw error;
    } finally {
      await iterator.return?.();
    }
  }
  return Readable.from(all(), { objectMode: true, highWaterMark: 1 });
}
