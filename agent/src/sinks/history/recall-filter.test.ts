import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { RecallFilter } from './recall-filter.ts';

describe('RecallFilter', () => {
  it('never denies an id that was added, and seldom holds one that was not', () => {
    const filter = new RecallFilter(16 * 1024);
    const ids = Array.from({ length: 12_500 }, () => randomUUID());
    for (const id of ids) filter.add(id);
    expect(ids.every((id) => filter.mayHold(id))).toBe(true);
    const wrong = Array.from({ length: 12_500 }, () => randomUUID()).filter((id) => filter.mayHold(id)).length;
    // 10.5 bits an id and 5 probes: 1 in 110 by theory.
    expect(wrong / 12_500).toBeLessThan(0.015);
    filter.clear();
    expect(ids.some((id) => filter.mayHold(id))).toBe(false);
  });

  it('tells ids that differ in one character apart', () => {
    const filter = new RecallFilter(64 * 1024);
    for (let i = 0; i < 10_000; i++) filter.add(`task-${i}`);
    let wrong = 0;
    for (let i = 10_000; i < 20_000; i++) if (filter.mayHold(`task-${i}`)) wrong++;
    expect(wrong).toBeLessThan(10);
  });
});
