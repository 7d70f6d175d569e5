import { expect, it } from '@jest/globals';
import { isDue, type LookContext, QUIET_MS, type SeenWorker } from './due.ts';
import type { OpenTask } from './judge.ts';

const NOW = 10_000_000;
const TASK: OpenTask = {
  ...{ taskId: 't', state: 'STARTED', timestamp: NOW / 1000 - 60, worker: 'w@h', queue: null, etaMs: null, mark: null },
};
const ONLINE: SeenWorker = { online: true, lastSeenMs: NOW, startedMs: 0 };
const OFFLINE: SeenWorker = { online: false, lastSeenMs: NOW - 30_000, startedMs: 0 };

interface Case {
  readonly task?: Partial<OpenTask>;
  readonly worker?: SeenWorker | undefined;
  readonly context?: Partial<LookContext>;
}

const due = ({ task, worker = ONLINE, context }: Case): boolean =>
  isDue(
    { ...TASK, ...task },
    {
      ...{ nowMs: NOW, listeningSinceMs: 0, gapEndMs: undefined, orphanAfterMs: 20_000, confirmedMs: () => undefined },
      worker: () => worker,
      ...context,
    },
  );

const QUIET = { timestamp: (NOW - QUIET_MS) / 1000 };

it.each<[string, boolean, Case]>([
  ['a task of a living worker', false, {}],
  ['one of a worker that is silent for long enough', true, { worker: OFFLINE }],
  [
    'one of a worker that the agent could not hear for as long',
    false,
    { worker: OFFLINE, context: { listeningSinceMs: NOW - 10_000 } },
  ],
  ['one of a worker that was started again', true, { worker: { ...ONLINE, startedMs: NOW - 1000 } }],
  ['one that may have ended in a gap', true, { context: { gapEndMs: NOW - 1000 } }],
  ['one that began after the gap', false, { context: { gapEndMs: NOW - 100_000 } }],
  ['one in a queue, after a gap', true, { task: { state: 'PENDING', worker: null }, context: { gapEndMs: NOW } }],
  ['one in a queue', false, { task: { state: 'PENDING', worker: null, timestamp: 0 } }],
  ['one that nothing was heard of for long', true, { task: QUIET }],
  ['one that its worker told of lately', false, { task: QUIET, context: { confirmedMs: () => NOW - 1000 } }],
  ['one that waits for its time', false, { task: { ...QUIET, etaMs: NOW + 1 } }],
  ['an orphaned one', true, { task: { mark: 'orphaned' } }],
  ['one that was sent again', false, { task: { mark: 'replaced' }, worker: OFFLINE, context: { gapEndMs: NOW } }],
])('%s is asked for: %s', (_name, expected, given) => {
  expect(due(given)).toBe(expected);
});
