import type { ClientBase } from 'pg';
import type { CeleryEvent } from '../../core/events/event.ts';
import { eventsAtOnce } from './late-events.ts';
import type { RollupBatch } from './rollups.ts';
import type { TaskEntry } from './task-rows.ts';

const NAMELESS = { name: null, queue: null } as const;

/** Whether events of the task are stored and all of them were counted without a name. */
export function isNameless({ stored, task }: TaskEntry): boolean {
  // Only task-sent tells the queue, and it tells the name too.
  return stored && task.name === null && task.queue === null;
}

/**
 * Events of tasks that have just got their name, those of this write aside, were counted without it: adds them to
 * `counted` under the name, and to `takenBack` as they were counted. Reads them in the client's open transaction, so
 * that they move once, whichever agent hears the name. Rejects with Postgres' error.
 */
export async function countUnderName(
  client: ClientBase,
  named: readonly TaskEntry[],
  written: readonly CeleryEvent[],
  { counted, takenBack }: { readonly counted: RollupBatch; readonly takenBack: RollupBatch },
): Promise<void> {
  if (named.length === 0) return;
  const fresh = new Set(written.map(({ identity }) => identity));
  for await (const { entry, events } of eventsAtOnce(client, named)) {
    const earlier = events.filter(({ identity }) => !fresh.has(identity));
    // A name that was taken away again: what was counted under which one is not known any more.
    if (earlier.some(({ fields }) => fields['name'] !== undefined)) continue;
    for (const event of earlier) {
      counted.add(event, entry.task);
      takenBack.add(event, NAMELESS);
    }
  }
}
