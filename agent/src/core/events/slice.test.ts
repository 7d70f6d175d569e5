import { expect, it } from '@jest/globals';
import { decodeMessage } from './decode.ts';
import { isInSlice, type Slice, sliceOf, WHOLE } from './slice.ts';

const ids = Array.from(
  { length: 30_000 },
  (_, n) => `${n.toString(16).padStart(8, '0')}-0000-4000-8000-00000000000${n % 10}`,
);

it('gives each task to exactly one slice, about as many to each', () => {
  for (const parts of [2, 3, 7, 64]) {
    const counts = new Array<number>(parts).fill(0);
    for (const id of ids) {
      const slices = Array.from({ length: parts }, (_, at): Slice => ({ index: at + 1, of: parts }));
      const owners = slices.filter((slice) => isInSlice(id, slice));
      expect(owners.length).toBe(1);
      const at = (owners[0]?.index ?? 0) - 1;
      counts[at] = (counts[at] ?? 0) + 1;
    }
    for (const count of counts)
      expect(Math.abs(count - ids.length / parts)).toBeLessThan(5 * Math.sqrt(ids.length / parts));
  }
});

it('never changes: agents of two releases share a stream', () => {
  expect(['', 'a', 'e3b0c442-98fc-4c14-9afb-f4c8996fb924', 'täsk'].map((id) => sliceOf(id, 5))).toEqual([3, 3, 2, 1]);
});

it('leaves out the task events of other slices, and nothing else', () => {
  const body = [
    ...ids.slice(0, 20).map((uuid, n) => ({ type: 'task-started', uuid, hostname: 'w@h', timestamp: 1, clock: n })),
    { type: 'worker-heartbeat', hostname: 'w@h', timestamp: 1, clock: 9 },
    { type: 'task-started', uuid: 7, hostname: 'w@h', timestamp: 1, clock: 9 },
  ];
  const raw = {
    receivedMs: 1,
    routingKey: '',
    payload: Buffer.from(JSON.stringify(body)),
    properties: { contentType: 'application/json' },
  };
  const parts = [1, 2, 3].map((index) => decodeMessage(raw, { index, of: 3 }));
  const tasks = parts.flatMap(({ events }) => events.filter(({ group }) => group === 'task').map(({ uuid }) => uuid));
  expect(tasks.sort()).toEqual(ids.slice(0, 20).sort());
  for (const { events, rejects, foreign } of parts) {
    expect(events.filter(({ group }) => group === 'worker').length).toBe(1);
    expect(rejects.length).toBe(1);
    expect(events.length - 1 + (foreign ?? 0)).toBe(20);
  }
  expect(decodeMessage(raw, WHOLE).foreign).toBeUndefined();
});
