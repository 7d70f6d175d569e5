import type { Logger } from '../../lib/logger.ts';
import { systemClock, type Clock } from '../../lib/clock.ts';
import type { AgentStatus, HttpDeps, LiveFeed, LiveFilter, LiveMessage, LiveTask } from '../ports.ts';
import { memoryHistory, type MemoryHistory, type MemoryRows } from './memory-history.testkit.ts';

/** 2026-11-23 14:00:00 UTC. */
export const NOW_MS = Date.UTC(2026, 10, 23, 14);

export interface TestDeps extends HttpDeps {
  readonly history: MemoryHistory;
  readonly live: TestFeed;
  /** Every error logged. */
  readonly errors: readonly unknown[];
  setStatus(members: Partial<AgentStatus>): void;
}

/** Everything the server needs, in memory; time stands at `NOW_MS`, timers are real. */
export function testDeps(rows: MemoryRows = {}): TestDeps {
  const errors: unknown[] = [];
  const ignore = (): void => undefined;
  const logger: Logger = { debug: ignore, info: ignore, warn: ignore, error: (first: unknown) => errors.push(first) };
  const clock: Clock = { ...systemClock, now: () => NOW_MS };
  let status = STATUS;
  return {
    history: memoryHistory(rows),
    live: testFeed(),
    metrics: {
      text: (accept) => Promise.resolve({ contentType: 'text/plain; version=0.0.4', body: `# accept ${accept}\n` }),
    },
    status: () => status,
    clock,
    logger,
    errors,
    setStatus: (members) => (status = { ...status, ...members }),
  };
}

const STATUS: AgentStatus = {
  version: '0.1.0',
  startedMs: NOW_MS - 60_000,
  demo: false,
  role: 'leader',
  standingBy: false,
  broker: { displayUrl: 'redis://:***@broker:6379/0', connected: true, sinceMs: NOW_MS - 50_000, reconnects: 0 },
  history: { enabled: true, connected: true, lagMs: 0, queuedBatches: 0, spilledBytes: 0 },
  otlp: [],
  counts: { events: 12 },
  shedding: [],
  limits: [],
  warnings: [],
};

/** A live feed whose messages the test publishes. */
export interface TestFeed extends LiveFeed {
  publish(message: LiveMessage): void;
  readonly filters: readonly LiveFilter[];
  readonly open: () => number;
  readonly refused: () => number;
}

export function liveTask(members: Partial<LiveTask> = {}): LiveTask {
  return {
    ...{ kind: 'task', type: 'task-started', timestampMs: NOW_MS, taskId: 'id-1', name: 'app.add', state: 'STARTED' },
    ...{ previousState: null, worker: 'w1@h', queue: null, rootId: null, parentId: null, retries: 0 },
    ...{ args: null, kwargs: null, runtimeMs: null, result: null, exception: null },
    ...members,
  };
}

function testFeed(): TestFeed {
  const filters: LiveFilter[] = [];
  const receivers = new Set<(message: LiveMessage) => void>();
  let refusals = 0;
  return {
    filters,
    refused: () => refusals,
    refuse: () => void (refusals += 1),
    open: () => receivers.size,
    publish: (message) => receivers.forEach((receive) => receive(message)),
    subscribe(filter, { maxQueue }) {
      filters.push(filter);
      const queue: LiveMessage[] = [];
      let dropped = 0;
      let closed = false;
      let wake: () => void = () => undefined;
      const receive = (message: LiveMessage): void => {
        queue.push(message);
        if (queue.length > maxQueue) {
          queue.shift();
          dropped += 1;
        }
        wake();
      };
      receivers.add(receive);
      return {
        takeDropped() {
          const count = dropped;
          dropped = 0;
          return count;
        },
        close() {
          closed = true;
          receivers.delete(receive);
          wake();
        },
        async *[Symbol.asyncIterator]() {
          while (!closed) {
            const message = queue.shift();
            if (message === undefined) await new Promise<void>((resolve) => (wake = resolve));
            else yield message;
          }
        },
      };
    },
  };
}
