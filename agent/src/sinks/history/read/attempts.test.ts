import { describe, expect, it } from '@jest/globals';
import { numberAttempts } from './attempts.ts';

/** `type worker@seconds#clock` and `retries`. */
type Spec = readonly [type: string, worker: string, seconds: number, clock: number, retries?: number];

function told(...specs: readonly Spec[]): string[] {
  const events = specs.map(([type, worker, seconds, clock, retries]) => ({
    taskId: 't',
    type: `task-${type}`,
    worker,
    timestampMs: seconds * 1000,
    receivedMs: seconds * 1000,
    clock,
    fields: retries === undefined ? {} : { retries },
  }));
  return numberAttempts(events).map(({ attempt, type, worker }) => `${attempt} ${type.slice(5)} ${worker}`);
}

describe('numberAttempts', () => {
  it('keeps one run together, task-sent first though it is told last', () => {
    expect(
      told(
        ['started', 'a', 2, 12],
        ['succeeded', 'a', 3, 13],
        ['received', 'a', 1, 11, 0],
        ['sent', 'gen', 1.5, 900, 0],
      ),
    ).toEqual(['1 sent gen', '1 received a', '1 started a', '1 succeeded a']);
  });

  it('knows that a worker receives the next attempt before it reports the retry', () => {
    const run = told(
      ['sent', 'gen', 0, 1, 0],
      ['received', 'a', 1, 11, 0],
      ['started', 'a', 2, 12],
      ['sent', 'gen2', 2.9, 2, 1],
      ['received', 'a', 3, 13, 1],
      ['retried', 'a', 3.1, 14],
      ['started', 'a', 4, 15],
      ['succeeded', 'a', 5, 16],
    );
    expect(run).toEqual([
      ...['1 sent gen', '1 received a', '1 started a', '1 retried a'],
      ...['2 sent gen2', '2 received a', '2 started a', '2 succeeded a'],
    ]);
  });

  it('takes a second delivery with the same retries for a new attempt, and a repeated report not', () => {
    expect(
      told(['received', 'a', 1, 1, 0], ['started', 'a', 2, 2], ['received', 'b', 60, 7, 0], ['started', 'b', 61, 8]),
    ).toEqual([...['1 received a', '1 started a', '2 received b', '2 started b']]);
    expect(told(['received', 'a', 1, 1, 0], ['received', 'b', 1.5, 7, 0], ['started', 'a', 2, 2])).toEqual([
      ...['1 received a', '1 received b', '1 started a'],
    ]);
  });

  it('orders by the clock of one worker, not by those of others', () => {
    expect(
      told(
        ['received', 'a', 1, 11],
        ['succeeded', 'a', 2.9, 13],
        ['started', 'a', 2.95, 12],
        ['progress', 'a', 2.5, 4],
      ),
    ).toEqual([...['1 received a', '1 progress a', '1 started a', '1 succeeded a']]);
    expect(told(['received', 'a', 1, 500], ['revoked', 'b', 2, 3])).toEqual(['1 received a', '1 revoked b']);
  });

  it('counts an attempt that was published and not yet received', () => {
    expect(told(['received', 'a', 1, 1, 0], ['retried', 'a', 2, 2], ['sent', 'gen', 1.9, 1, 1])).toEqual([
      ...['1 received a', '1 retried a', '2 sent gen'],
    ]);
    expect(told(['sent', 'gen', 1, 1, 0])).toEqual(['1 sent gen']);
    expect(numberAttempts([])).toEqual([]);
  });
});
