import type { CeleryEvent } from '../../core/events/event.ts';
import type { TaskState } from '../../core/state/task.ts';

/** Among the oddities of a row: what an import counted, once an event has taken the mark of the import away. */
export const IMPORTED = 'umbel:imported';

/** The end of a task as an import counted it in the roll-ups: the event that it would have been. */
export interface CountedEnd {
  readonly subject: 'succeeded' | 'failed' | 'revoked';
  /** Epoch seconds. */
  readonly timestamp: number;
  readonly name: string | null;
  readonly queue: string | null;
  readonly worker: string | null;
  /** Seconds. */
  readonly runtime: number | null;
}

const SUBJECTS = { SUCCESS: 'succeeded', FAILURE: 'failed', REVOKED: 'revoked' } as const;

/** By the state that the task ended in. */
export function subjectOfEnd(state: keyof typeof SUBJECTS): CountedEnd['subject'] {
  return SUBJECTS[state];
}

/** Of the values in a row that is still as an import made it; null where it is none of such. */
export function countedEnd(row: Readonly<Record<string, unknown>>): CountedEnd | null {
  const { state, timestamp, runtime } = row;
  if (typeof state !== 'string' || !Object.hasOwn(SUBJECTS, state) || typeof timestamp !== 'number') return null;
  const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);
  return {
    subject: subjectOfEnd(state as keyof typeof SUBJECTS),
    timestamp,
    name: text(row['name']),
    queue: text(row['queue']),
    worker: text(row['worker']),
    runtime: typeof runtime === 'number' ? runtime : null,
  };
}

/** The end as the event and the task that roll-ups count by. */
export function eventOfEnd(end: CountedEnd): [CeleryEvent, Pick<TaskState, 'name' | 'queue'>] {
  const { subject, timestamp, name, queue, worker, runtime } = end;
  const at = { timestamp, receivedMs: timestamp * 1000, clock: 0, identity: 0 };
  const fields = runtime === null ? {} : { runtime };
  const about = { type: `task-${subject}`, group: 'task', subject, hostname: worker ?? '', uuid: '' } as const;
  return [
    { ...about, ...at, fields },
    { name, queue },
  ];
}
