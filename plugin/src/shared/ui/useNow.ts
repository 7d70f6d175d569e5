import { useEffect, useState } from 'react';

/** The time, epoch ms, renewed while something on the screen ages. @param everyMs undefined: nothing does */
export function useNow(everyMs: number | undefined): number {
  const [nowMs, setNowMs] = useState(() => Date.now());
  useEffect(() => {
    if (everyMs === undefined) {
      return undefined;
    }
    const timer = setInterval(() => setNowMs(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return nowMs;
}
