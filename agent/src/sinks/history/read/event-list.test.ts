import { beforeAll, describe, expect, it } from '@jest/globals';
import type { EventFilter } from '../../../core/query/events.ts';
import { NOON } from '../history.testkit.ts';
import { openReadKit, type ReadKit } from './read.testkit.ts';

let kit: ReadKit;

const at = (seconds: number): string => new Date((NOON + seconds) * 1000).toISOString();
const event = (seconds: number, identity: number, members: object) => ({
  ...{ occurred_at: at(seconds), received_at: at(seconds), timestamp: NOON + seconds, clock: identity, identity },
  ...{ fields: {} },
  ...members,
});

beforeAll(async () => {
  kit = await openReadKit();
  await kit.insertTasks([
    { task_id: 'a', name: 'app.add', timestamp: NOON + 3 },
    { task_id: 'b', name: 'app.mail', timestamp: NOON + 5 },
  ]);
  await kit.insert('celery_task_events', [
    event(1, 1, { task_id: 'a', type: 'task-received', worker: 'w1@h', fields: { name: 'app.add', args: '(42,)' } }),
    event(3, 2, { task_id: 'a', type: 'task-succeeded', worker: 'w1@h', fields: { result: '100%' } }),
    event(3, 3, { task_id: 'b', type: 'task-received', worker: 'w2@h' }),
    event(5, 4, { task_id: 'b', type: 'task-failed', worker: 'w2@h', fields: { exception: "ValueError('No')" } }),
    event(6, 5, { task_id: 'b', type: 'task-progress', worker: 'w2@h' }),
    event(-90_000, 6, { task_id: 'a', type: 'task-sent', worker: 'gen1@h' }),
  ]);
  await kit.insert('celery_worker_events', [
    event(2, 7, { hostname: 'w2@h', type: 'worker-online' }),
    event(4, 8, { hostname: 'w2@h', type: 'worker-heartbeat' }),
  ]);
});

const range = { fromMs: (NOON - 60) * 1000, toMs: (NOON + 60) * 1000 };
async function typesOf(filter: Partial<EventFilter>): Promise<string[]> {
  const { events } = await kit.reader.events({ ...range, ...filter }, 100);
  return events.map(({ type }) => type.replace('task-', ''));
}

describe('events', () => {
  it('are those of tasks and workers in the range, newest first, with the name of their task', async () => {
    const { events } = await kit.reader.events(range, 100);
    expect(events.map(({ type, taskId, name }) => [type, taskId, name])).toEqual([
      ['task-progress', 'b', 'app.mail'],
      ['task-failed', 'b', 'app.mail'],
      ['task-received', 'b', 'app.mail'],
      ['task-succeeded', 'a', 'app.add'],
      ['worker-online', null, null],
      ['task-received', 'a', 'app.add'],
    ]);
    expect(events[1]).toMatchObject({
      ...{ worker: 'w2@h', timestampMs: (NOON + 5) * 1000, clock: 4, id: expect.stringMatching(/^\d+-4$/) },
      fields: { uuid: 'b', hostname: 'w2@h', type: 'task-failed', exception: "ValueError('No')" },
    });
  });

  it('are narrowed by every member of the filter', async () => {
    expect(await typesOf({ names: ['app.a*'] })).toEqual(['succeeded', 'received']);
    expect(await typesOf({ states: ['FAILURE', 'PROGRESS'] })).toEqual(['progress', 'failed']);
    expect(await typesOf({ states: ['FAILURE'], types: ['task-received'] })).toEqual([]);
    expect(await typesOf({ types: ['worker-heartbeat'] })).toEqual(['worker-heartbeat']);
    expect(await typesOf({ types: ['worker-online', 'task-failed'] })).toEqual(['failed', 'worker-online']);
    expect(await typesOf({ workers: ['w1@h'] })).toEqual(['succeeded', 'received']);
    expect(await typesOf({ taskId: 'b' })).toEqual(['progress', 'failed', 'received']);
    expect(await typesOf({ text: 'valueerror' })).toEqual(['failed']);
    expect(await typesOf({ text: '0%' })).toEqual(['succeeded']);
    expect(await typesOf({ text: '%' })).toEqual(['succeeded']);
    expect(await typesOf({ text: '\0' })).toEqual([]);
    expect(await typesOf({ notWorkers: ['w2*'] })).toEqual(['succeeded', 'received']);
    expect(await typesOf({ notNames: ['*mail'] })).toEqual(['succeeded', 'worker-online', 'received']);
    expect(await typesOf({ notStates: ['RECEIVED', 'FAILURE'] })).toEqual(['progress', 'succeeded', 'worker-online']);
    expect(await typesOf({ toMs: (NOON + 2) * 1000 })).toEqual(['received']);
    expect(await typesOf({ fromMs: 0, taskId: 'a' })).toEqual(['succeeded', 'received', 'sent']);
  });

  it('come the oldest first where that is asked for, page by page', async () => {
    const first = await kit.reader.events({ ...range, taskId: 'b', ascending: true }, 2);
    expect(first.events.map(({ type }) => type)).toEqual(['task-received', 'task-failed']);
    const rest = await kit.reader.events({ ...range, taskId: 'b', ascending: true }, 2, first.nextCursor);
    expect(rest.events.map(({ type }) => type)).toEqual(['task-progress']);
  });

  it('come page by page without one twice, also where two happened at once', async () => {
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await kit.reader.events({ ...range, fromMs: 0 }, 2, cursor);
      seen.push(...page.events.map(({ type, taskId }) => `${type} ${taskId}`));
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    expect(seen).toHaveLength(7);
    expect(new Set(seen).size).toBe(7);
    await expect(kit.reader.events(range, 2, 'nonsense')).rejects.toThrow('start again without it');
  });

  it('have an index by time in each partition', async () => {
    const indexes = await kit.rows<{ indexdef: string }>(
      `select indexdef from pg_indexes where tablename = 'celery_task_events_p20260310' and indexdef like '%(occurred_at, identity)'`,
    );
    expect(indexes).toHaveLength(1);
  });
});
