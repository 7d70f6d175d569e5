import { describe, expect, it } from '@jest/globals';
import { makeEvent } from '../state/event.testkit.ts';
import { mergeTaskEvent, TaskState } from '../state/task.ts';
import { applyFinding, basisOf, findingEvent, isStill, type Finding } from './finding.ts';

function startedTask(): TaskState {
  const task = new TaskState('t-1');
  mergeTaskEvent(task, makeEvent('task-received', { name: 'app.add', args: '(1,)', timestamp: 1000, clock: 7 }));
  mergeTaskEvent(task, makeEvent('task-started', { timestamp: 1001, clock: 8 }));
  return task;
}

function finding(task: TaskState | undefined, verdict: Partial<Finding['verdict']> = {}): Finding {
  const success = { kind: 'healed', source: 'result-backend', state: 'SUCCESS', at: 1003, result: '3', name: 'no' };
  return {
    taskId: 't-1',
    basis: task === undefined ? undefined : basisOf(task),
    verdict: { ...success, ...verdict } as Finding['verdict'],
    foundAt: 2000,
  };
}

const ORPHANED = { kind: 'orphaned', reason: 'worker-lost' } as const;

describe('a finding', () => {
  it('is merged as the event that was not heard, and only fills in what events tell otherwise', () => {
    const task = startedTask();
    applyFinding(task, finding(task));
    expect(task).toMatchObject({ state: 'SUCCESS', succeeded: 1003, timestamp: 1003, result: '3', started: 1001 });
    expect(task).toMatchObject({ name: 'app.add', args: '(1,)', worker: 'celery@a', clock: 8 });
    expect(task.mark).toEqual({ kind: 'healed', detail: 'result-backend', at: 2000 });
  });

  it('of a task that nobody knew makes one, with no worker where none is told', () => {
    const task = new TaskState('t-1');
    applyFinding(task, finding(undefined));
    expect(task).toMatchObject({ state: 'SUCCESS', name: 'no', worker: null });
  });

  it('of a task that waits or runs makes up no time, and leaves the rest to its events', () => {
    const told = { source: 'inspect', at: null, name: 'app.add', args: '(1,)' } as const;
    for (const [state, member] of [
      ['PENDING', 'sent'],
      ['RECEIVED', 'received'],
      ['STARTED', 'started'],
    ] as const) {
      const task = new TaskState('t-1');
      applyFinding(task, finding(undefined, { ...told, state }));
      expect(task).toMatchObject({ state, [member]: null, timestamp: 2000, client: null, worker: null });
      mergeTaskEvent(task, makeEvent('task-succeeded', { timestamp: 2003, result: '3' }));
      expect(task).toMatchObject({ state: 'SUCCESS', name: 'app.add', args: '(1,)', result: '3', mark: null });
    }
  });

  it('that only fills in leaves state and times as they are', () => {
    const task = new TaskState('t-1');
    mergeTaskEvent(task, makeEvent('task-succeeded', { timestamp: 2003, result: '3' }));
    const told = { source: 'inspect', state: 'RECEIVED', at: null, name: 'app.add' } as const;
    applyFinding(task, finding(task, told));
    expect(task).toMatchObject({ state: 'SUCCESS', timestamp: 2003, received: null, name: 'app.add', result: '3' });
  });

  it('holds only while its task is as it was', () => {
    const task = startedTask();
    const made = finding(task);
    expect([isStill(task, made), isStill(undefined, made), isStill(task, finding(undefined))]).toEqual([
      true,
      false,
      false,
    ]);
    mergeTaskEvent(task, makeEvent('task-started', { timestamp: 1002 }));
    expect(isStill(task, made)).toBe(false);
    expect(isStill(undefined, finding(undefined))).toBe(true);
  });

  it('gives way to the event when that is heard after all', () => {
    const task = startedTask();
    applyFinding(task, finding(task));
    mergeTaskEvent(task, makeEvent('task-started', { timestamp: 1001.5 }));
    expect(task).toMatchObject({ state: 'SUCCESS', mark: { kind: 'healed' } });
    mergeTaskEvent(task, makeEvent('task-succeeded', { timestamp: 1003.5, result: "'real'", runtime: 2 }));
    expect(task).toMatchObject({ state: 'SUCCESS', result: "'real'", runtime: 2, succeeded: 1003.5, mark: null });
  });

  it('that a task is orphaned is taken back by any event of it', () => {
    const task = startedTask();
    applyFinding(task, finding(task, ORPHANED));
    expect(task).toMatchObject({ state: 'STARTED', mark: { kind: 'orphaned', detail: 'worker-lost' } });
    mergeTaskEvent(task, makeEvent('task-received', { timestamp: 1500 }));
    expect(task.mark).toBeNull();
  });

  it('is an entry of the timeline that is not a worker’s', () => {
    const task = startedTask();
    const event = findingEvent(finding(task, ORPHANED));
    expect(event).toMatchObject({ type: 'umbel-orphaned', hostname: 'umbel', timestamp: 2000, uuid: 't-1' });
    expect(event.fields).toMatchObject({ reason: 'worker-lost' });
    expect(findingEvent(finding(task, ORPHANED)).identity).toBe(event.identity);
  });
});
