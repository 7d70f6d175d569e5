import { beginOf, endedMs, isChordHelper, type WorkflowTask } from './tasks';

/** What comes after what: `parent` as the messages tell it, `join` from a chord's header to its callback. */
export interface Edge {
  readonly from: string;
  readonly to: string;
  readonly kind: 'parent' | 'join';
}

export interface Relations {
  /** By id, in the order of their beginning; without Celery's own helpers of chords */
  readonly tasks: ReadonlyMap<string, WorkflowTask>;
  readonly edges: readonly Edge[];
  /** Ids it comes after: its parent, or the header of its chord */
  readonly before: ReadonlyMap<string, readonly string[]>;
  readonly after: ReadonlyMap<string, readonly string[]>;
  /** Tasks that come after nothing that is there */
  readonly roots: readonly string[];
}

/**
 * Celery's events tell a task's parent and root, not that it belongs to a chord. A chord is recognised where times leave
 * little doubt (see `headerOf`), or by Celery's helper task.
 */
export function relate(all: readonly WorkflowTask[]): Relations {
  const known = new Map(all.map((task) => [task.taskId, task]));
  // Siblings are known as such also where their parent was not heard of.
  const families = {
    children: groupBy(all, ({ parentId }) => parentId),
    groups: groupBy(all, ({ groupId }) => groupId),
  };
  const shown = all
    .filter((task) => !isChordHelper(task))
    .sort((a, b) => beginOf(a) - beginOf(b) || (a.taskId < b.taskId ? -1 : 1));
  const tasks = new Map(shown.map((task) => [task.taskId, task]));
  const edges = withoutRings(
    shown.flatMap((task) => edgesTo(task, known, families).filter(({ from }) => tasks.has(from))),
  );
  const before = listBy(
    edges,
    ({ to }) => to,
    ({ from }) => from,
  );
  const after = listBy(
    edges,
    ({ from }) => from,
    ({ to }) => to,
  );
  return { tasks, edges, before, after, roots: [...tasks.keys()].filter((id) => !before.has(id)) };
}

type Lists = ReadonlyMap<string, readonly WorkflowTask[]>;

interface Families {
  /** By parent */
  readonly children: Lists;
  /** By group; of those sent by themselves, whose members have no parent in common */
  readonly groups: Lists;
}

function edgesTo(task: WorkflowTask, known: ReadonlyMap<string, WorkflowTask>, families: Families): Edge[] {
  const parent = known.get(task.parentId ?? '');
  if (parent === undefined || parent === task) {
    return [];
  }
  if (isChordHelper(parent)) {
    const header = siblingsOf(parent, families).filter((one) => !isChordHelper(one) && one !== task);
    const sources = header.length > 0 ? header.map(({ taskId }) => taskId) : [parent.parentId ?? ''];
    return sources.map((from) => ({ from, to: task.taskId, kind: header.length > 0 ? 'join' : 'parent' }));
  }
  const header = headerOf(task, parent, families);
  return header === undefined
    ? [{ from: parent.taskId, to: task.taskId, kind: 'parent' }]
    : header.map(({ taskId }) => ({ from: taskId, to: task.taskId, kind: 'join' }));
}

/**
 * The header of the chord that the task is the callback of. The callback is published by that task of the header that
 * ends last, so: it is the only task that any of the siblings published, all of them have succeeded, and all but the
 * last one did so before it was published.
 */
function headerOf(task: WorkflowTask, parent: WorkflowTask, families: Families): WorkflowTask[] | undefined {
  const header = siblingsOf(parent, families).filter((one) => !isChordHelper(one));
  if (header.length < 2) {
    return undefined;
  }
  const published = beginOf(task);
  const isHeader = header.every((one) => {
    const ended = endedMs(one);
    const own = families.children.get(one.taskId) ?? [];
    const isOnly = one === parent ? own.length === 1 : own.length === 0;
    return isOnly && one.state === 'SUCCESS' && ended !== undefined && (one === parent || ended <= published);
  });
  return isHeader ? header : undefined;
}

function siblingsOf(task: WorkflowTask, { children, groups }: Families): readonly WorkflowTask[] {
  const family = task.groupId === null ? children.get(task.parentId ?? '') : groups.get(task.groupId);
  return family ?? [task];
}

/** Ids are whatever a client sent: edges that close a ring are dropped. */
function withoutRings(edges: readonly Edge[]): Edge[] {
  const before = listBy(
    edges,
    ({ to }) => to,
    ({ from }) => from,
  );
  const done = new Map<string, 'open' | 'done'>();
  const rings = new Set<string>();
  for (const start of before.keys()) {
    const stack: Array<{ id: string; next: number }> = done.has(start) ? [] : [{ id: start, next: 0 }];
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      done.set(top.id, 'open');
      const source = before.get(top.id)?.[top.next];
      top.next += 1;
      if (source === undefined) {
        done.set(top.id, 'done');
        stack.pop();
      } else if (done.get(source) === 'open') {
        rings.add(`${source}\n${top.id}`);
      } else if (!done.has(source)) {
        stack.push({ id: source, next: 0 });
      }
    }
  }
  return rings.size === 0 ? [...edges] : edges.filter(({ from, to }) => !rings.has(`${from}\n${to}`));
}

function groupBy<T>(items: readonly T[], key: (item: T) => string | null): Map<string, T[]> {
  return listBy(
    items.filter((item) => key(item) !== null),
    (item) => key(item) ?? '',
    (item) => item,
  );
}

export function listBy<T, V>(items: readonly T[], key: (item: T) => string, value: (item: T) => V): Map<string, V[]> {
  const lists = new Map<string, V[]>();
  for (const item of items) {
    const list = lists.get(key(item));
    if (list === undefined) {
      lists.set(key(item), [value(item)]);
    } else {
      list.push(value(item));
    }
  }
  return lists;
}
