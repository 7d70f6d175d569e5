import { mkdirSync, mkdtempSync, readdirSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { SpillQueue } from './spill-queue.ts';

const codec = {
  weigh: (item: string) => item.length,
  hold: (item: string) => item,
  // In pieces, as the queue promises to put together.
  encode: (item: string) => [Buffer.from(item.slice(0, 2)), Buffer.from(item.slice(2))],
  decode: (record: Buffer) => (record.toString() === 'unreadable' ? undefined : record.toString()),
};

let directory: string;
const unreadable: number[] = [];
beforeEach(() => {
  unreadable.length = 0;
  directory = mkdtempSync(join(tmpdir(), 'spill-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const open = (memoryBytes: number, diskBytes = 1e9): SpillQueue<string> =>
  SpillQueue.open({
    directory,
    codec,
    memoryBytes,
    diskBytes,
    onUnreadable: (_, bytes) => void unreadable.push(bytes),
  });

function drain(queue: SpillQueue<string>, step = 7): string[] {
  const all: string[] = [];
  for (let items = queue.peek(step); items.length > 0; items = queue.peek(step)) {
    all.push(...items);
    queue.commit(items.length);
  }
  return all;
}

const segments = (): string[] => readdirSync(directory);

describe('SpillQueue', () => {
  it('keeps the order over memory, files and back, whatever is pushed, committed, spilled, and closed at the end', () => {
    const action = fc.oneof(
      { weight: 8, arbitrary: fc.record({ push: fc.integer({ min: 1, max: 30 }) }) },
      { weight: 4, arbitrary: fc.record({ commit: fc.integer({ min: 1, max: 20 }) }) },
      { weight: 1, arbitrary: fc.record({ spill: fc.constant(true) }) },
    );
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
        rmSync(directory, { recursive: true, force: true });
        const queue = open(100);
        const expected: string[] = [];
        let next = 0;
        for (const step of actions) {
          if ('push' in step) {
            for (let i = 0; i < step.push; i += 1) {
              const item = `item-${String(next++)}`;
              expect(queue.push(item)).toBe(true);
              expected.push(item);
            }
          } else if ('commit' in step) {
            const items = queue.peek(step.commit);
            expect(items).toEqual(expected.slice(0, items.length));
            expect(items.length > 0).toBe(expected.length > 0);
            queue.commit(items.length);
            expected.splice(0, items.length);
          } else queue.spill();
        }
        queue.close();
        const again = drain(open(100));
        expect(again.slice(again.length - expected.length)).toEqual(expected);
        expect(again).toEqual(
          Array.from({ length: again.length }, (_, i) => `item-${String(next - again.length + i)}`),
        );
        expect(segments()).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });

  it('gives again after a crash what was read but not committed', () => {
    const queue = open(0);
    for (let i = 0; i < 5; i += 1) queue.push(`item-${String(i)}`);
    queue.spill();
    expect(queue.peek(5)).toHaveLength(5);
    queue.commit(2);
    expect(drain(open(0))).toEqual(['item-0', 'item-1', 'item-2', 'item-3', 'item-4']);
  });

  it('passes over a torn record and goes on with the next file', () => {
    const queue = open(0);
    queue.push('first');
    queue.push('second');
    queue.push('third');
    queue.spill();
    const file = String(segments().at(-1));
    truncateSync(join(directory, file), 4 + 'first'.length + 4 + 'second'.length + 2);
    const after = open(0);
    after.push('fourth');
    after.push('fifth');
    expect(drain(after)).toEqual(['first', 'second', 'fourth', 'fifth']);
    expect(unreadable).toEqual([2]);
  });

  it('tells of a record that cannot be read back and keeps its neighbours', () => {
    const queue = open(0);
    for (const item of ['a', 'b', 'unreadable', 'c']) queue.push(item);
    queue.spill();
    expect(drain(queue)).toEqual(['a', 'b', 'c']);
    expect(unreadable).toEqual(['unreadable'.length]);
    expect(segments()).toEqual([]);
  });

  it('refuses, and takes nothing, when memory and disk are at their bounds', () => {
    const queue = open(10, 20);
    const taken = Array.from({ length: 10 }, (_, i) => queue.push(`item-${String(i)}`));
    expect(taken).toContain(false);
    const count = taken.filter(Boolean).length;
    expect(drain(queue)).toEqual(Array.from({ length: count }, (_, i) => `item-${String(i)}`));
    expect(queue.push('again')).toBe(true);
  });

  it('goes on in memory, in order, while the disk refuses, and uses it again afterwards', () => {
    const queue = open(20);
    rmSync(directory, { recursive: true }); // as every other error of the file system
    const items = Array.from({ length: 30 }, (_, i) => `item-${String(i).padStart(200_000, '0')}`);
    expect(items.slice(0, 20).every((item) => queue.push(item))).toBe(true);
    expect(queue.problem?.message).toMatch(/ENOENT/);
    expect(() => queue.spill()).toThrow(/ENOENT/);
    expect(queue.peek(3)).toEqual(items.slice(0, 1));
    mkdirSync(directory);
    queue.flush();
    expect(queue.problem).toBeUndefined();
    expect(items.slice(20).every((item) => queue.push(item))).toBe(true);
    expect(drain(queue)).toEqual(items);
    expect(segments()).toEqual([]);
  });

  it('gives what waits for a file that cannot be written, and leaves no empty files behind', () => {
    const queue = open(10);
    rmSync(directory, { recursive: true });
    for (const item of ['first', 'second', 'third']) queue.push(item);
    queue.flush();
    expect(drain(queue)).toEqual(['first', 'second', 'third']);
    expect(queue.problem).toBeUndefined();
    queue.push('last');
    expect(() => queue.close()).toThrow(/4 bytes of messages are lost/);
  });

  it('reads a record larger than a read block', () => {
    const queue = open(0);
    const large = 'x'.repeat(9 * 1024 * 1024);
    queue.push('small');
    queue.push(large);
    queue.push('end');
    queue.spill();
    const items = drain(queue);
    expect(items.map((item) => item.length)).toEqual([5, large.length, 3]);
  });
});
