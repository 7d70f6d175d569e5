import { describe, expect, it } from '@jest/globals';
import { rootOf, spanIdOf, traceIdOf, traceIdOfTask } from './ids.ts';
import { isSampled } from './sampling.ts';
import { linkOf } from './trace-context.ts';

describe('ids', () => {
  it('takes a root id without its dashes for the trace id, in small letters', () => {
    expect(traceIdOf('0A1B2C3D-4E5F-4A6B-8C7D-1E2F3A4B5C6D')).toBe('0a1b2c3d4e5f4a6b8c7d1e2f3a4b5c6d');
  });

  it.each(['order-17', '', 'ünï', '00000000-0000-0000-0000-000000000000'])(
    'hashes the id %j, which is no UUID or no trace id',
    (id) => {
      expect(traceIdOf(id)).toMatch(/^(?!0{32})[0-9a-f]{32}$/);
      expect(traceIdOf(id)).not.toBe(traceIdOf(`${id}x`));
    },
  );

  it('is stable over releases: what was sent before must be found again', () => {
    // printf 'order-17' | sha256sum; printf 'order-17\0task' | sha256sum
    expect(traceIdOf('order-17')).toBe('72a90ea3da8b5dd01bde2f27314e02e2');
    expect(spanIdOf('order-17', 'task')).toBe('14015ebe3da61b4a');
  });

  it('counts a task as root where no root id is known', () => {
    expect([rootOf('a', 'r'), rootOf('a', null), rootOf('a', ''), rootOf('a', 7)]).toEqual(['r', 'a', 'a', 'a']);
    expect(traceIdOfTask('a', null)).toBe(traceIdOf('a'));
  });

  it('tells every part of every task apart', () => {
    const parts = ['task', 'queue 0', 'run 0', 'queue 1', 'run 1'] as const;
    const ids = ['a', 'b'].flatMap((task) => parts.map((part) => spanIdOf(task, part)));
    expect(new Set(ids).size).toBe(10);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{16}$/);
  });
});

describe('sampling', () => {
  const ids = Array.from({ length: 4000 }, (_, index) => traceIdOf(`task ${index}`));
  const share = (ratio: number): number => ids.filter((id) => isSampled(id, ratio)).length / ids.length;

  it('keeps about the share asked for, and what a smaller share holds', () => {
    expect([share(0), share(1)]).toEqual([0, 1]);
    expect(share(0.25)).toBeCloseTo(0.25, 1);
    expect(ids.filter((id) => isSampled(id, 0.1) && !isSampled(id, 0.2))).toEqual([]);
  });

  it('is fair to UUIDs, of which some bits are always the same', () => {
    const uuids = ids.map((id) => `${id.slice(0, 12)}4${id.slice(13, 16)}8${id.slice(17)}`);
    expect(uuids.filter((id) => isSampled(id, 0.5)).length / uuids.length).toBeCloseTo(0.5, 1);
  });
});

describe('trace context', () => {
  const link = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7' };
  const header = `00-${link.traceId}-${link.spanId}-01`;

  it('is read from the event or from its headers', () => {
    expect(linkOf({ traceparent: header })).toEqual(link);
    expect(linkOf({ headers: { traceparent: ` ${header} ` } })).toEqual(link);
    expect(linkOf({ traceparent: `cc-${link.traceId}-${link.spanId}-01-what-comes` })).toEqual(link);
  });

  it.each([
    [undefined],
    [null],
    [7],
    ['00-xyz'],
    [`ff-${link.traceId}-${link.spanId}-01`],
    [`00-${'0'.repeat(32)}-${link.spanId}-01`],
    [`00-${link.traceId}-${'0'.repeat(16)}-01`],
    [header.toUpperCase()],
  ])('passes over %j', (traceparent) => {
    expect(linkOf({ traceparent })).toBeUndefined();
    expect(linkOf({ headers: traceparent })).toBeUndefined();
  });
});
