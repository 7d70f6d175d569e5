import type { DataFrame } from '@grafana/data';
import { useEffect, useReducer } from 'react';

/** When the frame arrived, epoch ms. */
export function useArrival(frame: DataFrame | undefined): number {
  const [arrivedMs, arrive] = useReducer(
    (_before: number, nowMs: number) => nowMs,
    undefined,
    () => Date.now(),
  );
  useEffect(() => arrive(Date.now()), [frame]);
  return arrivedMs;
}
