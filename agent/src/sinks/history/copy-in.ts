import pg from 'pg';

/** `d` and the length of the message, which counts itself. */
const COPY_DATA = 0x64;
const COPY_DONE = Buffer.from([0x63, 0, 0, 0, 4]);
/** Postgres handles a message only when it is whole: smaller ones let it start while the rest is on its way. */
const MESSAGE_BYTES = 128 * 1024;

/**
 * A `copy … from stdin` that sends its data right behind the command. Other clients wait until Postgres asks for it, which
 * costs a round trip, and keeps statements from being sent behind it. Postgres passes over data that come after a command
 * that failed (protocol-flow, COPY Operations).
 */
class CopyIn extends pg.Query {
  constructor(text: string, data: Buffer, onDone: (error: Error | undefined) => void) {
    super(text, onDone);
    this.submit = (connection) => {
      connection.stream.cork();
      connection.query(text);
      for (let at = 0; at < data.length; at += MESSAGE_BYTES) {
        const chunk = data.subarray(at, at + MESSAGE_BYTES);
        const head = Buffer.allocUnsafe(5);
        head[0] = COPY_DATA;
        head.writeUInt32BE(chunk.length + 4, 1);
        connection.stream.write(head);
        connection.stream.write(chunk);
      }
      connection.stream.write(COPY_DONE);
      connection.stream.uncork();
    };
  }

  /** Called by pg when Postgres asks for what is on its way already. */
  handleCopyInResponse(): void {
    return undefined;
  }
}

/**
 * Sends the command and its data at once; resolves when Postgres has stored all rows, rejects with its error. The memory
 * of `data` is read until then, and after an error for as long as the connection lives.
 */
export function copyIn(client: pg.ClientBase, text: string, data: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    client.query(new CopyIn(text, data, (error) => (error ? reject(error) : resolve())));
  });
}
