import { describe, expect, it } from '@jest/globals';
import { systemClock } from '../lib/clock.ts';
import { quietLogger } from '../sinks/history/history.testkit.ts';
import type { ListeningGap } from '../transport/port.ts';
import { type Losses, watchLosses } from './losses.ts';

function ignore(): void {
  // told to nobody
}

let nowMs = 1_000_000;

function watched(): { losses: Losses; gaps: ListeningGap[]; lose: () => void } {
  const gaps: ListeningGap[] = [];
  const losses = watchLosses({
    clock: { ...systemClock, now: () => nowMs },
    logger: quietLogger,
    metrics: { onReject: ignore, onDrop: ignore, onGap: ignore },
    totals: { events: 0, taskEvents: 0, rejects: 0, foreign: 0, dropped: 0 },
    transport: { health: () => ({ connected: true, sinceMs: 0, reconnects: 0 }) },
    history: () => ({ listening: { recordGap: (gap) => void gaps.push(gap), endGap: ignore } }),
  });
  const lose = (): void =>
    losses.overflow('intake', { receivedMs: nowMs - 10, routingKey: 'task.multi', payload: Buffer.alloc(1) });
  return { losses, gaps, lose };
}

describe('messages that find no room', () => {
  it('are one gap as long as others follow within seconds, told when it is over', () => {
    const { losses, gaps, lose } = watched();
    const fromMs = nowMs;
    for (let n = 0; n < 3; n++, nowMs += 4000) {
      lose();
      losses.sweep(nowMs);
    }
    expect(gaps).toEqual([]);
    losses.sweep(nowMs + 1000);
    expect(gaps).toEqual([
      { fromMs: fromMs - 10, toMs: fromMs + 8000, cause: expect.stringMatching(/^3 messages found no room/) },
    ]);
  });

  it('are told every minute while it goes on', () => {
    const { losses, gaps, lose } = watched();
    const fromMs = nowMs;
    for (let second = 0; second <= 150; second++, nowMs += 1000) {
      lose();
      losses.sweep(nowMs);
    }
    expect(gaps.map((gap) => [gap.fromMs - fromMs, gap.toMs - fromMs])).toEqual([
      [-10, 60_000],
      [60_990, 121_000],
    ]);
  });

  it('are told at the latest when the agent stops, once', () => {
    const { losses, gaps, lose } = watched();
    lose();
    expect(losses.untoldSinceMs()).toBe(nowMs - 10);
    losses.close();
    losses.close();
    expect(gaps).toHaveLength(1);
    expect(losses.untoldSinceMs()).toBeUndefined();
  });
});
