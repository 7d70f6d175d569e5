import { describe, expect, it } from '@jest/globals';
import { taskRecord } from '../testing/memory-history.testkit.ts';
import { taskEntryText, taskInfoText } from './task-json.ts';

const info = (members: Parameters<typeof taskRecord>[0]): Record<string, unknown> =>
  JSON.parse(taskInfoText(taskRecord(members), [])) as Record<string, unknown>;

describe('a task in Flower’s shape', () => {
  it('shows a cut text, not the mark beside it', () => {
    expect(info({ args: '(1, ', oddities: { args: { cut: 20_971_520 } } })['args']).toBe('(1, ');
  });

  it('shows what was sent where it was no text, even if it looks like that mark', () => {
    expect(info({ args: null, oddities: { args: { cut: 5 } } })['args']).toEqual({ cut: 5 });
    expect(info({ rootId: null, oddities: { root_id: 7 } })).toMatchObject({ root: 7, root_id: 7 });
  });

  it('has `worker` in the list only when there is one', () => {
    expect(taskEntryText(taskRecord({ worker: null }), [])).not.toContain('"worker"');
    expect(taskEntryText(taskRecord({ worker: 'w' }), ['c'])).toMatch(/"children": \["c"\], "worker": "w"\}$/);
    expect(info({ worker: null })).toHaveProperty('worker', null);
  });
});
