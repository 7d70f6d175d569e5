import { useEffect, useReducer } from 'react';
import { type LengthHistory, type QueueRow, track } from './model';

interface Answer {
  readonly rows: readonly QueueRow[];
  readonly atMs: number;
}

const NOTHING: LengthHistory = new Map();

/** Lengths that the panel has lately seen: kept over refreshes, gone with the panel. */
export function useLengths(rows: readonly QueueRow[]): LengthHistory {
  const [history, dispatch] = useReducer(
    (before: LengthHistory, answer: Answer) => track(before, answer.rows, answer.atMs),
    NOTHING,
  );
  useEffect(() => dispatch({ rows, atMs: Date.now() }), [rows]);
  return history;
}
