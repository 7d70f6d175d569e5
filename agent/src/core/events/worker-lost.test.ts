import { expect, it } from '@jest/globals';
import { WorkerState } from '../state/worker.ts';
import { decodeMessage } from './decode.ts';
import { workerLost } from './worker-lost.ts';

const worker = (lastSeenMs: number): WorkerState =>
  Object.assign(new WorkerState('w@h'), { freq: 2, pid: 7, clock: 3, lastTimestamp: 1000.5, lastSeenMs });

it('is an event of the worker, at the instant from which the agent takes it for offline', () => {
  const { events, rejects } = decodeMessage(workerLost(worker(1_000_600), 1_016_000));
  expect(rejects).toEqual([]);
  expect(events).toMatchObject([
    {
      ...{ type: 'worker-lost', group: 'worker', subject: 'lost', hostname: 'w@h', timestamp: 1015.5, clock: 3 },
      ...{ receivedMs: 1_016_000, fields: { pid: 7, last_seen: 1000.5 } },
    },
  ]);
});

it('is the same event in every replica of the agent, whenever it notices', () => {
  const identities = [workerLost(worker(1_000_600), 1_016_000), workerLost(worker(1_000_900), 1_017_000)].map(
    (message) => decodeMessage(message).events[0]?.identity,
  );
  expect(identities[0]).toBeDefined();
  expect(identities[1]).toBe(identities[0]);
});
