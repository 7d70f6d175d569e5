import { useMemo, useState } from 'react';
import { type HeldRows, holdRows, type Row } from './held';

interface Held {
  readonly question: string;
  readonly rows: readonly Row[];
}

/**
 * Keeps rows in place while somebody reads.
 *
 * @param question another one lets everything in
 */
export function useHold(rows: readonly Row[], reading: boolean, question: string): HeldRows {
  const [held, setHeld] = useState<Held>();
  const wanted = !reading ? undefined : held?.question === question ? held : { question, rows };
  if (wanted !== held) {
    setHeld(wanted);
  }
  const kept = wanted?.rows;
  return useMemo(() => holdRows(kept, rows), [kept, rows]);
}
