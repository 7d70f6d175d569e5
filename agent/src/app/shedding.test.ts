import { describe, expect, it } from '@jest/globals';
import type { Logger } from '../lib/logger.ts';
import { openShedding, type Shedding } from './shedding.ts';

const ignore = (): void => undefined;
const logger: Logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };

const shed = (shedding: Shedding): string[] =>
  shedding
    .stats()
    .filter(({ isShed }) => isShed)
    .map(({ work }) => work);

describe('shedding', () => {
  it('leaves out the least important first, and takes it up again last', () => {
    const begun: string[] = [];
    const shedding = openShedding(logger, (work) => begun.push(work));
    const after = (fill: number): string[] => {
      shedding.look({ fill, canStore: true });
      return shed(shedding);
    };
    expect(after(0.09)).toEqual([]);
    expect(after(0.1)).toEqual(['telemetry']);
    expect(after(0.3)).toEqual(['telemetry', 'live']);
    expect(after(0.6)).toEqual(['telemetry', 'live', 'searches']);
    expect(begun).toEqual(['telemetry', 'live', 'searches']);
    expect(shedding.sentences()).toHaveLength(3);
    expect(after(0.26)).toEqual(['telemetry', 'live', 'searches']);
    expect(after(0.2)).toEqual(['telemetry', 'live']);
    expect(after(0.1)).toEqual(['telemetry']);
    expect(after(0.04)).toEqual([]);
    expect(shedding.sentences()).toEqual([]);
  });

  it('counts what it refuses, and nothing else', () => {
    const shedding = openShedding(logger, ignore);
    expect(shedding.refuses('live')).toBe(false);
    shedding.look({ fill: 0.3, canStore: true });
    expect(shedding.refuses('live')).toBe(true);
    expect(shedding.refuses('searches')).toBe(false);
    expect(shedding.stats().map(({ count }) => count)).toEqual([0, 1, 0]);
  });

  it('begins nothing while the database is away, and goes on with what it began', () => {
    const shedding = openShedding(logger, ignore);
    shedding.look({ fill: 0.9, canStore: false });
    expect(shed(shedding)).toEqual([]);
    shedding.look({ fill: 0.2, canStore: true });
    shedding.look({ fill: 0.9, canStore: false });
    expect(shed(shedding)).toEqual(['telemetry']);
  });
});
