import type { CeleryEvent } from '../events/event.ts';
import { makeEvent } from '../state/event.testkit.ts';
import { mergeTaskEvent, TaskState } from '../state/task.ts';
import { type Attempt, attemptOf, noteEvent } from './attempts.ts';

export const TASK_ID = '0a1b2c3d-4e5f-4a6b-8c7d-1e2f3a4b5c6d';
export const ROOT_ID = 'AAAAAAAA-bbbb-4ccc-8ddd-eeeeeeeeeeee';
export const PLACE = { system: 'redis', queue: 'orders' } as const;

/** An event of the task at `timestamp`, epoch seconds. */
export function taskEvent(subject: string, timestamp: number, body: Record<string, unknown> = {}): CeleryEvent {
  return makeEvent(`task-${subject}`, { uuid: TASK_ID, timestamp, ...body });
}

export interface Told {
  readonly task: TaskState;
  readonly attempts: Attempt[];
}

/** A task and its attempts after these events. */
export function after(...events: readonly CeleryEvent[]): Told {
  const task = new TaskState(TASK_ID);
  const attempts: Attempt[] = [];
  for (const event of events) {
    mergeTaskEvent(task, event);
    noteEvent(attempts, event);
  }
  return { task, attempts };
}

/** As an agent that was started after the first `known` events, and found the merged task in the history. */
export function afterRestart(known: number, ...events: readonly CeleryEvent[]): Told {
  const task = new TaskState(TASK_ID);
  const attempts: Attempt[] = [];
  events.forEach((event, index) => {
    mergeTaskEvent(task, event);
    if (index < known) return;
    if (attempts.length === 0) attempts.push(attemptOf(task, event));
    noteEvent(attempts, event);
  });
  return { task, attempts };
}
