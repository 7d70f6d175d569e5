/** The only source of time and timers: tests hand in their own. */
export interface Clock {
  /** Epoch ms. */
  now(): number;
  /** Runs `task` every `everyMs`; the returned function stops it. Does not keep the process alive. */
  every(everyMs: number, task: () => void): () => void;
  /** Runs `task` once after `delayMs`; the returned function cancels it. Does not keep the process alive. */
  after(delayMs: number, task: () => void): () => void;
  /** Resolves after `delayMs`. Keeps the process alive. */
  sleep(delayMs: number): Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  every(everyMs, task) {
    const timer = setInterval(task, everyMs).unref();
    return () => clearInterval(timer);
  },
  after(delayMs, task) {
    const timer = setTimeout(task, delayMs).unref();
    return () => clearTimeout(timer);
  },
  sleep: (delayMs) => new Promise((resolve) => setTimeout(resolve, delayMs)),
};

/** Runs `task` once the sockets had their turn: long work is cut into slices with it. */
export function afterIo(task: () => void): void {
  setImmediate(task);
}
