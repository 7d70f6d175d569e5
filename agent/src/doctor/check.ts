import type { Clock } from '../lib/clock.ts';

/** `skipped`: there is nothing to check, e.g. because an option is not set. */
export type Verdict = 'ok' | 'warning' | 'failed' | 'skipped';

/** One thing that a check found. */
export interface Finding {
  readonly verdict: Verdict;
  /** One sentence; no secrets. */
  readonly found: string;
  /** What to do about it. */
  readonly advice?: string;
}

export interface Check {
  /** A word or two. */
  readonly name: string;
  /** May reject: that is a failed check. */
  run(): Promise<readonly Finding[]>;
}

export const ok = (found: string): Finding => ({ verdict: 'ok', found });
export const skipped = (found: string, advice?: string): Finding => ({
  verdict: 'skipped',
  found,
  ...(advice && { advice }),
});
export const warning = (found: string, advice: string): Finding => ({ verdict: 'warning', found, advice });
export const failed = (found: string, advice: string): Finding => ({ verdict: 'failed', found, advice });

/** The message of whatever was thrown, with what caused it: fetch itself says no more than "fetch failed". */
export function reasonOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return String(error);
  const { message, cause, errors } = error as { message?: unknown; cause?: unknown; errors?: unknown };
  const text = typeof message === 'string' ? message : '';
  if (text === '' && Array.isArray(errors) && errors.length > 0) return errors.map(reasonOf).join('; ');
  if (cause !== undefined && cause !== null) return `${text}: ${reasonOf(cause)}`;
  return text === '' ? 'no reason told' : text;
}

/** At most ten names, and how many more there are. */
export function listed(names: readonly string[]): string {
  const more = names.length - 10;
  return more > 0 ? `${names.slice(0, 10).join(', ')} and ${more} more` : names.join(', ');
}

/** `1 worker`, `2 workers`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** Rejects after the time; the work itself is not ended. */
export async function within<T>(clock: Clock, limitMs: number, work: Promise<T>): Promise<T> {
  let cancel = (): void => undefined;
  const limit = new Promise<never>((_, reject) => {
    cancel = clock.after(limitMs, () => reject(new Error(`no answer within ${limitMs / 1000} s`)));
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    cancel();
  }
}
