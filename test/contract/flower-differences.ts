/**
 * Where the agent answers differently from Flower 2.2 on purpose. Each entry is a reason; the contract test lets through
 * exactly these and nothing else.
 */

/** Series of Flower's that cannot or need not agree, by family. */
export const METRIC_DIFFERENCES: Readonly<Record<string, string>> = {
  flower_task_prefetch_time_seconds:
    'a gauge that the last task wins: after a restart of the agent only the label sets seen since then have one',
  flower_worker_prefetched_tasks: 'a gauge of steps: a restart of the agent begins at 0 again, Flower goes on',
  flower_worker_number_of_currently_executing_tasks: 'compared apart, when the workers are idle',
};

/** `_created` series: off by default in the agent (metrics-compat.md, 3). */
export const isCreatedSeries = (name: string): boolean => name.endsWith('_created');

type Task = Record<string, unknown>;

const RECEIVERS_CLOCK = "the receiver's";

/**
 * Whether task-sent was the last event of a task: Celery's receiver puts a clock of its own in place of the publisher's
 * (celery/events/receiver.py `event_from_message`), which no other process can know. The agent keeps what was sent.
 */
const hasReceiversClock = ({ sent, timestamp }: Task): boolean => sent !== null && sent === timestamp;

/** Every number of a listing of Flower's as it is printed, with its key, except for the clocks of receivers. */
export function printedNumbers(listing: string): string[] {
  const tasks = JSON.parse(listing) as Record<string, Task>;
  return listing.split(/(?="[\da-f-]{36}": \{)/).flatMap((text) => {
    const numbers = text.match(/"\w+": -?[\d.e+-]+(?=[,}])/g) ?? [];
    const task = tasks[text.slice(1, 37)];
    return task && hasReceiversClock(task) ? numbers.filter((number) => !number.startsWith('"clock"')) : numbers;
  });
}

/**
 * A retry is sent from within the task, so its events name the task as its own parent, and Flower keeps it among its own
 * children for ever, also where a late first task-sent has put the parent back to none. The agent's children are the
 * tasks whose parent it is in the end.
 */
function childrenOf({ children, uuid, parent_id: parent }: Task): unknown {
  if (!Array.isArray(children)) return children;
  return (children as string[]).filter((child) => child !== uuid || parent === uuid).sort();
}

/** Puts what has no order into one, so that two answers can be compared with `toEqual`. */
export function comparable(task: Task): Task {
  return {
    ...task,
    clock: hasReceiversClock(task) ? RECEIVERS_CLOCK : task['clock'],
    children: childrenOf(task),
  };
}
