import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { CeleryEvent } from '../../core/events/event.ts';
import {
  batch,
  event,
  type HistoryKit,
  life,
  NOON,
  openHistoryKit,
  quietLogger,
  settableClock,
} from './history.testkit.ts';
import { type EndedTask, TaskImport } from './import.ts';
import { Partitions } from './partitions.ts';
import { openHistoryReader } from './read/reader.ts';
import { DEFAULT_LIMITS } from './safe-values.ts';

/** The end as a result backend knows it: at another time than the event's, and, without `result_extended`, little more. */
function ended(taskId: string, at: number, isExtended: boolean): EndedTask {
  const more = isExtended
    ? { name: 'app.add', worker: 'celery@one', queue: 'high', started: NOON + at + 2 }
    : { name: null, worker: null, queue: null, started: null };
  const texts = { args: null, kwargs: null, result: '3', exception: null, traceback: null };
  return { taskId, state: 'SUCCESS', ended: NOON + at + 70, retries: null, ...more, ...texts };
}

async function importing(kit: HistoryKit, tasks: readonly EndedTask[]): Promise<number> {
  const clock = settableClock();
  const target = new TaskImport(
    kit.pool,
    new Partitions({ pool: kit.pool, clock, logger: quietLogger }),
    DEFAULT_LIMITS,
  );
  return target.store({ source: 's', lastId: 1, read: tasks.length, isLast: true, tasks }, clock.now());
}

/**
 * Of minutes and of hours, by time alone: events of an imported task are counted under the name and the queue that the
 * import knew. The least count of a row tells whether something was taken from a row that did not have it.
 */
async function counted(kit: HistoryKit): Promise<unknown[]> {
  const counts = ['sent', 'received', 'started', 'succeeded', 'failed', 'runtime_count'];
  const sums = counts.map((name) => `sum(${name})::int as ${name}`).join(', ');
  const columns = `${sums}, round(sum(runtime_sum)::numeric, 6) as runtime, min(least(${counts.join(', ')}))::int as least,
    coalesce(sum((select sum(n) from unnest(runtime_buckets) as n)), 0)::int as buckets`;
  return [
    await kit.rows(`select minute, worker, ${columns} from celery_task_rollups group by 1, 2 order by 1, 2`),
    await kit.rows(`select hour, ${columns} from celery_task_rollups_hourly group by 1 order by 1`),
  ];
}

/** When each event of a task is written: before the import, after it, after it and a restart, or never. */
const when = fc.constantFrom('before', 'after', 'restarted', 'never');
const tasks = fc.array(
  fc.record({
    at: fc.integer({ min: 0, max: 4000 }),
    isExtended: fc.boolean(),
    heard: fc.tuple(when, when, when, when),
  }),
  {
    minLength: 1,
    maxLength: 12,
  },
);

it('counts each task of an import once, whenever its events come, to several writers and repeated', async () => {
  const [kit, reference] = [await openHistoryKit(), await openHistoryKit()];
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(tasks, async (chosen) => {
      runs += 1;
      const all = chosen.map((task, index) => ({
        ...task,
        id: `run-${runs}-${index}`,
        events: life(`run-${runs}-${index}`, task.at),
      }));
      const at = (moment: string): CeleryEvent[] =>
        all.flatMap(({ events, heard }) => events.filter((_, index) => heard[index] === moment));
      const backend = all.map(({ id, at, isExtended }) => ended(id, at, isExtended));
      const [one, two] = [kit.open(), kit.open()];
      const write = async (events: readonly CeleryEvent[]): Promise<void> => {
        await one.write(batch(...events.filter((_, index) => index % 3 !== 0)));
        await two.write(batch(...events.filter((_, index) => index % 3 !== 1)));
      };
      await write(at('before'));
      await importing(kit, backend);
      await write(at('after'));
      expect(await importing(kit, backend)).toBe(0);
      const restarted = kit.open();
      await restarted.write(batch(...at('restarted')));
      await two.write(batch(...at('restarted')));

      const plain = reference.open();
      await plain.write(batch(...at('before')));
      const known = new Set(at('before').map(({ uuid }) => uuid));
      const isEndHeard = (id: string): boolean => all.some(({ id: own, heard }) => own === id && heard[3] !== 'never');
      await importing(
        reference,
        backend.filter(({ taskId }) => !known.has(taskId) && !isEndHeard(taskId)),
      );
      await plain.write(batch(...at('after'), ...at('restarted')));
      expect(await counted(kit)).toEqual(await counted(reference));
    }),
    { numRuns: 12 },
  );
});

it('keeps what it counted for later events out of the answers, and counts a second end of the same task', async () => {
  const kit = await openHistoryKit();
  await importing(kit, [ended('t', 0, false)]);
  const [, received = event('task-received', 't', 1), , succeeded = event('task-succeeded', 't', 3)] = life('t', 0);
  await kit.open().write(batch(received));
  const reader = openHistoryReader({
    pool: kit.pool,
    clock: settableClock(),
    logger: quietLogger,
    statementTimeoutMs: 9000,
  });
  expect(await reader.findTask('t')).toMatchObject({ state: 'SUCCESS', name: 'app.add', oddities: null });
  const count = async () => (await kit.rows('select sum(succeeded)::int as n from celery_task_rollups'))[0];
  expect(await count()).toEqual({ n: 1 });
  await kit.open().write(batch(succeeded));
  expect(await count()).toEqual({ n: 1 });
  await kit.open().write(batch(event('task-succeeded', 't', 30, { result: '3', runtime: 0.5 })));
  expect(await count()).toEqual({ n: 2 });
  expect(await kit.rows('select oddities, mark from celery_tasks')).toEqual([{ oddities: null, mark: null }]);
});
