import { expect, it } from '@jest/globals';
import type { QueueDepth } from '../core/control/service.ts';
import { FakeBroker } from './control.testkit.ts';
import { KnownQueues } from './queues.ts';

it('tells that a message has waited since its task was published, where that was heard', async () => {
  const { tasks } = new FakeBroker();
  tasks.known = ['q'];
  const depthOf = async (depth: Partial<QueueDepth>): Promise<QueueDepth | undefined> => {
    tasks.depths = (names) => Promise.resolve(names.map((name) => ({ name, ...depth })));
    const sent = new Map([
      ['early', 1000],
      ['late', 5000],
    ]);
    const sentMs = (id: string): number | undefined => sent.get(id);
    const queues = new KnownQueues({ ...deps, tasks, sentMs });
    return (await queues.depths())[0];
  };
  const deps = { inspections: () => new Map(), configured: [], defaultQueue: 'celery' };

  expect(await depthOf({ oldestMs: 4000, nextIds: ['late', 'early'] })).toEqual({ name: 'q', oldestMs: 1000 });
  expect(await depthOf({ oldestMs: 4000, nextIds: ['late', 'unheard'] })).toEqual({ name: 'q', oldestMs: 4000 });
  expect(await depthOf({ nextIds: ['late'] })).toEqual({ name: 'q', oldestMs: 5000 });
  expect(await depthOf({ messages: 3, nextIds: ['unheard'] })).toEqual({ name: 'q', messages: 3 });
});
