import type { ClientBase } from 'pg';
import { OrderedTable } from '../../core/state/ordered-table.ts';
import type { Recall } from './recall.ts';
import type { TaskEntry } from './task-rows.ts';
import { readTask, TASK_SELECTION } from './task-rows.ts';

export interface MemoryLimits {
  /** Unfinished tasks held; default 20,000. */
  readonly openTasks: number;
  /** Finished ones held for their late events; default 2,000. */
  readonly finishedTasks: number;
  /** Characters of all their texts together; default 16 million. */
  readonly textLength: number;
}

export const DEFAULT_MEMORY: MemoryLimits = { openTasks: 20_000, finishedTasks: 2_000, textLength: 16_000_000 };

const FINISHED = new Set(['SUCCESS', 'FAILURE', 'REVOKED']);

/**
 * The tasks that the writer holds between two writes, least recently used first out: as they are committed, and on top of
 * that as the writes planned ahead will leave them. When one of those fails, all that is held is dropped.
 */
export class TaskMemory {
  readonly #open = new OrderedTable<TaskEntry>();
  readonly #finished = new OrderedTable<TaskEntry>();
  readonly #limits: MemoryLimits;
  #textLength = 0;

  constructor(limits: MemoryLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#open.size + this.#finished.size;
  }

  clear(): void {
    this.#open.clear();
    this.#finished.clear();
    this.#textLength = 0;
  }

  /** Looks at the entry, which stays. */
  peek(id: string): TaskEntry | undefined {
    return this.#open.get(id) ?? this.#finished.get(id);
  }

  /** Hands the entry over: it is no longer held. */
  take(id: string): TaskEntry | undefined {
    const entry = this.peek(id);
    if (entry === undefined) return undefined;
    if (!this.#open.delete(id)) this.#finished.delete(id);
    this.#textLength -= textLength(entry);
    return entry;
  }

  put(entry: TaskEntry): void {
    const { uuid, state } = entry.task;
    (FINISHED.has(state) ? this.#finished : this.#open).set(uuid, entry);
    this.#textLength += textLength(entry);
  }

  /** Lets go of the least recently used beyond the limits. */
  trim(): void {
    this.#shrink(this.#finished, this.#limits.finishedTasks);
    this.#shrink(this.#open, this.#limits.openTasks);
  }

  #shrink(holder: OrderedTable<TaskEntry>, most: number): void {
    while (holder.size > most || this.#textLength > this.#limits.textLength) {
      const entry = holder.shift();
      if (entry === undefined) return;
      this.#textLength -= textLength(entry);
    }
  }
}

function textLength({ task }: TaskEntry): number {
  let length = 0;
  for (const text of [task.args, task.kwargs, task.result, task.exception, task.traceback]) {
    if (typeof text === 'string') length += text.length;
  }
  return length;
}

/** Takes tasks out of the memory and reads the rest of them, as far as they are stored: entries by id. */
export async function takeTasks(
  client: ClientBase,
  { memory, recall }: { readonly memory: TaskMemory; readonly recall: Recall },
  ids: Iterable<string>,
): Promise<Map<string, TaskEntry>> {
  const entries = new Map<string, TaskEntry>();
  const unknown: string[] = [];
  for (const id of ids) {
    const entry = memory.take(id);
    if (entry !== undefined) entries.set(id, entry);
    else if (!recall.isNew(id)) unknown.push(id);
  }
  for (const entry of await readTasks(client, unknown)) entries.set(entry.task.uuid, entry);
  return entries;
}

async function readTasks(client: ClientBase, ids: readonly string[]): Promise<TaskEntry[]> {
  if (ids.length === 0) return [];
  const { rows } = await client.query<unknown[]>({
    name: 'umbel-read-tasks',
    // Should one task ever have two rows, the older one is the task.
    text: `select ${TASK_SELECTION} from celery_tasks where task_id = any($1) order by celery_tasks.seen_on desc`,
    values: [ids],
    rowMode: 'array',
  });
  return rows.map(readTask);
}
