import { useCallback, useEffect, useState } from 'react';
import type { CeleryDataSource } from '../../../datasource/datasource';

export type Inspection =
  | { readonly state: 'asking' }
  | { readonly state: 'told'; readonly reply: unknown }
  /** The worker's own error */
  | { readonly state: 'refused'; readonly error: string }
  | { readonly state: 'silent' }
  /** The agent or Grafana did not get so far */
  | { readonly state: 'failed'; readonly error: unknown };

const ASKING: Inspection = { state: 'asking' };

/**
 * What a worker answers now when it is asked.
 *
 * @returns the answer, and a function that asks again; what was told stays until the next answer is there
 */
export function useInspect(
  source: CeleryDataSource,
  command: string,
  hostname: string,
): readonly [inspection: Inspection, ask: () => void] {
  const [inspection, setInspection] = useState(ASKING);
  const [asked, setAsked] = useState(0);
  useEffect(() => {
    const subscription = source.client.inspect(command, hostname).subscribe({
      next: ({ answers: [answer] }) => setInspection(read(answer)),
      error: (error: unknown) => setInspection({ state: 'failed', error }),
    });
    return () => subscription.unsubscribe();
  }, [source, command, hostname, asked]);
  return [inspection, useCallback(() => setAsked((count) => count + 1), [])];
}

function read(
  answer: { readonly ok: boolean; readonly reply?: unknown; readonly error?: string } | undefined,
): Inspection {
  if (answer === undefined) {
    return { state: 'silent' };
  }
  return answer.ok ? { state: 'told', reply: answer.reply } : { state: 'refused', error: answer.error ?? '' };
}
