import type { Clock } from '../lib/clock.ts';
import { BackendUnavailable } from './port.ts';

/** How long a result backend may take to answer, ms. */
export const ANSWER_WITHIN_MS = 2000;

/** Settles as `work`, or rejects with BackendUnavailable when that takes too long. */
export async function withinDeadline<T>(clock: Clock, what: string, work: Promise<T>): Promise<T> {
  let cancel = (): void => undefined;
  const late = new Promise<never>((_, reject) => {
    cancel = clock.after(ANSWER_WITHIN_MS, () => {
      reject(new BackendUnavailable(`${what} did not answer within ${ANSWER_WITHIN_MS / 1000} s`));
    });
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    cancel();
  }
}
