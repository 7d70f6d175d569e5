import { setTimeout as sleep } from 'node:timers/promises';

/** The only pause in the tests: between two looks at a condition. */
export async function pause(delayMs: number): Promise<void> {
  await sleep(delayMs);
}

/**
 * Looks until `condition` answers something other than `undefined` or `false`, and resolves to that answer.
 * A condition that throws counts as not met; the last error is the `cause` when the time is over.
 */
export async function waitFor<T>(
  condition: () => T | Promise<T>,
  timeoutMs = 10_000,
  what = 'the condition',
): Promise<Exclude<T, undefined | false>> {
  const deadline = Date.now() + timeoutMs;
  for (let delayMs = 10; ; delayMs = Math.min(delayMs * 1.5, 250)) {
    let cause: unknown;
    try {
      const answer = await condition();
      if (answer !== undefined && answer !== false) return answer as Exclude<T, undefined | false>;
    } catch (error) {
      cause = error;
    }
    if (Date.now() >= deadline) throw new Error(`${what} was not met within ${timeoutMs} ms`, { cause });
    await pause(delayMs);
  }
}

/** Rejects when `promise` takes longer than `timeoutMs`; the promise itself goes on. */
export async function within<T>(promise: Promise<T>, timeoutMs: number, what: string): Promise<T> {
  const abort = new AbortController();
  const late = sleep(timeoutMs, undefined, { signal: abort.signal }).then(() => {
    throw new Error(`${what} took longer than ${timeoutMs} ms`);
  });
  late.catch(() => undefined);
  try {
    return await Promise.race([promise, late]);
  } finally {
    abort.abort();
  }
}
