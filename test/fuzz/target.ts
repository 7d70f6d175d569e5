/** A reader that takes bytes from outside, and what must be true of it whatever the bytes are. */
export interface Target {
  /** Also the name of its file in `corpus/`. */
  readonly name: string;
  /** Inputs that it reads, to begin with: mutations of them get further than bytes by chance. */
  readonly seeds: readonly (string | Buffer)[];
  /** Throws where something is not as it must be. */
  readonly check: (bytes: Buffer) => void;
}

/** Throws with the message unless the condition holds: cheaper than jest's own in millions of runs. */
export function must(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(message);
}

/** What the work returns; undefined where it threw one of the errors that it may throw. */
export function allowing<T>(
  errors: readonly (abstract new (...args: never[]) => Error)[],
  work: () => T,
): T | undefined {
  try {
    return work();
  } catch (error) {
    if (errors.some((kind) => error instanceof kind)) return undefined;
    throw error;
  }
}

/** Latin-1 keeps every byte: a text in which the first byte chooses and the rest is what is chosen for. */
export const byteText = (text: string): Buffer => Buffer.from(text, 'latin1');
