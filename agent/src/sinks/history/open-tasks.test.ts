import { beforeAll, expect, it } from '@jest/globals';
import type { Finding } from '../../core/heal/finding.ts';
import { batch, event, type HistoryKit, life, NOON, openHistoryKit } from './history.testkit.ts';
import { OpenTasks } from './open-tasks.ts';

let kit: HistoryKit;
beforeAll(async () => {
  kit = await openHistoryKit();
});

const running = (taskId: string, basis?: Finding['basis']): Finding => ({
  ...{ taskId, basis, foundAt: NOON + 10 },
  verdict: {
    ...{ kind: 'healed', source: 'inspect', state: basis === undefined ? 'STARTED' : 'RECEIVED', at: null },
    ...{ worker: 'celery@one', name: 'app.found', args: '(7,)', queue: 'mail' },
  },
});

it('a running task that was found keeps what was found once its events come, which the finding does not overwrite', async () => {
  const writer = kit.open();
  await writer.write(batch(...life('heard', 0), event('task-succeeded', 'nameless', 5, { result: '3' })));
  const open = new OpenTasks(kit.pool);
  expect(await open.unknownAmong(['heard', 'nameless', 'found'])).toEqual(['found']);
  const unnamed = await open.unnamedAmong(['heard', 'nameless', 'found']);
  expect(unnamed).toEqual([{ taskId: 'nameless', state: 'SUCCESS', timestamp: NOON + 5, mark: null }]);
  const [{ taskId, ...basis } = { taskId: '', state: '', timestamp: 0, mark: null }] = unnamed;

  const settled = await writer.settle([running('found'), running('heard'), running(taskId, basis)]);
  expect(settled.map(({ finding }) => finding.taskId)).toEqual(['found', 'nameless']);
  const row = async (id: string) =>
    (await kit.rows('select state, name, args, queue, started, mark from celery_tasks where task_id = $1', [id]))[0];
  const told = { name: 'app.found', args: '(7,)', queue: 'mail', started: null };
  expect(await row('found')).toEqual({ ...told, state: 'STARTED', mark: 'healed' });
  expect(await row('nameless')).toEqual({ ...told, state: 'SUCCESS', mark: 'healed' });
  await writer.write(batch(event('task-succeeded', 'found', 20, { result: '3' })));
  expect(await row('found')).toEqual({ ...told, state: 'SUCCESS', mark: null });
  expect(await row('heard')).toMatchObject({ state: 'SUCCESS', name: 'app.add', args: '(1, 2)', mark: null });
});
