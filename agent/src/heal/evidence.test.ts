import { expect, it } from '@jest/globals';
import type { QueueDepth } from '../core/control/service.ts';
import type { StoredOpenTask } from '../core/heal/store.ts';
import { NO_MASK } from '../core/mask/mask.ts';
import { quietLogger } from '../sinks/history/history.testkit.ts';
import { askBroker, type EvidenceDeps } from './evidence.ts';

/** What is thought of a task of the worker `w`, which consumed `home`, where nobody can look into the queues. */
async function sight(home: Omit<QueueDepth, 'name'>, task: Partial<StoredOpenTask> = {}): Promise<string> {
  const depths = [
    { name: 'home', ...home },
    { name: 'other', messages: 5, consumers: 0 },
  ];
  const known = new Map([['w', { active_queues: [{ name: 'home' }], timestampMs: 0 }]]);
  const deps = {
    control: { queues: () => Promise.resolve([{ name: 'other' }]), inspector: { known: () => known } },
    tasks: { locate: () => Promise.resolve({ found: new Map(), isWhole: false, depths, redeliveryMs: 1 }) },
    ...{ backend: undefined, masker: NO_MASK, logger: quietLogger },
  } as unknown as EvidenceDeps;
  const open = { taskId: 't', worker: 'w', queue: null, ...task } as StoredOpenTask;
  return (await askBroker([open], deps)).of('t');
}

it('guesses where a message is by the length of the queues it may have gone back to', async () => {
  expect(await sight({ messages: 0, consumers: 0 })).toBe('absent');
  expect(await sight({ messages: 3, consumers: 2 })).toBe('unknown');
  expect(await sight({ messages: 3, consumers: 0 })).toBe('waiting');
  expect(await sight({})).toBe('unknown'); // there is no such queue, or it may not be looked at
  expect(await sight({ messages: 0, consumers: 0 }, { worker: 'never asked' })).toBe('unknown');
  expect(await sight({ messages: 0, consumers: 0 }, { queue: 'other' })).toBe('waiting');
});
