import { Socket } from 'node:net';
import { expect } from '@jest/globals';

interface Marked {
  /** The test file that runs now; Node's own modules are shared by all files of a jest worker. */
  umbelTestFile?: string | undefined;
  readonly emit: (this: Marked, event: string | symbol, ...args: unknown[]) => boolean;
  readonly connect: (this: Marked, ...args: unknown[]) => unknown;
}

/**
 * A refused connection names the test file that began it: what a file leaves behind is reported by whichever file the
 * worker runs next, and without a stack.
 */
const sockets = Socket.prototype as unknown as Marked;
const isMarked = 'umbelTestFile' in sockets;
sockets.umbelTestFile = expect.getState().testPath;

if (!isMarked) {
  const origins = new WeakMap<object, { file: string; frames: string }>();
  const { connect, emit } = sockets;
  Object.assign(sockets, {
    connect(this: Marked, ...args: unknown[]) {
      const [, , ...frames] = (new Error('begun').stack ?? '').split('\n');
      origins.set(this, { file: sockets.umbelTestFile ?? 'no test file', frames: frames.join('\n') });
      return connect.apply(this, args);
    },
    emit(this: Marked, event: string | symbol, ...args: unknown[]) {
      // An error of Node's own is of another realm than the test's, so no `instanceof`.
      const [error] = args as [{ code?: unknown; message?: string } | undefined];
      const origin = origins.get(this);
      if (event === 'error' && error?.code === 'ECONNREFUSED' && origin !== undefined) {
        const stack = `Error: ${error.message ?? ''} (begun in ${origin.file})\n${origin.frames}`;
        Object.assign(error, { stack });
      }
      return emit.apply(this, [event, ...args]);
    },
  });
}
