import { describe, expect, it } from '@jest/globals';
import { makeEvent } from './event.testkit.ts';
import { isAliveForCelery, isSilent, judgeOnline, mergeWorkerEvent, offlineAfterMs, WorkerState } from './worker.ts';

const FULL = { pid: 7, freq: 2, active: 1, processed: 5, loadavg: [1, 2, 3], sw_ident: 'py-celery', clock: 3 };

function seen(...events: ReturnType<typeof makeEvent>[]): WorkerState {
  const worker = new WorkerState('celery@a');
  for (const event of events) {
    mergeWorkerEvent(worker, event);
    judgeOnline(worker, event, event.receivedMs);
  }
  return worker;
}

const beat = (timestamp: number, body: object = FULL) => makeEvent('worker-heartbeat', { timestamp, ...body });

describe('mergeWorkerEvent', () => {
  it('does not let a requested heartbeat take away the load', () => {
    const worker = seen(beat(10), beat(11, { pid: 7, freq: 5, sw_ident: 'py-celery', clock: 4 }));
    expect(worker).toMatchObject({ ...FULL, freq: 5, clock: 4 });
  });

  it('keeps the last four heartbeats, sorted; a late one pushes out the oldest', () => {
    expect(seen(...[1, 2, 3, 4, 5].map((t) => beat(t))).heartbeats).toEqual([2, 3, 4, 5]);
    expect(seen(...[2, 3, 4, 5, 1].map((t) => beat(t))).heartbeats).toEqual([1, 3, 4, 5]);
    expect(seen(beat(2), beat(2), beat(1)).heartbeats).toEqual([1, 2, 2]);
  });

  it('takes the receive time of a worker event, but the timestamp of a task event', () => {
    const worker = seen(
      makeEvent('worker-heartbeat', { timestamp: 5 }, 7000),
      makeEvent('task-started', { timestamp: 6 }, 9000),
    );
    expect(worker.heartbeats).toEqual([6, 7]);
    expect(worker.clock).toBe(0);
  });

  it('forgets its heartbeats when it goes, and comes back with the next sign of life', () => {
    const offline = makeEvent('worker-offline', { timestamp: 12 });
    expect(seen(beat(10), offline)).toMatchObject({ heartbeats: [], online: false });
    expect(seen(beat(10), offline, makeEvent('task-succeeded', { timestamp: 13 }))).toMatchObject({
      heartbeats: [13],
      online: true,
    });
  });
});

describe('liveness', () => {
  it("is twice the interval in Celery's eyes", () => {
    expect(isAliveForCelery(new WorkerState('x'), 0)).toBe(false);
    const worker = seen(beat(100));
    expect([103.9, 104].map((now) => isAliveForCelery(worker, now))).toEqual([true, false]);
    const busy = seen(makeEvent('task-started', { timestamp: 100 }));
    expect([219.9, 220].map((now) => isAliveForCelery(busy, now))).toEqual([true, false]);
  });

  it('is three intervals of silence and at least 15 s in ours, by receive time', () => {
    expect(offlineAfterMs(seen(beat(1, { freq: 2 })))).toBe(15_000);
    expect(offlineAfterMs(seen(beat(1, { freq: 10 })))).toBe(30_000);
    const worker = seen(makeEvent('worker-heartbeat', { timestamp: 5, freq: 2 }, 1_000_000));
    expect([1_015_000, 1_015_001].map((now) => isSilent(worker, now, 0))).toEqual([false, true]);
    expect([1_035_000, 1_035_001].map((now) => isSilent(worker, now, 1_020_000))).toEqual([false, true]);
    expect(worker).toMatchObject({ firstSeenMs: 1_000_000, lastSeenMs: 1_000_000 });
  });

  it("of a worker that told no interval is that of Celery's default", () => {
    const busy = seen(makeEvent('task-started', { timestamp: 1 }, 1_000_000));
    expect(busy).toMatchObject({ freq: 60, online: true });
    expect([1_015_000, 1_015_001].map((now) => isSilent(busy, now, 0))).toEqual([false, true]);
    for (const freq of ['2', null, -1, 0, NaN]) expect(offlineAfterMs(seen(beat(1, { freq })))).toBe(15_000);
    expect(offlineAfterMs(seen(beat(1, { freq: 10 }), beat(2, { freq: null })))).toBe(30_000);
  });

  it('is not proved by an event that lay in a buffer', () => {
    const worker = new WorkerState('x');
    const old = beat(100);
    mergeWorkerEvent(worker, old);
    judgeOnline(worker, old, 100_000 + 15_001);
    expect(worker.online).toBe(false);
  });
});
