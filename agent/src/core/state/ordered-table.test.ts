import { describe, expect, it } from '@jest/globals';
import { OrderedTable } from './ordered-table.ts';

describe('OrderedTable', () => {
  it('does what a Map does, over any course of changes', () => {
    const table = new OrderedTable<number>();
    const map = new Map<string, number>();
    let seed = 1;
    const below = (limit: number) => (seed = (seed * 48_271) % 2_147_483_647) % limit;
    const told: unknown[] = [];
    const expected: unknown[] = [];
    for (let step = 0; step < 50_000; step++) {
      // Now few entries and now many, so that it grows, closes its holes and empties.
      const key = `key-${below(step % 10_000 < 5000 ? 3000 : 40)}`;
      const kind = below(10);
      if (kind < 5) {
        table.set(key, step);
        map.set(key, step);
      } else if (kind < 8) {
        told.push(table.delete(key));
        expected.push(map.delete(key));
      } else {
        const [oldest] = map;
        if (oldest !== undefined) map.delete(oldest[0]);
        told.push(table.shift());
        expected.push(oldest?.[1]);
      }
      told.push(table.get(key), table.size);
      expected.push(map.get(key), map.size);
      if (step % 1000 === 0) {
        told.push(...table.values());
        expected.push(...map.values());
      }
    }
    expect(told).toEqual(expected);
    expect(map.size).toBeGreaterThan(0);
  });

  it('can be walked while entries come and go', () => {
    const table = new OrderedTable<string>();
    for (const key of ['a', 'b', 'c', 'd']) table.set(key, key);
    const walked: string[] = [];
    for (const value of table.values()) {
      walked.push(value);
      table.delete('a');
      table.delete('c');
      for (let i = 0; i < 100; i++) table.set(`${value}${i}`, 'new');
    }
    expect(walked).toEqual(['a', 'b', 'd']);
    table.clear();
    expect([table.size, table.shift(), table.get('b'), table.delete('b')]).toEqual([0, undefined, undefined, false]);
  });
});
